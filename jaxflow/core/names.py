"""Fields of nested frozen dataclasses by their dotted names: to read, to replace, to ask the type.

A dictionary on the way counts as a dataclass whose fields are its keys, a tuple as one whose fields
are its places: "ensemble.initialization.a.0".
"""

import copy
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, get_args, get_type_hints

from jaxflow.core.errors import mistake, unknown_name

T = TypeVar("T")


def annotation(root: Any, path: str) -> Any:
    """The type that the field at `path` is declared with; `ValueError` where there is none."""
    node, kind, where = root, Any, ""
    for name in path.split("."):
        _check_name(node, name, where)
        if isinstance(node, Mapping):
            node, kind = node[name], Any
        elif isinstance(node, tuple):
            node, kind = node[int(name)], get_args(kind)[0]
        else:
            node, kind = getattr(node, name), get_type_hints(type(node))[name]
        where = f"{where}.{name}" if where else name
    return kind


def replaced(root: Any, path: str, value: Any) -> Any:
    """`root` with another value at `path`, checked as when it is made; `ValueError` if refused."""
    name, _, rest = path.partition(".")
    if isinstance(root, Mapping):
        return {**root, name: replaced(root[name], rest, value) if rest else value}
    if isinstance(root, tuple):
        inner = replaced(root[int(name)], rest, value) if rest else value
        return _with_entry(root, int(name), inner)
    inner = replaced(getattr(root, name), rest, value) if rest else value
    return replace(root, **{name: inner})


def with_traced(root: T, path: str, value: Any) -> T:
    """`root` with a traced number at `path`, of which nothing can be checked."""
    name, _, rest = path.partition(".")
    if isinstance(root, tuple):
        inner = with_traced(root[int(name)], rest, value) if rest else value
        return _with_entry(root, int(name), inner)
    made = copy.copy(root)
    inner = with_traced(getattr(root, name), rest, value) if rest else value
    object.__setattr__(made, name, inner)
    return made


def _with_entry(entries: Any, i: int, value: Any) -> Any:
    return (*entries[:i], value, *entries[i + 1 :])


def _check_name(node: Any, name: str, where: str) -> None:
    if isinstance(node, Mapping):
        known = list(node)
    elif isinstance(node, tuple):
        known = list(map(str, range(len(node))))
    elif is_dataclass(node):
        known = [f.name for f in fields(node)]
    else:
        raise mistake(f"a parameter inside {where}", name, "name a field of a law")
    if name not in known:
        raise unknown_name(f"a field of {where or 'the study'}", name, known)
