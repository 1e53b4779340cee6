"""Fields of nested frozen dataclasses by their dotted names: to read, to replace, to ask the type.

A dictionary on the way counts as a dataclass whose fields are its keys.
"""

import copy
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, get_type_hints

from jaxflow._errors import mistake, unknown_name

T = TypeVar("T")


def annotation(root: Any, path: str) -> Any:
    """The type that the field at `path` is declared with; `ValueError` where there is none."""
    *parents, last = path.split(".")
    node = root
    for i, name in enumerate(parents):
        _check_name(node, name, ".".join(parents[:i]))
        node = node[name] if isinstance(node, Mapping) else getattr(node, name)
    _check_name(node, last, ".".join(parents))
    return Any if isinstance(node, Mapping) else get_type_hints(type(node))[last]


def replaced(root: Any, path: str, value: Any) -> Any:
    """`root` with another value at `path`, checked as when it is made; `ValueError` if refused."""
    name, _, rest = path.partition(".")
    if isinstance(root, Mapping):
        return {**root, name: replaced(root[name], rest, value) if rest else value}
    inner = replaced(getattr(root, name), rest, value) if rest else value
    return replace(root, **{name: inner})


def with_traced(root: T, path: str, value: Any) -> T:
    """`root` with a traced number at `path`, of which nothing can be checked."""
    name, _, rest = path.partition(".")
    made = copy.copy(root)
    inner = with_traced(getattr(root, name), rest, value) if rest else value
    object.__setattr__(made, name, inner)
    return made


def _check_name(node: Any, name: str, where: str) -> None:
    if isinstance(node, Mapping):
        known = list(node)
    elif is_dataclass(node):
        known = [f.name for f in fields(node)]
    else:
        raise mistake(f"a parameter inside {where}", name, "name a field of a law")
    if name not in known:
        raise unknown_name(f"a field of {where or 'the study'}", name, known)
