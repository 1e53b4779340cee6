"""Plain values: what a table holds, from whatever a user writes for it in TOML or in Python.

Numbers are Python's own, whether they came as such, as NumPy scalars or as arrays of no dimension:
20, 20.0 and np.int32(20) are one number and hash as one. Arrays are kept as constants that compare
and hash by content.
"""

import hashlib
import sys
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from numbers import Integral, Real
from typing import Any

import numpy as np

from jaxflow.core.errors import mistake

LARGEST = 2**63  # what a store can hold
WANTED = {int: "an integer", float: "a number", str: "a text", bool: "true or false"}


class ConstantArray(np.ndarray):
    """A read-only array that is equal to another constant, and hashes, by its content.

    So a frozen dataclass may hold one. Against anything else it compares entry by entry, and what
    is computed from it is an ordinary array.
    """

    @property
    def digest(self) -> str:
        """SHA-256 of dtype, shape and entries, as 64 hexadecimal digits."""
        plain = np.ascontiguousarray(self.view(np.ndarray))
        plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        head = f"{plain.dtype.str} {self.shape} ".encode()
        return hashlib.sha256(head + plain.tobytes()).hexdigest()

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, ConstantArray):
            return self.digest == other.digest
        return self.view(np.ndarray) == other

    def __ne__(self, other: Any) -> Any:
        if isinstance(other, ConstantArray):
            return self.digest != other.digest
        return self.view(np.ndarray) != other

    def __hash__(self) -> int:  # type: ignore[override]  # NumPy's is None
        return hash(self.digest)

    def __getitem__(self, key: Any) -> Any:
        return self.view(np.ndarray)[key]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        ordinary = (x.view(np.ndarray) if isinstance(x, ConstantArray) else x for x in inputs)
        return getattr(ufunc, method)(*ordinary, **options)


def constant(value: Any, where: str = "an array") -> ConstantArray:
    """A read-only copy of an array or of nested lists of numbers; `ValueError` if it is none."""
    if isinstance(value, ConstantArray):
        return value
    try:
        made = np.array(value)
    except Exception as error:  # rows of unequal length, or whatever an `__array__` raises
        raise mistake(f"an array at {where}", value, "give rows of equal length") from error
    if made.dtype.kind not in "biuf":
        raise mistake(f"an array of numbers at {where}", value, "give real numbers")
    if made.dtype.kind == "f" and not np.all(np.isfinite(made)):
        raise mistake(f"finite numbers at {where}", value, "replace what is not finite")
    kept = made.view(ConstantArray)
    kept.setflags(write=False)
    return kept


def is_array(value: object) -> bool:
    """Whether it is an array of NumPy, JAX or their like."""
    return hasattr(type(value), "__array__") and hasattr(value, "shape")


def is_traced(value: object) -> bool:
    """Whether it stands for a number inside a JAX transformation, of which nothing is known."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)


def unwrapped(value: Any) -> Any:
    """The Python number or text of a NumPy scalar or an array of no dimension; else the value."""
    if is_array(value) and value.shape == () and not is_traced(value):
        return np.asarray(value).item()
    return value


def listed(value: Any) -> Any:
    """An array or range as a list; else the value."""
    if isinstance(value, range):
        if len(value) > 1_000_000:
            raise mistake("a list of at most a million entries", value, "list fewer")
        return list(value)
    if is_array(value) and not is_traced(value):
        return np.asarray(value).tolist()
    return value


def scalar(kind: type, value: Any, where: str) -> Any:
    """`value` as an int, float, str or bool; `ValueError`, one line, where it stands for none."""
    value = unwrapped(value)
    if kind is str and isinstance(value, str):
        return str.__str__(value)
    if kind is bool and isinstance(value, bool):
        return value
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if kind is float and is_number:
        return _finite(value, where)
    if kind is int and is_number:
        if isinstance(value, Integral) or _finite(value, where).is_integer():
            return _whole(int(value), where)
        raise mistake(f"an integer at {where}", value, "give a whole number")
    raise mistake(f"{WANTED[kind]} at {where}", value, "fix its type")


def plain(value: Any, where: str) -> Any:
    """A value of no declared type: numbers, texts, tuples and tables of such, constant arrays.

    Functions and frozen dataclasses stay what they are. Raises `ValueError` for anything else.
    """
    value = unwrapped(value)
    if value is None or isinstance(value, bool) or is_traced(value):
        return value
    if isinstance(value, Integral):
        return _whole(int(value), where)
    if isinstance(value, Real):
        return _finite(value, where)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {text_key(k, where): plain(v, f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple | range):
        return tuple(plain(v, f"{where}[{i}]") for i, v in enumerate(listed(value)))
    if is_array(value):
        return constant(value, where)
    if isinstance(value, Callable) or is_dataclass(value):  # type: ignore[arg-type]
        return value
    raise mistake(f"a number, text, list or table at {where}", value, "fix its type")


def text_key(key: Any, where: str) -> str:
    """The key of a table; `ValueError` unless it is a text."""
    if not isinstance(key, str):
        raise mistake(f"a text as key of {where}", key, "write it in quotes")
    return str.__str__(key)


def is_deeper(value: Any, levels: int) -> bool:
    """Whether tables and lists lie inside each other more than so many levels deep."""
    level = [value]
    for _ in range(levels):
        inner = (x.values() if isinstance(x, Mapping) else x for x in level)
        level = [x for entries in inner for x in entries if isinstance(x, Mapping | list)]
    return bool(level)


def _finite(value: Any, where: str) -> float:
    try:
        number = float(value)
    except OverflowError as error:
        raise mistake(f"a number below 1e308 at {where}", value, "give a smaller one") from error
    if not isfinite(number):
        raise mistake(f"a finite number at {where}", value, "give a finite one")
    return number


def _whole(value: int, where: str) -> int:
    if not -LARGEST <= value < LARGEST:
        raise mistake(f"an integer below 2^63 at {where}", value, "give a smaller one")
    return value


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
