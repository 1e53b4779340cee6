"""Statistics of trajectories: when a path is positive for good, how fast its tail falls.

Intervals are by resampling trials with replacement (Efron's bootstrap, percentiles): a trajectory
is one trial, whatever the number of times it was seen at.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake

Array = NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95


class Interval(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def stays_positive(time: ArrayLike, values: ArrayLike) -> float:
    """The time from which values (k,) are positive to the end; infinite if the last one is not.

    Linear between the last time (k,) that they are not and the next. Raises `ValueError` unless
    both have one length.
    """
    t, y = _path(time, values)
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
    t, y = _path(time, values)
    early = np.flatnonzero(y >= high)
    begin = int(early[-1]) + 1 if len(early) else 0
    inside = begin + np.flatnonzero((y[begin:] > low) & (y[begin:] < high))
    if len(inside) < 3:
        return float("nan")
    return -float(np.polyfit(t[inside], np.log(y[inside]), 1)[0])


def bootstrap(
    groups: Sequence[ArrayLike],
    statistic: Callable[[Sequence[Array]], float],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic of groups of trials with its interval; every group is resampled by itself.

    A trial is an entry, or a row, of its group. Raises `ValueError` for a group without trials.
    """
    found = [np.asarray(group, float) for group in groups]
    if not found or not all(len(group) for group in found):
        raise mistake("trials in every group", [len(g) for g in found], "leave out the empty ones")
    rng = np.random.default_rng(seed)
    drawn = [
        statistic([group[rng.integers(len(group), size=len(group))] for group in found])
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(statistic(found)), float(low), float(high))


def median_slope(x: ArrayLike) -> Callable[[Sequence[Array]], float]:
    """The statistic of groups at x (k,): the least-squares slope of their medians, one a group."""
    places = np.asarray(x, float)
    return lambda groups: float(np.polyfit(places, [np.median(g) for g in groups], 1)[0])


def _path(time: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
    t, y = np.asarray(time, float), np.asarray(values, float)
    if t.ndim != 1 or t.shape != y.shape or not len(t):
        raise mistake("times and values of one length", (t.shape, y.shape), "give one of each")
    return t, y
