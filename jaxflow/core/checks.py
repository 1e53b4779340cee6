"""Validation of the numbers that a user types."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from math import inf
from numbers import Real
from typing import Any

from jaxflow.core.errors import mistake


def whole(name: str, value: object, *, least: int) -> int:
    """`value` as an int, if it is a whole number >= `least`; else raises `ValueError`."""
    if not isinstance(value, bool) and isinstance(value, Real):
        number = float(value)
        if least <= number < inf and number.is_integer():
            return int(number)
    raise mistake(f"a whole number {name} >= {least}", value, f"correct {name}")


def positive(name: str, value: object) -> float:
    """`value` as a float, if it is a finite number > 0; else raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < inf:
        raise mistake(f"a finite number {name} > 0", value, f"correct {name}")
    return float(value)


def fraction(name: str, value: object) -> float:
    """`value` as a float, if it lies strictly between 0 and 1; else raises `ValueError`."""
    if positive(name, value) >= 1:
        raise mistake(f"a number {name} below 1", value, f"correct {name}")
    return positive(name, value)


def ordered(low: object, high: object) -> None:
    """Raises `ValueError` unless low and high are finite numbers with 0 < low < high."""
    if positive("low", low) >= positive("high", high):
        raise mistake("low < high", (low, high), "widen the range")


def frozen(kind: str, value: object, methods: Mapping[str, str]) -> None:
    """Raises `ValueError` unless `value` is an instance of a frozen dataclass with these methods.

    `kind` says what is expected and where; each method comes with the remedy where it is missing.
    """
    kept: Any = type(value)
    if isinstance(value, type):
        raise mistake(kind, f"the class {value.__name__}", f"make one: {value.__name__}(...)")
    if not (is_dataclass(value) and kept.__dataclass_params__.frozen):
        got = value if isinstance(value, str) else f"a {kept.__name__}"
        raise mistake(f"{kind}, of a frozen dataclass", got, "use @dataclass(frozen=True)")
    for method, remedy in methods.items():
        if not callable(getattr(value, method, None)):
            raise mistake(f"{kind}, with {method}", f"{kept.__name__} without", remedy)
