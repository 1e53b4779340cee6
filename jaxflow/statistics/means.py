"""Means over trials, and their intervals by Student's t.

Student, "The probable error of a mean", Biometrika 6 (1908) 1-25.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from jaxflow.core.checks import fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Array


class Mean(NamedTuple):
    """A mean over trials with its interval; or with that of one more trial."""

    mean: Array
    low: Array
    high: Array


def mean_interval(values: ArrayLike, level: float = 0.95, *, of_one: bool = False) -> Mean:
    """The mean (...) of trials (trials, ...), with its interval at the `level`.

    With `of_one`, the interval in which one more trial lies. Both hold for numbers that are about
    normal: give logarithms of what spans decades. Raises `ValueError` for fewer than two trials.
    """
    numbers = np.asarray(values, float)
    if numbers.ndim == 0 or len(numbers) < 2:
        got = "one number" if numbers.ndim == 0 else len(numbers)
        raise mistake("two trials or more", got, "run the study with more repetitions")
    trials = len(numbers)
    error = np.std(numbers, axis=0, ddof=1) * np.sqrt(1 / trials + of_one)
    half = stdtrit(trials - 1, 0.5 + fraction("level", level) / 2) * error
    mean = np.mean(numbers, axis=0)
    return Mean(mean, mean - half, mean + half)


def mean_exponent(x: ArrayLike, values: ArrayLike) -> Mean:
    """The exponent b of values ~ x^b with its 95 % interval.

    `values` (trials, k) are of independent trials at every one of the x (k,): each row gives an
    exponent by least squares in the logarithms, and these have a mean. Raises `ValueError` unless
    there are two different x and two rows, and all is positive.
    """
    log_x, numbers = np.log(_positive("x", x)), np.log(_positive("values", values))
    if numbers.ndim != 2 or log_x.shape != numbers.shape[1:] or not np.ptp(log_x) > 0:
        got = (np.shape(x), np.shape(values))
        raise mistake("x (k,) and values (trials, k), k > 1", got, "give a row for every trial")
    centred = log_x - log_x.mean()
    return mean_interval(numbers @ centred / (centred @ centred))


def _positive(name: str, values: ArrayLike) -> Array:
    numbers = np.asarray(values, float)
    if not np.all((numbers > 0) & np.isfinite(numbers)):
        raise mistake(f"finite {name} > 0", "others", "a power law has positive numbers only")
    return numbers
