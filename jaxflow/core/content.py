"""Frozen dataclasses that hold arrays: equal, and hashed, by what is in them."""

from collections.abc import Hashable
from dataclasses import fields, is_dataclass

from jaxflow.core.values import constant, is_array


def content(value: object) -> Hashable:
    """A key of the value: equal for the same types with the same numbers, array or not."""
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), *(content(getattr(value, f.name)) for f in fields(value) if f.compare)
    if is_array(value):
        return constant(value)
    if isinstance(value, tuple | list):
        return tuple(map(content, value))
    if isinstance(value, dict):
        return frozenset((name, content(entry)) for name, entry in value.items())
    return value


class ByContent:
    """A base of dataclasses made with `eq=False`: static for JAX whatever their fields hold."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and content(self) == content(other)

    def __hash__(self) -> int:
        return hash(content(self))
