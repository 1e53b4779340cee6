"""Power laws y ~ x^b of what single trials measure, with the error that trials leave in b.

b is the least-squares slope of log y against log x, every x with the same weight. Its interval
comes from drawing the trials at every x again, with replacement: it holds no other error, as of a
law that is no power.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake

Array = NDArray[np.float64]

RESAMPLES = 4000
ENDS = 2.5, 97.5  # per cent
NORMAL_END = 1.96  # standard errors


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
    """The power law of trials that measured y at x, both (trials,).

    The same trials give the same interval. Raises `ValueError` unless x and y are positive, of one
    shape, with two different x.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise mistake("x and y of one shape (trials,)", (x.shape, y.shape), "give one y a trial")
    if not np.all((x > 0) & (y > 0) & np.isfinite(x) & np.isfinite(y)):
        raise mistake("positive x and y", "others", "leave out trials that measured nothing")
    places = np.unique(x)
    if len(places) < 2:
        raise mistake("two different x", places.tolist(), "measure at another x")
    rng = np.random.default_rng(0)
    logs = [np.log(y[x == place]) for place in places]
    means = np.array([values.mean() for values in logs])
    drawn = np.stack(
        [rng.choice(v, (RESAMPLES, len(v))).mean(axis=1) for v in logs], axis=1
    )  # (resamples, k)
    centred = np.log(places) - np.log(places).mean()
    weights = centred / np.sum(centred**2)
    low, high = np.percentile(drawn @ weights, ENDS)
    mean_low, mean_high = np.exp(np.percentile(drawn, ENDS, axis=0))
    slope = float(means @ weights)
    return PowerLaw(
        slope, float(low), float(high), len(y), places, np.exp(means), mean_low, mean_high
    )
