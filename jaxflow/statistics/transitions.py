"""What is known of the transitions at places of a plane, by the posterior of its boundary."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from jaxflow.core.checks import Array, fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics.logistic import log_chances
from jaxflow.statistics.plane_prior import Prior, root_lapse
from jaxflow.statistics.posterior import ThresholdPosterior

BISECTIONS = 50
NODES = 15  # of log n50, of one mass each
NORMAL_NODES, NORMAL_WEIGHTS = np.sqrt(3) * np.array([-1, 0, 1]), np.array([1, 4, 1]) / 6


@dataclass(frozen=True, eq=False)
class Marginals:
    """Transitions at m places: log n50 is a mixture of normals, one for each of h kernels.

    It is within bounds, if the boundary is monotone: mass beyond is taken to be there. Log width
    and the quantile of the lapse are taken for normal, and for independent of it.
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
    bounds: Array  # (2, m), of log n50

    def quantile(self, q: ArrayLike) -> Array:
        """The n50 (..., m) below which posterior mass q (...) lies at each place."""
        found = quantile_of_mixture(self.weights, self.mean, self.sd, np.asarray(q, float))
        return np.exp(np.clip(found, *self.bounds))

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
        location = np.clip(rng.normal(found.mean[kernel, 0], found.sd[kernel, 0]), *found.bounds)
        width = rng.normal(found.log_width[0], found.log_width_sd[0], draws)
        lapse = rng.normal(found.lapse_quantile[0], found.lapse_quantile_sd[0], draws)
        drawn = (x[:, None] for x in (location, width, lapse))
        return found._chance(np.asarray(n, float), *drawn)


def quantile_of_mixture(weights: Array, mean: Array, sd: Array, q: Array) -> Array:
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
