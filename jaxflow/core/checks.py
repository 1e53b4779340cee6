"""Validation of numbers: the single ones that a user types, and the arrays that formulas take.

Each returns its value converted, or raises `ValueError`. A single number must be one, no boolean,
text or array; an array is whatever NumPy reads as float64, in any shape.
"""

from collections.abc import Callable
from math import inf
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake

Array: TypeAlias = NDArray[np.float64]

LARGEST_SIZE = 2**31 - 1  # of d, n and p, which programs take as 32-bit integers


def whole(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """`value` as an int, if it is a whole number >= `least`, and <= `most` if there is one."""
    found = int(_number(f"a whole number {name} >= {least}", name, value, _whole_from(least)))
    if most is not None and found > most:
        raise mistake(f"a whole number {name} <= {most}", value, f"lower {name}")
    return found


def size(name: str, value: object) -> int:
    """`value` as an int, if it is a whole number from 1 to `LARGEST_SIZE`."""
    return whole(name, value, least=1, most=LARGEST_SIZE)


def positive(name: str, value: object) -> float:
    """`value` as a float, if it is a finite number > 0."""
    return _number(f"a finite number {name} > 0", name, value, _positive)


def fraction(name: str, value: object) -> float:
    """`value` as a float, if it lies strictly between 0 and 1."""
    positive(name, value)
    return _number(f"a number {name} below 1", name, value, _below_one)


def ordered(low: object, high: object) -> None:
    """Raises `ValueError` unless low and high are finite numbers with 0 < low < high."""
    if positive("low", low) >= positive("high", high):
        raise mistake("low < high", (low, high), "widen the range")


def wholes(name: str, value: ArrayLike, *, least: int) -> Array:
    """`value` in float64, if all of it are whole numbers >= `least`."""
    return _numbers(f"whole {name} >= {least}", name, value, _whole_from(least))


def positives(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if all of it is finite and > 0."""
    return _numbers(f"finite {name} > 0", name, value, _positive)


def nonnegatives(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if all of it is finite and >= 0."""
    return _numbers(f"finite {name} >= 0", name, value, lambda v: (v >= 0) & (v < inf))


def fractions(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if all of it lies strictly between 0 and 1."""
    return _numbers(f"0 < {name} < 1", name, value, lambda v: (v > 0) & (v < 1))


def matrix(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if it is a finite array of two dimensions or more, none empty."""
    numbers = np.asarray(value, float)
    if numbers.ndim < 2 or not numbers.size:
        raise mistake(f"{name} of two dimensions, not empty", numbers.shape, "give it as a matrix")
    if not np.isfinite(numbers).all():
        raise mistake(f"finite entries of {name}", "others", "leave out what is not finite")
    return numbers


def _positive(v: Any) -> Any:
    return (v > 0) & (v < inf)


def _below_one(v: Any) -> Any:
    return v < 1


def _whole_from(least: int) -> Callable[[Any], Any]:
    return lambda v: (v >= least) & (v < inf) & (np.floor(v) == v)


def _number(expected: str, name: str, value: object, holds: Callable[[Any], Any]) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not holds(float(value)):
        raise mistake(expected, value, f"correct {name}")
    return float(value)


def _numbers(expected: str, name: str, value: ArrayLike, holds: Callable[[Any], Any]) -> Array:
    try:
        numbers = np.asarray(value, float)
    except (TypeError, ValueError):
        raise mistake(expected, type(value).__name__, f"give {name} as numbers") from None
    wrong = ~holds(numbers)
    if np.any(wrong):
        raise mistake(expected, float(numbers[wrong][0]), f"correct {name}")
    return numbers
