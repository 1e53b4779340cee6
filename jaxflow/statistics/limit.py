"""The threshold in the limit of long times, from thresholds by several times.

By the law of slowing, T = A (1 - n/N)^-z (slowing.py), a trial allowed the time t converges up to

    N(t) = N (1 - (A/t)^(1/z)),

which comes to N like a power of t. Trials differ: each has a boundary of its own, near N, so that

    P(T <= t | n) = (1 - l) F(log(n / N(t)) / w),

one curve that moves with t, F logistic. A trial is counted where it converged, up to the first of
the times, between two of them or not by the last: its likelihood is a difference of two P, and
times of one trial are not taken for independent. The interval of N holds those at which twice the
log likelihood, maximized over the others, is within 3.84 of its maximum (chi^2, 95 %).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, expm1, inf, log, log1p

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import chdtri, expit

from jaxflow.core.checks import Array, positives
from jaxflow.core.errors import mistake
from jaxflow.statistics.logistic import LAPSES, SLOPE_TIMES_WIDTH, Ends

FEWEST = 3  # times
WITHIN = float(chdtri(1, 0.05))
FURTHEST = log(10.0)  # beyond the places, in log N; an interval that goes there is open
FIRST_STEP = 0.01  # in log N, from the maximum to an end of the interval
CLOSE = 1e-4  # the last
STARTS = 0.25, 0.5, 1.0  # of 1/z
SHARE = 0.1  # of N, by which the last threshold is below it when the search begins
ABOVE = 1e-3  # of N over the last threshold at least, in logarithms, where a search begins
HUGE = 1e12
TINY = 1e-12


@dataclass(frozen=True)
class Limit:
    """N for times to infinity, with its 95 % interval, and how N(t) comes to it."""

    threshold: float  # N
    low: float
    high: float  # inf where the times tell no limit
    exponent: float  # z
    amplitude: float  # A, in the unit of the times
    width: float  # 10-90 %, in log n

    def by(self, time: ArrayLike) -> Array:
        """N(t) at each time, in its shape; 0 where t <= A."""
        t = np.maximum(np.asarray(time, float), self.amplitude)
        return np.asarray(self.threshold * (1 - (self.amplitude / t) ** (1 / self.exponent)))


def limit(
    places: ArrayLike, trials: ArrayLike, converged: ArrayLike, times: Sequence[float]
) -> Limit:
    """The limit of trials at `places` (g,), of which `converged` (g, k) did by `times` (k,).

    P falls along the places. Raises `ValueError` unless there are 3 times that increase, and
    counts that grow with time up to the trials (g,).
    """
    x, m, t = positives("places", places), np.asarray(trials, float), positives("times", times)
    told = np.asarray(converged, float)
    if len(t) < FEWEST or not np.all(np.diff(t) > 0):
        raise mistake(f"{FEWEST} times or more that increase", t.tolist(), "allow more times")
    if told.shape != (len(x), len(t)) or m.shape != x.shape:
        got = (told.shape, m.shape)
        raise mistake("converged (places, times) and trials (places,)", got, "count by both")
    cells = np.diff(told, axis=1, prepend=0.0, append=m[:, None])
    if np.any(cells < 0):
        raise mistake("counts that grow with time up to the trials", told.tolist(), "cumulate them")
    surface = _Surface(np.log(x), np.log(t / t[-1]), cells)
    best, free = surface.maximum()
    height = -surface.cost(np.array([best, *free]))
    low, high = (surface.end(best, free, height, side) for side in (-1, 1))
    share, power = surface.approach(best, free[0], free[1])
    amplitude = float(t[-1]) * share ** (1 / power)
    return Limit(exp(best), exp(low), exp(high), 1 / power, amplitude, exp(free[2]))


@dataclass(frozen=True, eq=False)
class _Surface:
    """The likelihood in log N and others: log N(t) at the last time t, the logarithm of its rate
    d log N(t) / d log t there, log w and logit(l / 0.3).

    With these, where N is far and little known, the others hardly move with it.
    """

    log_x: Array  # (g,)
    log_t: Array  # (k,) up to 0
    cells: Array  # (g, k + 1) trials that converged in each interval, and those that did not

    def approach(self, place: float, last: float, rate: float) -> tuple[float, float]:
        """(A/t)^(1/z) at the last time, and 1/z."""
        share = -expm1(last - place)
        return share, exp(rate) * (1 - share) / share

    def cost(self, theta: Array) -> float:
        """Minus the log likelihood; more than any where N(t) is not below N."""
        place, last, rate, width, lapse = theta.tolist()
        if last >= place:
            return HUGE
        share, power = self.approach(place, last, rate)
        gap = share * np.exp(np.minimum(-power * self.log_t, 700))
        log_n = place + np.log(np.maximum(1 - gap, TINY))
        lapsed = LAPSES[1] * expit(lapse)
        t = (self.log_x[:, None] - log_n) / np.exp(width)
        by = (1 - lapsed) * expit(-SLOPE_TIMES_WIDTH * t)
        chance = np.diff(by, axis=1, prepend=0.0, append=1.0)
        weak = (lapse / 10) ** 2 + ((log(power) + 1) / 3) ** 2  # where the counts do not tell
        return float(weak - np.sum(self.cells * np.log(np.maximum(chance, TINY))))

    @property
    def limits(self) -> tuple[float, float]:
        """Between which log N is looked for."""
        return float(self.log_x.min()) - FURTHEST, float(self.log_x.max()) + FURTHEST

    @property
    def bounds(self) -> tuple[Ends, ...]:
        """Of the others."""
        return self.limits, (-25.0, 3.0), (-7.0, 2.0), (-15.0, 10.0)

    def maximum(self) -> tuple[float, Array]:
        """log N and the others at the maximum."""
        happened = self.cells[:, :-1].sum(axis=1) / np.maximum(self.cells.sum(axis=1), 1)
        middle = float(self.log_x[np.argmin(np.abs(happened - 0.5))])
        starts = (
            np.array([middle - log1p(-SHARE), middle, log(power * SHARE), log(0.3), -3.0])
            for power in STARTS
        )
        tried = (_minimum(self.cost, start, (self.limits, *self.bounds)) for start in starts)
        found, _ = min(tried, key=lambda one: one[1])
        return float(found[0]), found[1:]

    def end(self, best: float, free: Array, height: float, side: int) -> float:
        """Where the likelihood maximized over the others has fallen enough, on one side."""
        furthest = side * (self.limits[side > 0] - best)
        inside, step, growth = 0.0, FIRST_STEP, 2.0
        while step > CLOSE:
            if inside + step >= furthest:
                return side * inf
            others, cost = self._at(best + side * (inside + step), free)
            if 2 * (cost + height) < WITHIN:
                inside, free = inside + step, others
            else:
                growth = 0.5  # from the first step outside on, the end is between the two
            step *= growth
        return best + side * (inside + step)

    def _at(self, place: float, start: Array) -> tuple[Array, float]:
        """The others at the maximum for one log N, and the cost there."""
        begin = np.array([min(start[0], place - ABOVE), *start[1:]])
        return _minimum(lambda v: self.cost(np.array([place, *v])), begin, self.bounds)


def _minimum(
    cost: Callable[[Array], float], start: Array, bounds: Sequence[Ends]
) -> tuple[Array, float]:
    """Where the cost is least, and how much it is there.

    The search begins a second time with a wide simplex: in a bent valley it may have shrunk early.
    """
    options = {"xatol": 1e-4, "fatol": 1e-5, "adaptive": True, "maxfev": 4000}
    found = minimize(cost, start, method="Nelder-Mead", bounds=bounds, options=options)
    found = minimize(cost, found.x, method="Nelder-Mead", bounds=bounds, options=options)
    return np.asarray(found.x, float), float(found.fun)
