"""Fields of nested frozen dataclasses by their dotted names: to read, to replace, to ask the type.

A dictionary on the way counts as a dataclass whose fields are its keys, a tuple as one whose fields
are its places: "problem.initialization.a.0". So do the fields of a law that is not loaded.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.open_names import Unloaded

T = TypeVar("T")
DEEPEST = 40  # parts of a dotted name
ENDS = {"from", "to"}  # a table of these alone is a value: a range


def annotation(root: Any, path: str) -> Any:
    """The type that the field at `path` is declared with; `ValueError` where there is none.

    Where nothing is declared, the type of the value.
    """
    node, kind, where = root, Any, ""
    for name in path.split("."):
        _check_name(node, name, where)
        if isinstance(node, Unloaded):
            node, kind = node.fields[name], Any
        elif isinstance(node, Mapping):
            node, kind = node[name], Any
        elif isinstance(node, tuple):
            node, kind = node[int(name)], _entry(kind, int(name))
        else:
            node, kind = getattr(node, name), get_type_hints(type(node))[name]
        where = f"{where}.{name}" if where else name
    return type(node) if kind is Any and isinstance(node, int | float | str) else kind


def replaced(root: Any, path: str, value: Any) -> Any:
    """`root` with another value at `path`, checked as when it is made; `ValueError` if refused."""
    name, _, rest = path.partition(".")
    if isinstance(root, Unloaded):
        return replace(root, fields=replaced(root.fields, path, value))
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


def flattened(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values of nested tables by dotted name; `ValueError` where two have the same name."""
    flat: dict[str, Any] = {}
    for name, value in _leaves(table, "", where):
        if name in flat:
            raise mistake(f"one value of {name} in {where}", [flat[name], value], "leave one out")
        flat[name] = value
    names = sorted(flat, key=lambda name: name.split("."))
    for name, following in pairwise(names):  # the names that begin with one follow it
        if following.startswith(f"{name}."):
            raise mistake(f"a table at {name} in {where}", flat[name], "leave it out")
    return flat


def changed(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables with other values at dotted names; a parameter of the axes is one name."""
    made = dict(table)
    for name, value in changes.items():
        first, _, rest = name.partition(".")
        if not rest:
            made[name] = value
            continue
        if rest.count(".") > DEEPEST:
            raise mistake(f"names of at most {DEEPEST} parts", name, "name a key of the study")
        inner = made.get(first, {})
        if not isinstance(inner, Mapping):
            raise mistake(f"a table at {first}", inner, f"give it whole, without .{rest}")
        whole = first == "parameters"
        made[first] = {**inner, rest: value} if whole else changed(inner, {rest: value})
    return made


def _leaves(table: Mapping[str, Any], prefix: str, where: str) -> Iterator[tuple[str, Any]]:
    if prefix.count(".") > DEEPEST:
        raise mistake(f"at most {DEEPEST} levels in {where}", prefix, "flatten them")
    for name, value in table.items():
        if isinstance(value, Mapping) and set(value) != ENDS:
            yield from _leaves(value, f"{prefix}{name}.", where)
        else:
            yield f"{prefix}{name}", value


def _with_entry(entries: Any, i: int, value: Any) -> Any:
    return (*entries[:i], value, *entries[i + 1 :])


def _entry(kind: Any, i: int) -> Any:
    """The declared type of a tuple's entry."""
    branches = [branch for branch in get_args(kind) if branch is not NoneType]
    if NoneType in get_args(kind) and len(branches) == 1:
        return _entry(branches[0], i)
    kinds = get_args(kind) or (Any,)
    return kinds[i] if i < len(kinds) and kinds[-1] is not ... else kinds[0]


def _check_name(node: Any, name: str, where: str) -> None:
    if isinstance(node, Unloaded):
        known = list(node.fields)
    elif isinstance(node, Mapping):
        known = list(node)
    elif isinstance(node, tuple):
        known = list(map(str, range(len(node))))
    elif is_dataclass(node):
        known = [f.name for f in fields(node)]
    else:
        raise mistake(f"a parameter inside {where}", name, "name a field of a law")
    if name not in known:
        raise unknown_name(f"a field of {where or 'the study'}", name, known)
