"""Validation of the numbers and matrices that the theory is asked about."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake

Array = NDArray[np.float64]


def positive(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if all of it is finite and > 0; else raises `ValueError`."""
    return _checked(f"finite {name} > 0", name, value, lambda v: (v > 0) & (v < np.inf))


def nonnegative(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if all of it is finite and >= 0; else raises `ValueError`."""
    return _checked(f"finite {name} >= 0", name, value, lambda v: (v >= 0) & (v < np.inf))


def whole(name: str, value: ArrayLike, *, least: int) -> Array:
    """`value` in float64, if all of it are whole numbers >= `least`; else raises `ValueError`."""
    return _checked(
        f"whole {name} >= {least}",
        name,
        value,
        lambda v: (v >= least) & (v < np.inf) & (np.floor(v) == v),
    )


def fraction(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if all of it lies strictly between 0 and 1; else raises `ValueError`."""
    return _checked(f"0 < {name} < 1", name, value, lambda v: (v > 0) & (v < 1))


def matrix(name: str, value: ArrayLike) -> Array:
    """`value` in float64, if it is a finite array of two dimensions or more, none empty."""
    numbers = np.asarray(value, float)
    if numbers.ndim < 2 or not numbers.size:
        raise mistake(f"{name} of two dimensions, not empty", numbers.shape, "give it as a matrix")
    if not np.isfinite(numbers).all():
        raise mistake(f"finite entries of {name}", "others", "leave out what is not finite")
    return numbers


def _checked(
    expected: str, name: str, value: ArrayLike, holds: Callable[[Array], NDArray[np.bool_]]
) -> Array:
    numbers = np.asarray(value, float)
    wrong = ~holds(numbers)
    if np.any(wrong):
        raise mistake(expected, float(numbers[wrong][0]), f"correct {name}")
    return numbers
