"""Validation of the numbers that a user types."""

from math import inf
from numbers import Real

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
