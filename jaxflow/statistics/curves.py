"""Curves of several slices fitted together: Fisher scoring for binomial counts.

On slice i, c of m trials converge at x with the probability

    P = (1 - l_i) F(t),   t = +-log(x / N_i) / w_i,

F falling from 1 to 0, one half at t = 0 and nine tenths to one tenth within a length of 1 in t, so
that w_i is the 10-90 % width in log x; the sign is + where P falls along x. The lapse l_i and the
width may be bound from slice to slice: log w = B gamma and logit(l / 0.3) = C delta, linear in
coefficients. With F logistic, this is the curve of logistic.py.

What is maximized is the log likelihood with the weak prior of log w of logistic.py, a normal prior
of log N as wide as the range of the search, and log l + log(0.3 - l), shared out among the slices:
together one more trial that lapsed. So separated counts and counts without a lapse have a maximum
too. The expected information F(phi) = sum_k m/(P (1 - P)) (dP/dphi) (dP/dphi)' gives the steps and
the errors (P. McCullagh and J. A. Nelder, "Generalized Linear Models" (1989) section 2.5).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, ndtr, ndtri

from jaxflow.core.checks import Array
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.logistic import LAPSES, SLOPE_TIMES_WIDTH, WIDTH_MEDIAN, WIDTH_SPREAD
from jaxflow.statistics.posterior import Posterior

LAPSE_SPREAD = 3.0  # of the normal prior of how logit(lapse) changes with log size
ITERATIONS = 60
HALVINGS = 12
CLOSE = 1e-5  # what a step still promises, in log likelihood, when it ends
TINY = 1e-300
LONGEST = 2.0  # step in any coefficient
NARROWEST = log(1e-4)  # of log w: steps do not run away where counts are separated

Values = tuple[Array, Array, Array]


class Shape(NamedTuple):
    """F and what goes with it: at t (...) the values F, 1 - F and -dF/dt."""

    name: str
    at: Callable[[Array], Values]


def _logistic(t: Array) -> Values:
    fall, rest = expit(-SLOPE_TIMES_WIDTH * t), expit(SLOPE_TIMES_WIDTH * t)
    return fall, rest, SLOPE_TIMES_WIDTH * fall * rest


def _probit(t: Array) -> Values:
    rate = 2 * float(ndtri(0.9))
    return (
        ndtr(-rate * t),
        ndtr(rate * t),
        rate * np.exp(-((rate * t) ** 2) / 2) / np.sqrt(2 * np.pi),
    )


def _cloglog(t: Array) -> Values:
    """F = 2^(-exp(rate t)): the complementary log-log."""
    rate = log(log(10) / log(10 / 9))
    hazard = np.exp(np.clip(rate * t, -600, 600)) * log(2)
    return np.exp(-hazard), -np.expm1(-hazard), rate * hazard * np.exp(-hazard)


LOGISTIC = Shape("logistic", _logistic)
SHAPES = (LOGISTIC, Shape("probit", _probit), Shape("complementary log-log", _cloglog))


class Sized(NamedTuple):
    """A slice of some size x: its counts, and the range and sense of its search (posterior.py)."""

    x: float
    tallies: Sequence[Tally]
    low: float
    high: float
    rising: bool = False


@dataclass(frozen=True, eq=False)
class Counts:
    """The k tallies of c slices, one slice after the other."""

    size: Array  # (c,)
    start: NDArray[np.int64]  # (c,) of each slice among the tallies
    log_x: Array  # (k,)
    trials: Array  # (k,)
    converged: Array  # (k,)
    sense: Array  # (k,) 1 where P falls along x, -1 where it rises
    located: Array  # (c, 3) local parameters at which the search for the maximum begins
    reach: Array  # (c,) of log N, from low to high

    @property
    def slice(self) -> NDArray[np.int64]:
        """To which slice each tally (k,) belongs."""
        return np.repeat(np.arange(len(self.start)), np.diff([*self.start, len(self.log_x)]))

    @property
    def log_size(self) -> Array:
        """log size about its mean (c,)."""
        return np.asarray(np.log(self.size) - np.log(self.size).mean())


def counts(slices: Sequence[Sized]) -> Counts:
    """The slices with their sizes > 0 in increasing order.

    Raises `ValueError` where most of a posterior lies outside its range.
    """
    ordered = sorted((Sized(*slice) for slice in slices), key=lambda slice: slice.x)
    tallies = [merged(slice.tallies) for slice in ordered]
    located = []
    for slice in ordered:
        posterior = Posterior(slice.tallies, slice.low, slice.high, rising=slice.rising)
        if posterior.at_edge:
            remedy = "leave the slice out, or search again in another range"
            raise mistake(f"a threshold within {slice.low:g}..{slice.high:g}", slice.x, remedy)
        located.append((log(posterior.median), log(posterior.width), -3.0))
    table = np.array([(t.x, t.trials, t.converged) for group in tallies for t in group], float)
    lengths = [len(group) for group in tallies]
    return Counts(
        np.array([slice.x for slice in ordered], float),
        np.cumsum([0, *lengths[:-1]]),
        np.log(table[:, 0]),
        table[:, 1],
        table[:, 2],
        np.repeat([-1.0 if slice.rising else 1.0 for slice in ordered], lengths),
        np.array(located),
        np.array([log(slice.high / slice.low) for slice in ordered]),
    )


@dataclass(frozen=True, eq=False)
class Bound:
    """How the curves are bound: log w = `basis` gamma, with normal priors of gamma about 0.

    `basis` is (c, g), `ridge` (g,) the inverse variances of the priors.
    """

    basis: Array
    ridge: Array
    shape: Shape = LOGISTIC


@dataclass(frozen=True, eq=False)
class Curves:
    """The maximum for r sets of counts, phi = (log N (c), gamma (g), delta (2)).

    `local` (r, c, 3) are log N, log w and logit(lapse / 0.3), `covariance` (r, q, q) is that of
    phi, `height` (r,) the penalized log likelihood, `chance` (r, k) P at the tallies.
    """

    phi: Array
    local: Array
    covariance: Array
    height: Array
    chance: Array

    @property
    def lapse(self) -> Array:
        """The lapses (r, c)."""
        return np.asarray(LAPSES[1] * expit(self.local[..., 2]))


def fit(data: Counts, bound: Bound, converged: Array, start: Array | None = None) -> Curves:
    """The maximum for counts (r, k) of converged trials, from coefficients `start` (q,) on."""
    surface = _Surface(data, bound)
    phi = np.tile(surface.begin if start is None else start, (len(converged), 1))
    height = surface.height(phi, converged)
    under_way = np.arange(len(converged))
    for _ in range(ITERATIONS):
        rows, counted = phi[under_way], converged[under_way]
        gradient, information = surface.derivatives(rows, counted)
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
        promised = np.sum(gradient * step, axis=1)
        step *= np.minimum(1, LONGEST / np.maximum(np.abs(step).max(axis=1, keepdims=True), TINY))
        reached = surface.height(rows + step, counted)
        for _ in range(HALVINGS):
            worse = np.flatnonzero(~(reached >= height[under_way]))
            if not len(worse):
                break
            step[worse] /= 2
            reached[worse] = surface.height(rows[worse] + step[worse], counted[worse])
        better = reached >= height[under_way]
        phi[under_way[better]] += step[better]
        height[under_way[better]] = reached[better]
        under_way = under_way[better & (promised > CLOSE)]
        if not len(under_way):
            break
    local = surface.local(phi)
    covariance = np.asarray(np.linalg.inv(surface.derivatives(phi, converged)[1]), float)
    return Curves(phi, local, covariance, height, surface.values(local)[0])


class _Surface:
    """The penalized log likelihood of phi (r, q) and its derivatives."""

    def __init__(self, data: Counts, bound: Bound) -> None:
        self.data, self.bound = data, bound
        c, g = bound.basis.shape
        self.maps = np.zeros((c, 3, c + g + 2))
        self.maps[:, 0, :c] = np.eye(c)
        self.maps[:, 1, c : c + g] = bound.basis
        self.maps[:, 2, c + g :] = np.stack([np.ones(c), data.log_size], axis=1)
        products = np.einsum("caq,cbs->cabqs", self.maps, self.maps)
        self.products = products.reshape(9 * c, -1)  # from informations of slices to that of phi
        self.prior = np.concatenate([np.zeros(c), bound.ridge, [0.0, LAPSE_SPREAD**-2]])
        self.stiffness = np.stack([data.reach**-2, np.full(c, WIDTH_SPREAD**-2)], axis=1)
        self.centre = np.stack([data.located[:, 0], np.full(c, log(WIDTH_MEDIAN))], axis=1)

    @property
    def begin(self) -> Array:
        """Coefficients (q,) near those of the slices by themselves."""
        flat = self.maps.reshape(-1, self.maps.shape[2])
        return np.asarray(np.linalg.lstsq(flat, self.data.located.ravel())[0])

    def local(self, phi: Array) -> Array:
        """log N, log w and logit(lapse / 0.3) of every slice (r, c, 3)."""
        return np.einsum("caq,rq->rca", self.maps, phi)

    def values(self, local: Array) -> tuple[Array, Array, Array]:
        """P, 1 - P (r, k) and the derivatives of P by the local parameters (r, k, 3)."""
        place, log_width, logit = np.moveaxis(local[:, self.data.slice], 2, 0)
        inverse = np.exp(-np.maximum(log_width, NARROWEST))
        t = self.data.sense * (self.data.log_x - place) * inverse
        fall, rest, density = self.bound.shape.at(t)
        share = expit(logit)
        lapse = LAPSES[1] * share
        by_place = (1 - lapse) * density * self.data.sense * inverse
        by_width = (1 - lapse) * density * t
        by_logit = -fall * lapse * (1 - share)
        chance = np.maximum((1 - lapse) * fall, TINY)
        return chance, lapse + (1 - lapse) * rest, np.stack([by_place, by_width, by_logit], axis=2)

    def height(self, phi: Array, converged: Array) -> Array:
        """The penalized log likelihood (r,)."""
        local = self.local(phi)
        chance, others, _ = self.values(local)
        failed = self.data.trials - converged
        likelihood = np.sum(converged * np.log(chance) + failed * np.log(others), axis=1)
        away = np.sum(self.stiffness * (local[..., :2] - self.centre) ** 2, axis=(1, 2))
        lapsed = np.sum(log_expit(local[..., 2]) + log_expit(-local[..., 2]), axis=1)
        weighted = away + phi**2 @ self.prior
        return np.asarray(likelihood + lapsed / len(self.data.size) - weighted / 2)

    def derivatives(self, phi: Array, converged: Array) -> tuple[Array, Array]:
        """The gradient (r, q) and the expected information (r, q, q)."""
        local = self.local(phi)
        chance, others, slopes = self.values(local)
        failed = self.data.trials - converged
        pull = (converged / chance - failed / others)[..., None] * slopes
        leaning = slopes * np.sqrt(self.data.trials / (chance * others))[..., None]
        square = leaning[..., :, None] * leaning[..., None, :]
        gradient = np.add.reduceat(pull, self.data.start, axis=1)
        information = np.add.reduceat(square, self.data.start, axis=1)
        gradient[..., :2] -= self.stiffness * (local[..., :2] - self.centre)
        information[..., [0, 1], [0, 1]] += self.stiffness
        share = expit(local[..., 2])
        gradient[..., 2] += (1 - 2 * share) / len(self.data.size)
        information[..., 2, 2] += 2 * share * (1 - share) / len(self.data.size)
        count, q = phi.shape
        bent = (information.reshape(count, -1) @ self.products).reshape(count, q, q)
        whole = np.einsum("caq,rca->rq", self.maps, gradient) - self.prior * phi
        return whole, bent + np.diag(self.prior)
