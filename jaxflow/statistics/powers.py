"""Power laws y ~ x^b of what single trials measure, with the error that trials leave in b.

b is the least-squares slope of log y against log x. Two designs have two intervals:

- every trial was measured at all x, as the networks of one seed at each width: what a trial has at
  one x goes with what it has at another, so each gives an exponent of its own, and these have a
  mean (`mean_exponent`, Student's t, good for few trials);
- there are other trials at every x, and as many as there happen to be: they are drawn again at
  each x by itself, and the geometric means, every x with the same weight, have a slope each time
  (`power_law`, percentiles, good from a dozen trials an x on).

Neither interval holds another error, as of a law that is no power.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.checks import Array, positives
from jaxflow.core.errors import mistake
from jaxflow.statistics.resamples import Interval, mean_interval, percentiles, resampled

RESAMPLES = 4000
NORMAL_END = 1.96  # standard errors


def slope(x: ArrayLike, y: ArrayLike, error: ArrayLike = 1.0) -> Array:
    """The least-squares slopes (...) of y (..., k) against x, (k,) or (..., k).

    Each y is weighted by its standard error, (k,) or one for all.
    """
    moved, weight = _centred(x, error)
    moment = np.sum(weight * moved * np.asarray(y, float), axis=-1)
    return np.asarray(moment / np.sum(weight * moved**2, axis=-1))[()]


def slope_error(x: ArrayLike, error: ArrayLike) -> float:
    """The standard error of `slope` where those of y are `error`."""
    moved, weight = _centred(x, error)
    return float(np.sum(weight * moved**2) ** -0.5)


def _centred(x: ArrayLike, error: ArrayLike) -> tuple[Array, Array]:
    """x about its weighted mean, and the weights."""
    places = np.asarray(x, float)
    weight = np.broadcast_to(np.asarray(error, float) ** -2.0, places.shape)
    centre = np.sum(weight * places, axis=-1, keepdims=True) / weight.sum(axis=-1, keepdims=True)
    return places - centre, weight


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """A fitted exponent with its 95 % interval, and what it was fitted to, by x, all (k,)."""

    exponent: float
    low: float
    high: float
    trials: int
    x: Array  # in increasing order
    mean: Array  # geometric, of the trials at x
    mean_low: Array
    mean_high: Array

    def at(self, x: ArrayLike) -> Array:
        """The fitted y, in the shape of x."""
        centre = np.log(self.x).mean()
        return np.exp(np.log(self.mean).mean() + self.exponent * (np.log(x) - centre))

    @property
    def misfit(self) -> float:
        """chi^2 per degree of freedom of the means about the law, which is near 1 if y is a power.

        NaN of two x, through which a law always goes.
        """
        error = np.log(self.mean_high / self.mean_low) / (2 * NORMAL_END)
        deviation = np.log(self.mean / self.at(self.x)) / error
        freedom = len(self.x) - 2
        return float(deviation @ deviation / freedom) if freedom else float("nan")


def power_law(x: ArrayLike, y: ArrayLike) -> PowerLaw:
    """The power law of trials that measured y at x, both (trials,), other trials at every x.

    The same trials give the same interval. Raises `ValueError` unless x and y are positive, of one
    shape, with two different x.
    """
    x, y = positives("x", x), positives("y", y)
    if x.ndim != 1 or x.shape != y.shape:
        raise mistake("x and y of one shape (trials,)", (x.shape, y.shape), "give one y a trial")
    places = np.unique(x)
    if len(places) < 2:
        raise mistake("two different x", places.tolist(), "measure at another x")
    rng = np.random.default_rng(0)
    logs = [np.log(y[x == place]) for place in places]
    means = np.array([_mean([values]) for values in logs])
    drawn = np.stack([resampled([values], _mean, rng, RESAMPLES) for values in logs], axis=1)
    exponent, ends = float(slope(np.log(places), means)), slope(np.log(places), drawn)
    low, high = map(float, percentiles(ends))
    mean_low, mean_high = map(np.exp, percentiles(drawn))
    return PowerLaw(exponent, low, high, len(y), places, np.exp(means), mean_low, mean_high)


def mean_exponent(x: ArrayLike, values: ArrayLike) -> Interval:
    """The exponent b of values ~ x^b, with its interval: the mean of those of the trials.

    `values` (trials, k) are of trials that were each measured at every x (k,). Raises `ValueError`
    unless there are two different x and two rows, and all is positive.
    """
    log_x, numbers = np.log(positives("x", x)), np.log(positives("values", values))
    if numbers.ndim != 2 or log_x.shape != numbers.shape[1:] or not np.ptp(log_x) > 0:
        got = (np.shape(x), np.shape(values))
        raise mistake("x (k,) and values (trials, k), k > 1", got, "give a row for every trial")
    return mean_interval(slope(log_x, numbers))


def _mean(groups: Sequence[Array]) -> Array:
    """Of the one group, over its trials (..., trials)."""
    return np.mean(groups[0], axis=-1)
