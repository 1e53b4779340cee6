"""Fits of forms to thresholds: coefficients, curves and exponents with their intervals.

Intervals are percentiles of draws from the posterior of scatter.py. Simulated over a decade of x,
those of the exponent of a power cover it in 95 to 98 % of draws where thresholds scatter about it
by 3 %, in 92 to 94 % where they do by 10 %, twice the scale of the prior, and in 98 to 100 % where
they lie on it, for few slices, 4 to 10, that lie on a form are not known to do so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from jaxflow.core.checks import Array, nonnegatives, positives
from jaxflow.core.errors import mistake
from jaxflow.statistics.forms import Form
from jaxflow.statistics.resamples import Interval, percentiles
from jaxflow.statistics.scatter import (
    SCATTER,
    Nodes,
    Thresholds,
    integrated,
    log_density,
    quantiles,
)

DRAWS = 4096
STEP = 1e-3  # in log x, over which an exponent is taken


@dataclass(frozen=True, eq=False)
class Fit:
    """A form fitted to c slices: medians of its coefficients, in its order, and 95 % intervals.

    `scatter` is the median of tau, and `holds_to` what it is below with a probability of 95 %: the
    form holds to that in log N. `chi2` is of the fit without scatter.
    """

    form: Form
    coefficients: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    scatter: float
    holds_to: float
    chi2: float
    slices: int
    drawn: Array  # (draws, coefficients)

    @property
    def misfit(self) -> float:
        """chi^2 per degree of freedom; nan where there is none."""
        freedom = self.slices - len(self.coefficients)
        return self.chi2 / freedom if freedom > 0 else np.nan

    def predict(self, x: ArrayLike) -> tuple[Array, Array, Array]:
        """N at each x, in samples: (median, low, high) of its 95 % band, in the shape of x.

        It is the band of the form, without its scatter, and 0 where the form is not positive.
        """
        return _told(np.maximum(self._curves(_places(self.form, x)), 0.0))

    def exponent(self, x: ArrayLike) -> Interval:
        """d log N / d log x of the form at each x > 0, in its shape, with its 95 % band.

        Nan where not all draws are positive.
        """
        at = positives("x", x)
        below, above = (self._curves(at * np.exp(step)) for step in (-STEP / 2, STEP / 2))
        sure = np.all((below > 0) & (above > 0), axis=0)
        ratio = np.where(sure, above, np.nan) / np.where(sure, below, 1.0)
        return Interval(*_told(np.log(ratio) / STEP))

    def _curves(self, x: Array) -> Array:
        """N of every draw, (draws, ...)."""
        drawn = self.drawn.T.reshape(*self.drawn.T.shape, *(1 for _ in x.shape))
        return self.form.curve(tuple(drawn), x)


def fit(form: Form, data: Thresholds, scatter: float | None = None) -> Fit:
    """The form fitted to thresholds; if `scatter` is given, for this tau alone.

    Raises `ValueError` for fewer different x than the form has coefficients, for x <= 0 where it
    has no value there, and for errors that are not positive.
    """
    _check(form, data)
    tau = SCATTER if scatter is None else nonnegatives("scatter", [scatter])
    found = integrated(form, data, np.ones((1, len(data.x)), dtype=bool), tau)
    chi2 = np.min(np.sum((found.residual[0, :, 0] / data.error) ** 2, axis=-1))
    drawn = _drawn(form, found)
    middle, low, high = (tuple(v.tolist()) for v in _told(drawn))
    median, most = quantiles(found, (0.5, 0.95))
    return Fit(form, middle, low, high, median, most, float(chi2), len(data.x), drawn)


def left_out(form: Form, data: Thresholds) -> Array:
    """The log density (c,) of each log N by the fit to all other slices, scatter integrated.

    Errors are those of `fit`, to each of the sets of others.
    """
    kept = ~np.eye(len(data.x), dtype=bool)
    for rest in kept:
        _check(form, Thresholds(data.x[rest], data.log_threshold[rest], data.error[rest]))
    found = integrated(form, data, kept, SCATTER)
    told = log_density(form, data, found) + found.log_mass
    return np.asarray(np.logaddexp.reduce(told, axis=(1, 2)))


def _drawn(form: Form, found: Nodes) -> Array:
    """Coefficients (draws, m) of the posterior given the first set of slices."""
    node, within, *normal = _even(2 + form.anchors)
    place = np.searchsorted(np.cumsum(np.exp(found.log_mass[0]).ravel())[:-1], node)
    s, t = np.unravel_index(place, found.log_mass.shape[1:])
    root = np.linalg.cholesky(found.covariance[0, s, t])
    theta = found.mode[0, s, t] + (root @ ndtri(np.stack(normal, axis=-1))[..., None])[..., 0]
    b = found.exponent[0]
    apart = (b[-1] - b[0]) / max(len(b) - 1, 1)
    return form.named(theta, found.ends[0], b[s] + (within - 0.5) * apart)


def _even(dimensions: int) -> Array:
    """Points (dimensions, draws) that fill the unit cube evenly, always the same.

    Multiples, modulo 1, of the powers of 1/r where r^(dimensions + 1) = r + 1: in one dimension of
    the golden ratio (L. Kuipers and H. Niederreiter, "Uniform distribution of sequences", 1974).
    """
    root = 2.0
    for _ in range(60):
        root = (1 + root) ** (1 / (dimensions + 1))
    rate = root ** -np.arange(1.0, dimensions + 1)
    return np.asarray((0.5 + rate[:, None] * np.arange(1, DRAWS + 1)) % 1)


def _told(drawn: Array) -> tuple[Array, Array, Array]:
    """The median and the ends of what 95 % of the draws (draws, ...) lie between."""
    low, high = percentiles(drawn)
    return np.asarray(np.median(drawn, axis=0)), np.asarray(low), np.asarray(high)


def _places(form: Form, x: ArrayLike) -> Array:
    return positives("x", x) if form.positive else np.asarray(x, float)


def _check(form: Form, data: Thresholds) -> None:
    _places(form, data.x)
    positives("error", data.error)
    least, different = len(form.coefficients), len(np.unique(data.x))
    if different < least:
        raise mistake(f"at least {least} different x", different, "measure at more of them")
