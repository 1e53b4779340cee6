"""The posterior of a whole boundary, given counts at any places of its plane.

Found by expectation propagation (propagation.py) from the prior of plane_prior.py: log n50 at any
place is a mixture of normals, one for each kernel, weighted by evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from jaxflow.core.checks import Array, fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.logistic import Guess
from jaxflow.statistics.plane_prior import Prior
from jaxflow.statistics.propagation import FLAT, NUMBERS, Likelihood, Sites, settled

BISECTIONS = 50


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
        self._v = prior.scaled([c.place for c in counts])
        known = [(guesses or {}).get(c.place) for c in self.counts]
        self._likelihood = Likelihood([c.tallies for c in self.counts], rising, known)
        self._joint = settled(prior, self._v, self._likelihood, self._begun(start))

    def at(self, places: ArrayLike) -> "Marginals":
        """What is known of the transitions at places (m, axes)."""
        return self._marginals(self.prior.scaled(places))

    def transition(self, place: Sequence[float]) -> "Transition":
        """What is known of the transition at one place."""
        return Transition(self.at([place]))

    def band(self, places: ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
        """The boundary at places (m, axes): its median, and the ends of its pointwise band."""
        tail = (1 - fraction("level", level)) / 2
        median, low, high = self.at(places).quantile([0.5, tail, 1 - tail])
        return median, low, high

    def covariance(self, places: ArrayLike) -> Array:
        """Of log n50 at places (m, axes), (m, m)."""
        v = self.prior.scaled(places)
        joint = self._joint
        mean, cov = joint.threshold(v)
        moved = mean - joint.weights @ mean
        between = np.einsum("h,hi,hj->ij", joint.weights, moved, moved)
        return np.asarray(np.einsum("h,hij->ij", joint.weights, cov) + between)

    def _marginals(self, v: Array) -> "Marginals":
        joint = self._joint
        mean, cov = joint.threshold(v)
        sd = np.sqrt(np.maximum(np.einsum("hii->hi", cov), 0))
        return Marginals(joint.weights, mean, sd, *joint.others(v), self.rising)

    def _begun(self, start: "BoundaryPosterior | None") -> Sites:
        """Flat sites, or those that were there."""
        k = len(self.counts)
        precision, shift = np.tile(FLAT * np.eye(NUMBERS), (k, 1, 1)), np.zeros((k, NUMBERS))
        known = {c.place: i for i, c in enumerate(start.counts)} if start else {}
        for i, c in enumerate(self.counts):
            if start and c.place in known:
                precision[i] = start._joint.sites.precision[known[c.place]]
                shift[i] = start._joint.sites.shift[known[c.place]]
        return Sites(precision, shift)


@dataclass(frozen=True, eq=False)
class Marginals:
    """Transitions at m places: log n50 is a mixture of normals, one for each of h kernels."""

    weights: Array  # (h,)
    mean: Array  # of log n50 (h, m)
    sd: Array
    log_width: Array  # (m,), mean and standard deviation
    log_width_sd: Array
    lapse_quantile: Array  # (m,)
    lapse_quantile_sd: Array
    rising: bool

    def quantile(self, q: ArrayLike) -> Array:
        """The n50 (..., m) below which posterior mass q (...) lies at each place."""
        wanted = np.asarray(q, float)[..., None]
        low, high = (self.mean - 9 * self.sd).min(0), (self.mean + 9 * self.sd).max(0)
        low, high = (np.broadcast_to(end, np.broadcast(wanted, end).shape) for end in (low, high))
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = self._mass_below(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray(np.exp((low + high) / 2))

    def mass_below(self, n: float) -> Array:
        """The probability (m,) that n50 < n at each place."""
        return self._mass_below(np.full(self.mean.shape[1], np.log(n)))

    def _mass_below(self, location: Array) -> Array:
        z = (location[..., None, :] - self.mean) / np.maximum(self.sd, 1e-12)
        return np.asarray(np.einsum("h,...hm->...m", self.weights, ndtr(z)))

    @property
    def width(self) -> Array:
        """The 10-90 % widths (m,) of the transitions in log n: their geometric means."""
        return np.exp(self.log_width)


@dataclass(frozen=True)
class Transition:
    """The transition at one place of a plane, as `posterior.Posterior` tells of one slice."""

    marginals: Marginals

    def quantile(self, q: ArrayLike) -> Array:
        """The n50 below which posterior mass q lies, in the shape of q."""
        return self.marginals.quantile(q)[..., 0]

    def mass_below(self, n: float) -> float:
        """The probability that n50 < n."""
        return float(self.marginals.mass_below(n)[0])

    @cached_property
    def median(self) -> float:
        """The threshold n50."""
        return float(self.quantile(0.5))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The equal-tailed credible interval of n50."""
        tail = (1 - fraction("level", level)) / 2
        low, high = self.quantile([tail, 1 - tail])
        return float(low), float(high)

    @cached_property
    def relative_half_width(self) -> float:
        """Half the width of the 95 % interval over the median."""
        low, high = self.interval()
        return (high - low) / (2 * self.median)

    @property
    def width(self) -> float:
        """The 10-90 % width of the transition in log n: its geometric mean."""
        return float(self.marginals.width[0])
