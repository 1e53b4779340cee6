"""Power laws y ~ x^b of what single trials measure, with the error that trials leave in b.

Two designs have two intervals:

- every trial was measured at all x, as the networks of one seed at each width: what a trial has at
  one x goes with what it has at another, so each gives an exponent of its own, the least-squares
  slope of log y against log x, and these have a mean (`mean_exponent`, Student's t, good for few
  trials; it holds no other error, as of a law that is no power);
- there are other trials at every x, and as many as there happen to be: their geometric means have
  errors by the bootstrap, good from a dozen trials an x on, and are fitted as thresholds are, with
  the scatter that they have about the power beyond these errors (`power_law`, fitting.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.checks import Array, positives
from jaxflow.core.errors import mistake
from jaxflow.statistics.fitting import Fit, fit
from jaxflow.statistics.forms import POWER
from jaxflow.statistics.resamples import Interval, bootstrap, mean_interval
from jaxflow.statistics.scatter import Thresholds

RESAMPLES = 4000
NORMAL_END = 1.96  # standard errors
EXACT = 1e-6  # least error of a mean of log y


def slope(x: ArrayLike, y: ArrayLike) -> Array:
    """The least-squares slopes (...) of y (..., k) against x, (k,) or (..., k)."""
    places = np.asarray(x, float)
    moved = places - places.mean(axis=-1, keepdims=True)
    moment = np.sum(moved * np.asarray(y, float), axis=-1)
    return np.asarray(moment / np.sum(moved**2, axis=-1))[()]


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
    fit: Fit

    def at(self, x: ArrayLike) -> Array:
        """The fitted y, in the shape of x."""
        return self.fit.predict(x)[0]

    @property
    def misfit(self) -> float:
        """chi^2 per degree of freedom of the means about the law, which is near 1 if y is a power.

        NaN of two x, through which a law always goes.
        """
        return self.fit.misfit


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
    logs = [np.log(y[x == place]) for place in places]
    found = [
        bootstrap([values], lambda groups: np.mean(groups[0], axis=-1), k, RESAMPLES)
        for k, values in enumerate(logs)
    ]
    mean, low, high = (np.array(part) for part in zip(*found, strict=True))
    error = np.maximum((high - low) / (2 * NORMAL_END), EXACT)
    law = fit(POWER, Thresholds(places, mean, error))
    exponent = law.coefficients[1], law.low[1], law.high[1]
    return PowerLaw(*exponent, len(y), places, np.exp(mean), np.exp(low), np.exp(high), law)


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
