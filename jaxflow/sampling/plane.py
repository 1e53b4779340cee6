"""Where in a plane to run the next trials, to find its boundary as narrowly as asked everywhere.

The places are those of a lattice, listed values of every axis or a dyadic ladder of its range. A
coarse pass locates the thresholds at the middle of the plane, then at its ends. From then on the
next trials go where they lower the area of the band by which it is too wide most, over the root of
what they cost; without the root, many cheap trials that tell little run first, and the whole takes
no less. A place at which none has run takes compilations as well. While the band cannot become
narrow enough without another place these count little, for some will be needed. With S the
posterior covariance of log N over the lattice, m trials at a place c whose 10-90 % width is w lower
the variances to

    S_tt - S_tc^2 / (S_cc + 1/I),   I = m / (4/s^2 + S_cc/K),   s = 2 log(9)/w,

where s^2/4 is the most that one trial tells (statistics/posterior.py), and K = 1.75 what the sign
of a normal number tells of its mean, in units of its variance, where the threshold is known less
well than the transition is wide: 1/(1 - 2/pi) - 1. A batch is chosen a quarter at a time, each as
if those before had been run (A. Krause, A. Singh, C. Guestrin, "Near-optimal sensor placements in
Gaussian processes", Journal of Machine Learning Research 9 (2008) 235-284). At its place a quarter
is spread along the scanned axis as that of a single slice (threshold.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil
from typing import NamedTuple

import numpy as np

from jaxflow.core.checks import Array
from jaxflow.core.types import SIZES
from jaxflow.sampling.threshold import NEAR, OUT_OF_RANGE, ThresholdPlan
from jaxflow.statistics.boundary import BoundaryPosterior, Where
from jaxflow.statistics.logistic import SLOPE_TIMES_WIDTH
from jaxflow.statistics.plane_prior import Prior

Place = tuple[float, ...]

SIGN = 1.75
NORMAL_END = 1.96
QUARTERS = 4
MOST_OPENING = 3.0  # times what a quarter takes, that a place counts for where one is needed
EXACT = 1e-6  # of the variance, that stays where any number of trials has run


class Asked(NamedTuple):
    """So many new trials at a place, with so many n."""

    place: Place
    n: float
    trials: int


@dataclass(frozen=True)
class Lattice:
    """The places of a plane, and those at which it is looked at first."""

    values: tuple[tuple[float, ...], ...]  # of each axis, in increasing order

    @cached_property
    def places(self) -> list[Place]:
        """All of them (m, axes)."""
        return list(product(*self.values))

    @cached_property
    def first(self) -> list[Place]:
        """The middle of the plane, then the ends and middles of its axes."""
        middle = tuple(v[len(v) // 2] for v in self.values)
        coarse = product(*(sorted({v[0], v[len(v) // 2], v[-1]}) for v in self.values))
        return [middle, *(place for place in coarse if place != middle)]


@dataclass(frozen=True)
class PlanePlan:
    """Trials over a lattice until the band is as narrow as the plan of its slices asks."""

    lattice: Lattice
    slice: ThresholdPlan
    prior: Prior

    def settled(self, posterior: BoundaryPosterior) -> Where:
        """Where on the lattice (m,) the band is narrow enough, as far as it is within the range."""
        median, low, high = self._band(posterior)
        narrow: Where = (high - low) / (2 * median) <= self.slice.relative_half_width
        return narrow | (high - low < 1) if self.slice.along in SIZES else narrow

    def widest(self, posterior: BoundaryPosterior) -> float:
        """Half the width of the band over its median, where it is widest, within the range."""
        median, low, high = self._band(posterior)
        return float(((high - low) / (2 * median)).max())

    def _band(self, posterior: BoundaryPosterior) -> list[Array]:
        """Median and ends (m,) over the lattice, no farther than trials go."""
        median, *ends = posterior.band(self.lattice.places)
        return [median, *(np.clip(end, self.slice.low, self.slice.high) for end in ends)]

    def unlocated(self, posterior: BoundaryPosterior) -> list[Place]:
        """The places that the coarse pass goes to next: the middle, then all others of the first.

        None once it is done.
        """
        for places in (self.lattice.first[:1], self.lattice.first):
            if unknown := [place for place in places if not self._located(posterior, place)]:
                return unknown
        return []

    def explore(
        self, posterior: BoundaryPosterior, places: Sequence[Place], round: int
    ) -> list[Asked]:
        """Trials that locate the thresholds at places; the posterior may be bent by guesses."""
        return self._spread(posterior, dict.fromkeys(places, self._quarter), round)

    def ask(
        self,
        posterior: BoundaryPosterior,
        settled: Where,
        round: int,
        in_flight: Mapping[Place, int],
        cost: Callable[[Place, float], float],
        opening: float,
        share: int = 1,
    ) -> list[Asked]:
        """Trials of a round after the coarse pass, where not all of the band is `settled`.

        `in_flight` are the trials proposed of which nothing is known yet; `cost` is that of a trial
        at a place with so many n, `opening` what it takes more at a place where none has run. So
        many questions `share` the batch.
        """
        quarters = max(1, QUARTERS // share)
        chosen = self._chosen(posterior, settled, in_flight, cost, opening, quarters)
        return self._spread(posterior, chosen, round)

    @property
    def _quarter(self) -> int:
        return ceil(self.slice.batch / QUARTERS)

    def _located(self, posterior: BoundaryPosterior, place: Place) -> bool:
        if place not in {c.place for c in posterior.counts}:
            return False
        here = posterior.transition(place)
        return here.relative_half_width <= NEAR or max(here.mass_at_edges) > OUT_OF_RANGE

    def _chosen(
        self,
        posterior: BoundaryPosterior,
        settled: Where,
        in_flight: Mapping[Place, int],
        cost: Callable[[Place, float], float],
        opening: float,
        quarters: int,
    ) -> dict[Place, int]:
        """How many trials at which places, by the area of the band they save for their cost."""
        places, quarter = self.lattice.places, self._quarter
        found = posterior.at(places)
        medians = found.quantile(0.5)
        taken = quarter * np.array([cost(p, n) for p, n in zip(places, medians, strict=True)])
        least = 4 * (found.width / SLOPE_TIMES_WIDTH) ** 2  # variance that one trial leaves
        S = posterior.covariance(places)
        known = {*(c.place for c in posterior.counts), *in_flight}
        tried = np.array([place in known for place in places])
        for i, place in enumerate(places):
            if place in in_flight:
                S = _lowered(S, i, _noise(S, least, in_flight[place])[i])
        chosen: dict[Place, int] = {}
        for _ in range(quarters):
            needs = self._needs_another(S, tried, settled)
            opened = np.minimum(opening, MOST_OPENING * taken) if needs else opening
            noise = _noise(S, least, quarter)
            variance = np.diag(S)
            after = np.maximum(variance - S**2 / (variance + noise)[:, None], 0)
            gain = self._area(variance, settled) - self._area(after, settled)
            best = int(np.argmax(gain / np.sqrt(taken + opened * ~tried)))
            if chosen and not gain[best] > 0:
                break
            if not gain[best] > 0:  # in expectation those in flight are enough
                best = int(np.argmax(variance * ~settled * tried))
            chosen[places[best]] = chosen.get(places[best], 0) + quarter
            tried[best] = True
            S = _lowered(S, best, noise[best])
        return chosen

    def _needs_another(self, S: Array, tried: Where, settled: Where) -> bool:
        """Whether the band stays too wide however many trials run where some have."""
        known = S[np.ix_(tried, tried)] + EXACT * np.diag(np.diag(S)[tried])
        left = S - S[:, tried] @ np.linalg.solve(known, S[tried])
        return bool(self._area(np.diag(left), settled) > 0)

    def _area(self, variance: Array, settled: Where) -> Array:
        """By how much the band is too wide (...), summed over the lattice (..., m)."""
        wanted = self.slice.relative_half_width / NORMAL_END
        return np.sum(np.maximum(np.sqrt(np.maximum(variance, 0)) - wanted, 0) * ~settled, axis=-1)

    def _spread(
        self, posterior: BoundaryPosterior, chosen: Mapping[Place, int], round: int
    ) -> list[Asked]:
        return [
            Asked(place, n, trials)
            for place, count in sorted(chosen.items())
            for n, trials in self.slice.spread(posterior.transition(place), count, round)
        ]


def _noise(S: Array, least: Array, trials: int) -> Array:
    """1/I (m,): the variance of what so many trials tell at every place."""
    return (least + np.diag(S) / SIGN) / trials


def _lowered(S: Array, at: int, noise: float) -> Array:
    """The covariance once trials that leave such a noise have run at a place."""
    return S - np.outer(S[at], S[at]) / (S[at, at] + noise)
