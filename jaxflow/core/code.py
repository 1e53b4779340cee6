"""Which code the laws of a study are: the modules of a user's classes, and a digest of each.

A digest is that of the lines which are neither empty nor a comment, of the module and of those that
it imports from its own folder or package: the same on every machine, and another where one of them
does something else.
"""

import ast
import hashlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.util import resolve_name
from itertools import chain
from pathlib import Path
from typing import Any

from jaxflow.core.open_names import Unloaded

OWN = __name__.partition(".")[0]
DIGITS = 8  # of a digest
MARK = "@"  # between a module and its digest


def codes(law: Any) -> tuple[str, ...]:
    """The modules of a law, of its bases and of the laws inside it, as "module@digest", sorted.

    This package and Python's own are left out, and so is what has no source, as a notebook's cell.
    """
    found = ((name, _digest(name)) for name in sorted(set(_modules(law))))
    return tuple(f"{name}{MARK}{digest}" for name, digest in found if digest)


def codes_in(versions: str) -> dict[str, str]:
    """The digests of a row's versions, by module."""
    marked = (word.rpartition(MARK) for word in versions.split() if MARK in word)
    return {module: digest for module, _, digest in marked}


def _modules(law: Any) -> Iterator[str]:
    if isinstance(law, Mapping):
        yield from _of_all(law.values())
    elif isinstance(law, tuple):
        yield from _of_all(law)
    elif is_dataclass(law) and not isinstance(law, Unloaded | type):
        for kind in type(law).__mro__:
            top = kind.__module__.partition(".")[0]
            if top != OWN and top not in sys.stdlib_module_names:
                yield kind.__module__
        yield from _of_all(getattr(law, f.name) for f in fields(law))


def _of_all(laws: Iterable[Any]) -> Iterator[str]:
    for law in laws:
        yield from _modules(law)


def _digest(module: str) -> str:
    """Of the modules as they are on the disk; nothing where the first is not there."""
    if not _source(module):
        return ""
    told = chain.from_iterable(map(_code, [module, *sorted(_reached(module) - {module})]))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:DIGITS]


def _code(module: str) -> list[str]:
    """Its lines that are neither empty nor a comment."""
    lines = (line.rstrip() for line in _source(module).splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def _reached(module: str) -> set[str]:
    """The module, those beside it that it imports, and so on."""
    found: set[str] = set()
    left = [module]
    while left:
        if (one := left.pop()) not in found:
            found.add(one)
            left += _imported(one)
    return found


def _imported(module: str) -> Iterator[str]:
    """The modules that one imports from the folder of its top package, or from its own."""
    file = _file(module.partition(".")[0]) or _file(module)
    package = getattr(sys.modules.get(module), "__package__", None) or ""
    for node in ast.walk(ast.parse(_source(module))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            other = _file(name)
            if file and other and file.parent in other.parents:
                yield name


def _file(module: str) -> Path | None:
    """That of a module that is loaded from one, and neither installed nor of this package."""
    file = getattr(sys.modules.get(module), "__file__", None)
    is_ours = module.partition(".")[0] == OWN
    return None if is_ours or file is None or "site-packages" in file else Path(file)


def _source(module: str) -> str:
    """That of the module as it is on the disk; nothing where it is not there."""
    try:
        return inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return ""
