"""The posterior of a whole boundary, given counts at any places of its plane.

Found by expectation propagation (propagation.py) from the prior of plane_prior.py: log n50 at any
place is a mixture of normals, one for each kernel, weighted by evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from jaxflow.core.checks import Array, fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.logistic import Guess, log_chances
from jaxflow.statistics.plane_prior import Prior, root_lapse
from jaxflow.statistics.posterior import ThresholdPosterior
from jaxflow.statistics.propagation import FLAT, NUMBERS, Likelihood, Sites, settled
from jaxflow.statistics.resamples import Interval

BISECTIONS = 50
NODES = 15  # of log n50, of one mass each
NORMAL_NODES, NORMAL_WEIGHTS = np.sqrt(3) * np.array([-1, 0, 1]), np.array([1, 4, 1]) / 6
LEAST_GAIN = 1e-6  # relative
STEP = 0.01  # of an axis, to either side, over which an exponent is taken


class Counts(NamedTuple):
    """What was counted at a place of the plane, its coordinates in the order of the axes."""

    place: tuple[float, ...]
    tallies: Sequence[Tally]


@final
class BoundaryPosterior:
    """The threshold, width and lapse of transitions anywhere in a plane, given counts at places.

    `rising` says that P grows along the scanned axis. Every place is given once. `guesses` from
    elsewhere are taken for normal of the log threshold, to choose where trials run, never to
    conclude from. From the sites of an earlier posterior, `start`, fewer sweeps lead to the same.
    """

    def __init__(
        self,
        counts: Sequence[Counts],
        prior: Prior,
        *,
        rising: bool = False,
        guesses: Mapping[tuple[float, ...], Guess] | None = None,
        start: "BoundaryPosterior | None" = None,
    ) -> None:
        if len({c.place for c in counts}) < len(counts):
            raise mistake("every place once", [c.place for c in counts], "merge their counts")
        self.prior, self.rising = prior, rising
        self.counts = tuple(Counts(c.place, merged(c.tallies)) for c in counts)
        known = [(guesses or {}).get(c.place) for c in self.counts]
        likelihood = Likelihood([c.tallies for c in self.counts], rising, known)
        v = prior.scaled([c.place for c in counts])
        self._joint = settled(prior, v, likelihood, self._begun(start))

    def at(self, places: ArrayLike) -> "Marginals":
        """What is known of the transitions at places (m, axes)."""
        joint = self._joint
        threshold, width, lapse = joint.marginals(self.prior.scaled(places))
        return Marginals(self.prior, self.rising, joint.weights, *threshold, *width, *lapse)

    def transition(self, place: Sequence[float]) -> "Transition":
        """What is known of the transition at one place."""
        return Transition(self.at([place]))

    def band(self, places: ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
        """The boundary at places (m, axes): its median, and the ends of its pointwise band."""
        tail = (1 - fraction("level", level)) / 2
        median, low, high = self.at(places).quantile([0.5, tail, 1 - tail])
        return median, low, high

    def exponent(self, places: ArrayLike, axis: int = 0, level: float = 0.95) -> Interval:
        """d log N / d log x along an axis at places (m, axes), with its interval, all (m,).

        Along an axis that is not logarithmic, d log N / d x.
        """
        tail = (1 - fraction("level", level)) / 2
        v = self.prior.scaled(places)
        step = np.zeros(len(self.prior.axes))
        step[axis] = STEP
        mean, cov = self._joint.threshold(np.concatenate([v - step, v + step]))
        below, above = np.split(np.arange(2 * len(v)), 2)
        var = cov[:, above, above] + cov[:, below, below] - 2 * cov[:, above, below]
        unit = 2 * STEP * self.prior.axes[axis].extent
        slope, sd = (mean[:, above] - mean[:, below]) / unit, np.sqrt(np.maximum(var, 0)) / unit
        wanted = np.array([0.5, tail, 1 - tail])
        return Interval(*_quantile_of_mixture(self._joint.weights, slope, sd, wanted))

    def covariance(self, places: ArrayLike) -> Array:
        """Of log n50 at places (m, axes), (m, m)."""
        v = self.prior.scaled(places)
        joint = self._joint
        mean, cov = joint.threshold(v)
        moved = mean - joint.weights @ mean
        between = np.einsum("h,hi,hj->ij", joint.weights, moved, moved)
        return np.asarray(np.einsum("h,hij->ij", joint.weights, cov) + between)

    @property
    def left_out(self) -> Array:
        """How far (k,) log n50 at every place is from what all others say, in standard errors.

        About normal of unit variance, if the boundary is as smooth as the prior takes it for. 0
        where the counts of a place say nothing of it.
        """
        (mean, cov), (rest_mean, rest) = self._joint.moments, self._joint.rest
        gain = rest[:, 0, 0] - cov[:, 0, 0]
        tells = gain > LEAST_GAIN * rest[:, 0, 0]
        moved = mean[:, 0] - rest_mean[:, 0]
        return np.where(tells, moved / np.sqrt(np.where(tells, gain, 1.0)), 0.0)

    def predictive(self, draws: int = 400, seed: int = 0) -> float:
        """How often counts drawn from the posterior are as far from it as those that were made.

        The posterior predictive p-value of chi^2 (A. Gelman, X.-L. Meng, H. Stern, Statistica
        Sinica 6 (1996) 733-807), which is small where no such boundary, or no curve of this kind,
        makes the counts. NaN without counts.
        """
        rng = np.random.default_rng(seed)
        made, drawn = np.zeros(draws), np.zeros(draws)
        told = [c for c in self.counts if c.tallies]
        for place, tallies in told:
            x, good, trials = np.array([(t.x, t.converged, t.trials) for t in tallies]).T
            chance = self.transition(place).draw(x, draws, rng)
            scale = np.sqrt(np.maximum(trials * chance * (1 - chance), LEAST_GAIN))
            made += np.sum(((good - trials * chance) / scale) ** 2, axis=1)
            again = rng.binomial(trials.astype(int), chance)
            drawn += np.sum(((again - trials * chance) / scale) ** 2, axis=1)
        return float(np.mean(drawn >= made)) if told else np.nan

    def _begun(self, start: "BoundaryPosterior | None") -> Sites:
        """Flat sites, or those that were there."""
        k = len(self.counts)
        precision = np.tile(FLAT * np.eye(NUMBERS), (k, 1, 1))
        shift = np.tile(FLAT * self.prior.mean, (k, 1))
        known = {c.place: i for i, c in enumerate(start.counts)} if start else {}
        for i, c in enumerate(self.counts):
            if start and c.place in known:
                precision[i] = start._joint.sites.precision[known[c.place]]
                shift[i] = start._joint.sites.shift[known[c.place]]
        return Sites(precision, shift)


@dataclass(frozen=True, eq=False)
class Marginals:
    """Transitions at m places: log n50 is a mixture of normals, one for each of h kernels.

    Log width and the quantile of the lapse are taken for normal, and for independent of it.
    """

    prior: Prior
    rising: bool
    weights: Array  # (h,)
    mean: Array  # of log n50 (h, m)
    sd: Array
    log_width: Array  # (m,), mean and standard deviation
    log_width_sd: Array
    lapse_quantile: Array  # (m,)
    lapse_quantile_sd: Array

    def quantile(self, q: ArrayLike) -> Array:
        """The n50 (..., m) below which posterior mass q (...) lies at each place."""
        found = _quantile_of_mixture(self.weights, self.mean, self.sd, np.asarray(q, float))
        return np.exp(found)

    def mass_below(self, n: float) -> Array:
        """The probability (m,) that n50 < n at each place."""
        location = np.full(self.mean.shape[1], np.log(n))
        return _mass_of_mixture(self.weights, self.mean, self.sd, location)

    @property
    def width(self) -> Array:
        """The 10-90 % widths (m,) of the transitions in log n: their geometric means."""
        return np.exp(self.log_width)

    def chance(self, n: ArrayLike) -> Array:
        """P(event) (m, q) at each place and each of n (q,), averaged over the posterior."""
        weights, chances = self.chances(n)
        return np.asarray(np.einsum("s,smq->mq", weights, chances))

    def chances(self, n: ArrayLike) -> tuple[Array, Array]:
        """Weights (s,) and P(event) (s, m, q) at nodes of n50, width and lapse."""
        location = np.log(self.quantile((np.arange(NODES) + 0.5) / NODES))
        width = self.log_width + NORMAL_NODES[:, None] * self.log_width_sd
        lapse = self.lapse_quantile + NORMAL_NODES[:, None] * self.lapse_quantile_sd
        shape = (NODES, len(width), len(lapse), len(self.log_width))
        weights = NORMAL_WEIGHTS[:, None] * NORMAL_WEIGHTS / NODES
        nodes = (location[:, None, None], width[:, None], lapse)
        f, g, h = (np.broadcast_to(x, shape).reshape(-1, shape[-1], 1) for x in nodes)
        chances = self._chance(np.asarray(n, float), f, g, h)
        return np.broadcast_to(weights, shape[:3]).ravel(), chances

    def _chance(self, n: Array, location: Array, width: Array, lapse: Array) -> Array:
        log_chance, _ = log_chances(
            np.log(n), location, width, root_lapse(lapse), rising=self.rising
        )
        return np.exp(log_chance)


@final
@dataclass(frozen=True)
class Transition(ThresholdPosterior):
    """The transition at one place of a plane, by the counts of all places."""

    marginals: Marginals  # of that place alone

    @property
    def low(self) -> float:
        """The smallest n at which the threshold is expected."""
        return self.marginals.prior.low

    @property
    def high(self) -> float:
        """The largest one."""
        return self.marginals.prior.high

    def quantile(self, q: ArrayLike) -> Array:
        """The n50 below which posterior mass q lies, in the shape of q."""
        return self.marginals.quantile(q)[..., 0]

    def mass_below(self, n: float) -> float:
        """The probability that n50 < n."""
        return float(self.marginals.mass_below(n)[0])

    @property
    def width(self) -> float:
        """The 10-90 % width of the transition in log n: its geometric mean."""
        return float(self.marginals.width[0])

    def width_interval(self, level: float = 0.95) -> tuple[float, float]:
        """The equal-tailed credible interval of the 10-90 % width in log n."""
        half = ndtri(0.5 + fraction("level", level) / 2) * self.marginals.log_width_sd[0]
        return self.width * float(np.exp(-half)), self.width * float(np.exp(half))

    def curve(self, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
        """P(event) at each n: (mean, low, high) of its equal-tailed band, in the shape of n."""
        tail = (1 - fraction("level", level)) / 2
        points = np.asarray(n, float)
        if not np.all(points > 0):
            raise mistake("n > 0", n, "ask for the curve at positive n")
        weights, chances = self.marginals.chances(points.ravel())
        order = np.argsort(chances[:, 0], axis=0)
        sorted_chances = np.take_along_axis(chances[:, 0], order, axis=0)
        mass = np.cumsum(weights[order], axis=0) - weights[order] / 2
        ends = [
            [np.interp(q, m, c) for m, c in zip(mass.T, sorted_chances.T, strict=True)]
            for q in (tail, 1 - tail)
        ]
        mean = weights @ chances[:, 0]
        low, high = (np.array(end).reshape(points.shape) for end in ends)
        return mean.reshape(points.shape), low, high

    def draw(self, n: ArrayLike, draws: int, rng: np.random.Generator) -> Array:
        """P(event) (draws, q) at n (q,), of transitions drawn from the posterior."""
        found = self.marginals
        kernel = rng.choice(len(found.weights), size=draws, p=found.weights)
        location = rng.normal(found.mean[kernel, 0], found.sd[kernel, 0])
        width = rng.normal(found.log_width[0], found.log_width_sd[0], draws)
        lapse = rng.normal(found.lapse_quantile[0], found.lapse_quantile_sd[0], draws)
        drawn = (x[:, None] for x in (location, width, lapse))
        return found._chance(np.asarray(n, float), *drawn)


def _quantile_of_mixture(weights: Array, mean: Array, sd: Array, q: Array) -> Array:
    """Quantiles q (...) of m mixtures of h normals, means and deviations (h, m): (..., m)."""
    wanted = q[..., None]
    ends = (mean - 9 * sd).min(0), (mean + 9 * sd).max(0)
    low, high = (np.broadcast_to(end, np.broadcast(wanted, end).shape) for end in ends)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = _mass_of_mixture(weights, mean, sd, middle) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def _mass_of_mixture(weights: Array, mean: Array, sd: Array, x: Array) -> Array:
    """The mass of the mixtures below x (..., m)."""
    z = (x[..., None, :] - mean) / np.maximum(sd, 1e-12)
    return np.asarray(np.einsum("h,...hm->...m", weights, ndtr(z)))
