"""Which code the laws of a study are: the modules of a user's classes, and a digest of each.

A digest is that of the lines which are neither empty nor a comment, so that it is the same on every
machine and changes with whatever the module does.
"""

import hashlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
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
    """Of the module as it is on the disk; nothing where it is not there."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return ""
    lines = (line.rstrip() for line in source.splitlines())
    told = [line for line in lines if line and not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:DIGITS]
