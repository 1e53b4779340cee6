"""Finite-size scaling: do transitions at several sizes L collapse onto one curve?

A collapse says that P of the event depends on x and L through one variable,

    P / (1 - l(L)) = F(t),   t = +-log(x / N(L)) / w(L),   w(L) = w0 L^-a,

with N(L) free at every size, the lapse l smooth in log L, and one F for all: logistic, unless the
counts decide for another shape (curves.py). Near N, log(x/N) = (x - N)/N, and the width exponent a
is the 1/nu of P = F((x/N - 1) L^(1/nu)) with L the size given (M. E. J. Newman and G. T. Barkema,
"Monte Carlo Methods in Statistical Physics" (1999) chapter 8). Where N grows like L, it is also
that in numbers of samples, and as these are independent it is 1/2 at most (J. T. Chayes, L. Chayes,
D. S. Fisher and T. Spencer, Phys. Rev. Lett. 57 (1986) 2999; D. B. Wilson, Random Structures &
Algorithms 21 (2002) 182).

All counts are fitted at once. Those who minimize the distance of points from a master curve (the
quality S of J. Houdayer and A. K. Hartmann, Phys. Rev. B 70 (2004) 014418, and autoScale of
O. Melchert, arXiv 0910.5403) do not need to know F; here counts are binomial and F is known well
enough, so that what S is for normal errors is a likelihood ratio: D, twice the log likelihood that
a width of its own at each of the c sizes gains over the power. It is about chi^2 with c - 2 degrees
of freedom; its mean under the power is taken from counts drawn of the fit and fitted anew, and
D (c - 2)/mean is held against chi^2 (M. S. Bartlett, Proc. R. Soc. A 160 (1937) 268). The deviance
of the counts from the collapse, whose law for few trials is no chi^2, has its place among the same
draws. They have the n and the trials that the slices have.

The interval of a is normal, of the information at the maximum, if the collapse is exact. If log w
scatters about the power with a standard deviation s besides, s is what brings D down to its mean
(R. C. Paule and J. Mandel, J. Res. Natl. Bur. Stand. 87 (1982) 377), and the wider interval is
Student's with c - 2 degrees of freedom, never narrower than the other (J. Hartung and G. Knapp,
Statistics in Medicine 20 (2001) 1771).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtrc, ndtri, stdtrit, xlogy

from jaxflow.core.checks import Array, positives, whole
from jaxflow.core.errors import mistake
from jaxflow.statistics.curves import (
    LOGISTIC,
    SHAPES,
    Bound,
    Counts,
    Curves,
    Shape,
    Sized,
    counts,
    fit,
)

FEWEST = 3  # sizes
LEVEL = 0.05  # of the test
DECIDED_BY = 4.0  # twice the log likelihood of one shape above the others
SCATTERS = 1e-3, 3.0  # between which s is looked for
NORMAL_END = float(ndtri(0.975))


@dataclass(frozen=True, eq=False)
class Collapse:
    """The collapse of c sizes, in increasing order, and its test; intervals are of 95 %.

    `p` is the probability of widths as far from a power if there is a collapse, `counts_p` that of
    counts as far from the curve. `shapes` are those of F and how far twice their log likelihood is
    below that of the best, which comes first.
    """

    size: Array  # (c,)
    threshold: Array  # (c,) N, where P/(1 - l) crosses one half
    lapse: Array  # (c,)
    own_width: Array  # (c,) 10-90 % in log x, of each size by itself
    own_error: Array  # (c,) standard errors of its logarithm
    amplitude: float  # w0
    exponent: float  # a
    interval: tuple[float, float]  # if the collapse is exact
    scatter: float  # s
    scattered_interval: tuple[float, float]
    deviance: float  # D
    p: float
    counts_p: float
    shape: Shape  # of F
    shapes: tuple[tuple[str, float], ...]
    sense: Array  # (c,) 1 where P falls along x, -1 where it rises

    @property
    def collapses(self) -> bool:
        """Whether the test leaves one curve and a power standing, at a level of 5 %."""
        return self.p > LEVEL

    @property
    def knows_shape(self) -> bool:
        """Whether the counts decide for a shape."""
        return self.shapes[1][1] > DECIDED_BY

    @property
    def own_interval(self) -> tuple[Array, Array]:
        """The ends (c,) of the intervals of the widths of each size by itself."""
        factor = np.exp(NORMAL_END * self.own_error)
        return self.own_width / factor, self.own_width * factor

    @property
    def apart(self) -> tuple[float, float]:
        """The two sizes, the smaller first, furthest below and above the power by their errors."""
        away = np.log(self.own_width / self.width(self.size)) / self.own_error
        smaller, larger = sorted(self.size[[np.argmin(away), np.argmax(away)]].tolist())
        return smaller, larger

    def width(self, size: ArrayLike) -> Array:
        """w, the 10-90 % width in log x, at each size, in its shape."""
        return np.asarray(self.amplitude * np.asarray(size, float) ** -self.exponent)

    def scaled(self, i: int, x: ArrayLike) -> Array:
        """t at each x of the i-th size, in the shape of x."""
        away = np.log(np.asarray(x, float) / self.threshold[i])
        return np.asarray(self.sense[i] * away / self.width(self.size[i]))

    def curve(self, t: ArrayLike) -> Array:
        """F in the shape of t."""
        return self.shape.at(np.asarray(t, float))[0]


def collapse(slices: Sequence[Sized], *, draws: int = 200, seed: int = 0) -> Collapse:
    """The collapse of slices at sizes x > 0 and its test, by so many draws.

    Raises `ValueError` for fewer than 3 different sizes, a size twice, and a slice whose threshold
    is out of its range.
    """
    sizes = positives("sizes", [slice[0] for slice in slices])
    if len(np.unique(sizes)) < max(FEWEST, len(sizes)):
        raise mistake(f"{FEWEST} sizes or more, each once", sizes.tolist(), "run more sizes")
    data = counts(slices)
    shapes, shape = _shapes(data)
    c, seen = len(data.size), data.converged[None]
    power, free = _power(data, shape), Bound(np.eye(c), np.zeros(c), shape)
    found, own = fit(data, power, seen), fit(data, free, seen)
    drawn = _drawn(data, found, whole("draws", draws, least=2), seed)
    again = fit(data, power, drawn, found.phi[0])
    expected = float(np.mean(2 * (fit(data, free, drawn).height - again.height)))
    deviance = max(float(2 * (own.height - found.height)[0]), 0.0)
    level, exponent = map(float, found.phi[0, c : c + 2])
    half = NORMAL_END * float(found.covariance[0, c + 1, c + 1]) ** 0.5
    scatter, wider = _scattered(data, shape, float(own.height[0]), expected)
    beyond = np.sum(_deviance(data, again, drawn) >= _deviance(data, found, seen))
    return Collapse(
        data.size,
        np.exp(found.phi[0, :c]),
        found.lapse[0],
        np.exp(own.phi[0, c : 2 * c]),
        np.sqrt(np.diag(own.covariance[0])[c : 2 * c]),
        float(np.exp(level + exponent * np.log(data.size).mean())),
        exponent,
        (exponent - half, exponent + half),
        scatter,
        (exponent - max(half, wider), exponent + max(half, wider)),
        deviance,
        float(chdtrc(c - 2, deviance * (c - 2) / expected)),
        float((1 + beyond) / (1 + draws)),
        shape,
        shapes,
        data.sense[data.start],
    )


def _power(data: Counts, shape: Shape, scatter: float = 0.0) -> Bound:
    """log w = log w0 - a log L, and at every size what scatters about it."""
    c = len(data.size)
    basis = np.stack([np.ones(c), -data.log_size], axis=1)
    if not scatter:
        return Bound(basis, np.zeros(2), shape)
    ridge = np.concatenate([np.zeros(2), np.full(c, scatter**-2)])
    return Bound(np.concatenate([basis, np.eye(c)], axis=1), ridge, shape)


def _shapes(data: Counts) -> tuple[tuple[tuple[str, float], ...], Shape]:
    """How far each shape is below the best, best first, and the one to use."""
    seen = data.converged[None]
    height = {shape: float(fit(data, _power(data, shape), seen).height[0]) for shape in SHAPES}
    order = sorted(SHAPES, key=lambda shape: -height[shape])
    below = tuple((shape.name, 2 * (height[order[0]] - height[shape])) for shape in order)
    return below, order[0] if below[1][1] > DECIDED_BY else LOGISTIC


def _drawn(data: Counts, found: Curves, draws: int, seed: int) -> Array:
    """How many trials converge (draws, k), drawn of the curves."""
    chance = np.clip(found.chance[0], 0, 1)
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(data.trials.astype(int), chance, size=(draws, len(chance)))
    return np.asarray(drawn, float)


def _scattered(data: Counts, shape: Shape, height: float, expected: float) -> tuple[float, float]:
    """s, and half the interval of a by Student's t; `height` is that of widths that are free."""
    c, seen = len(data.size), data.converged[None]

    def at(scatter: float) -> tuple[float, float]:
        """D less what is expected, and the standard error of a."""
        found = fit(data, _power(data, shape, scatter), seen)
        error = float(found.covariance[0, c + 1, c + 1]) ** 0.5
        return 2 * (height - float(found.height[0])) - expected, error

    quantile = float(stdtrit(c - 2, 0.975))
    excess, error = at(0.0)
    if excess <= 0 or at(SCATTERS[0])[0] <= 0:
        share = max(excess + expected, 0.0) / expected
        return 0.0, quantile * error * share**0.5
    scatter = SCATTERS[1]
    if at(scatter)[0] < 0:
        ends = np.log(SCATTERS)
        scatter = float(np.exp(brentq(lambda s: at(float(np.exp(s)))[0], *ends, xtol=0.01)))
    return scatter, quantile * at(scatter)[1]


def _deviance(data: Counts, found: Curves, converged: Array) -> Array:
    """Twice the log likelihood (r,) of the proportions seen above that of the curves."""
    failed = data.trials - converged
    full = xlogy(converged, converged / data.trials) + xlogy(failed, failed / data.trials)
    told = xlogy(converged, found.chance) + xlogy(failed, 1 - found.chance)
    return np.asarray(2 * np.sum(full - told, axis=1))
