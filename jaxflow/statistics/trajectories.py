"""What a trajectory tells: from when on it is positive for good, how fast its tail falls."""

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.checks import Array
from jaxflow.core.errors import mistake
from jaxflow.statistics.powers import slope


def stays_positive(time: ArrayLike, values: ArrayLike) -> float:
    """The time from which values (k,) are positive to the end; infinite if the last one is not.

    Linear between the last time (k,) that they are not and the next. Raises `ValueError` unless
    both have one length.
    """
    t, y = _pair(time, values)
    below = np.flatnonzero(~(y > 0))
    if not len(below):
        return float(t[0])
    i = int(below[-1])
    if i == len(y) - 1:
        return float("inf")
    return float(t[i] + (t[i + 1] - t[i]) * y[i] / (y[i] - y[i + 1]))


def tail_rate(time: ArrayLike, values: ArrayLike, high: float, low: float) -> float:
    """The rate at which values (k,) fall exponentially between `high` and `low`, in inverse time.

    Minus the least-squares slope of their logarithm over the time (k,), from the last value above
    `high` on; NaN with fewer than three of them. Raises `ValueError` unless both have one length
    and 0 < low < high.
    """
    if not 0 < low < high:
        raise mistake("0 < low < high", (low, high), "give the larger value first")
    t, y = _pair(time, values)
    early = np.flatnonzero(y >= high)
    begin = int(early[-1]) + 1 if len(early) else 0
    inside = begin + np.flatnonzero((y[begin:] > low) & (y[begin:] < high))
    if len(inside) < 3:
        return float("nan")
    return -float(slope(t[inside], np.log(y[inside])))


def _pair(time: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
    t, y = np.asarray(time, float), np.asarray(values, float)
    if t.ndim != 1 or t.shape != y.shape or not len(t):
        raise mistake("times and values of one length", (t.shape, y.shape), "give one of each")
    return t, y
