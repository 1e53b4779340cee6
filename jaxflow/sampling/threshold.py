"""Where to run the next trials, to find the n at which P(converged) crosses one half.

The axis may be another than n; the words here are those of n.

Each round spreads a batch over the posterior quantiles of n50 (A. B. Watson and D. G. Pelli,
"QUEST: a Bayesian adaptive psychometric method", Perception & Psychophysics 33 (1983) 113-120,
which runs one trial at a time at one such quantile). There P(converged) is near one half, where a
trial tells most about n50, whatever the slope and the lapse. But there it tells nothing about the
slope, and while that is unknown the interval of n50 stays wide: so every fourth trial runs at an
end of the transition, where P(converged) is about 0.9 or 0.1 (L. L. Kontsevich and C. W. Tyler,
"Bayesian adaptive estimation of psychometric slope and threshold", Vision Research 39 (1999)
2729-2737, find such places by maximizing information).

The n proposed lie on a lattice, so that they repeat: every new range of n costs a compilation.
The lattice is a geometric ladder while the posterior is broad, and then the multiples of a power
of two. On the ladder a quarter of a batch is enough, since most of its trials end far from the
transition; while nothing but the order of magnitude is asked for it goes in pairs, on half
octaves. A guess from a neighbouring threshold bends the prior there, until the trials themselves
say where the threshold is; whether it is narrow enough never depends on a guess. At the other end
a batch is no larger than the trials still needed at the least, each telling the most that a trial
can (posterior.py), and no smaller than a quarter.

A search that ends when its interval is narrow enough ends early where chance made the slope look
steep, and covers too little there; some trials more make up for it (G. Simons, "On the cost of not
knowing the variance when making a fixed-width confidence interval for the mean", Annals of
Mathematical Statistics 39 (1968) 1946-1952). The round in flight when the interval becomes narrow
enough is these.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, exp, log2, sqrt
from typing import Literal, Self

import numpy as np

from jaxflow.core.checks import fraction, ordered, size, whole
from jaxflow.core.schema import PLAIN
from jaxflow.core.types import SIZES
from jaxflow.sampling.part import Share
from jaxflow.sampling.plan import rises
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.plane_prior import Axis, Monotone, Trend, axes_of
from jaxflow.statistics.posterior import Guess, Posterior, ThresholdPosterior

MOST_TRIALS = 10**6  # of a slice
EXPLORING = 0.5  # relative half-width above which a round only looks for the order of magnitude
RUNGS_PER_OCTAVE = 8  # of the ladder ceil(8 * 2^(k/8))
RUNG = 2 ** (1 / RUNGS_PER_OCTAVE) - 1  # relative spacing
ENDS = 4  # one trial in so many runs at an end of the transition
OUT_OF_RANGE = 0.975  # posterior mass beyond an end of the range that ends the search
NEAR = 0.2  # relative half-width up to which a threshold has a neighbourhood
MARGIN = 1.02  # beyond where trials about a located threshold are expected
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class ThresholdPlan:
    """Trials that narrow the threshold, in batches, until its 95 % interval is narrow enough.

    `low` and `high` bound the n tried; `relative_half_width` is half the width of the 95 % interval
    over the threshold. The search ends there, or when the interval is shorter than one sample,
    or when the threshold is out of the range, or after `max_trials`; a round has `batch` of them
    at most. `along` names another axis
    than n: d, p, or a parameter by its dotted name. `rising` says whether P(converged) grows along
    it, of several events by name; a study fills in what is usual of its events along a size if it
    is not said, and asks for it along a parameter.
    On the `lattice` "ladder" the places are rungs about as far apart as half the interval, a
    quarter as many as otherwise: for problems of which every size is a program of its own. Where
    axes are ranges, `max_trials` are those of the plane, and its boundary is taken to be smooth
    about a `trend`, of every axis or by name: a "power" if nothing is said, "proportional",
    "exponential" or "constant". It is `monotone` in axes that are named as "increasing" or
    "decreasing". Raises `ValueError` for values that make no plan.
    """

    low: float
    high: float
    relative_half_width: float = 0.03
    batch: int = 24
    max_trials: int = 2000
    along: str = "n"
    rising: bool | dict[str, bool] | None = None
    lattice: Literal["ladder"] | None = None
    trend: Trend | dict[str, Trend] | None = None
    monotone: dict[str, Monotone] | None = None

    def __post_init__(self) -> None:
        PLAIN.coerce(self)
        if self.along in SIZES:
            for name in ("low", "high"):
                object.__setattr__(self, name, size(name, getattr(self, name)))
        ordered(self.low, self.high)
        fraction("relative_half_width", self.relative_half_width)
        whole("batch", self.batch, least=1, most=MOST_TRIALS)
        whole("max_trials", self.max_trials, least=1, most=MOST_TRIALS)

    def of_event(self, name: str) -> Self:
        """The plan for one of several events, where these grow likelier different ways."""
        return replace(self, rising=self.rising[name]) if isinstance(self.rising, dict) else self

    @property
    def most_shares(self) -> int:
        """Into how many shares it can be split: each has a batch at least."""
        return max(1, self.max_trials // self.batch)

    def of_share(self, share: Share) -> Self:
        """The plan of one of several shares, which together narrow the threshold as asked."""
        asked = self.relative_half_width
        wider = max(asked, min(asked * sqrt(share.of), EXPLORING))
        trials = ceil(self.max_trials / share.of)
        return replace(self, relative_half_width=wider, max_trials=trials)

    @property
    def named(self) -> set[str]:
        """The axes of whose boundary something is said."""
        trends = self.trend if isinstance(self.trend, dict) else {}
        return {*trends, *(self.monotone or {})}

    def axes(self, places: Sequence[Mapping[str, float]]) -> tuple[Axis, ...]:
        """The axes along which places, coordinates by name, differ, with what is said of them."""
        return axes_of(places, self.trend, self.monotone)

    def posterior(self, tallies: Sequence[Tally], guess: Guess | None = None) -> Posterior:
        """The threshold's posterior within the range of this plan."""
        return _posterior(tuple(tallies), self.low, self.high, rises(self), guess)

    def locates(self, tallies: Sequence[Tally]) -> bool:
        """Whether the tallies say where the threshold is, within a rung of the ladder."""
        posterior = self.posterior(tallies)
        narrow = posterior.relative_half_width <= RUNG and _both_ways(tallies)
        return narrow or self._settled(posterior, tallies)

    def reach(
        self, tallies: Sequence[Tally], guess: Guess | None = None
    ) -> tuple[float, int] | None:
        """As far as the interval of the threshold, or the end of its transition."""
        posterior = self._guided(tallies, guess)
        if not tallies or posterior.relative_half_width > NEAR:
            return None
        end = max(posterior.interval()[1], posterior.median * exp(posterior.width / 2))
        return min(ceil(MARGIN * end), self.high), posterior.trials_to(self.relative_half_width)

    def ask(
        self,
        tallies: Sequence[Tally],
        round: int,
        in_flight: int = 0,
        guess: Guess | None = None,
    ) -> tuple[tuple[float, int], ...]:
        """Pairs (n, number of new trials) for this round; empty when no more are needed.

        The tallies may lag behind the rounds: each round has its own quantiles, between those of
        its neighbours, and the trials `in_flight` count towards what is needed and `max_trials`.
        """
        known = sum(tally.trials for tally in tallies)
        left = self.max_trials - known - whole("in_flight", in_flight, least=0)
        whole("round", round, least=0)
        if left <= 0:
            return ()
        posterior = self.posterior(tallies)
        if self._settled(posterior, tallies):
            return ()
        posterior = self._guided(tallies, guess)
        width = posterior.relative_half_width
        size = ceil(self.batch / 4)
        if width <= RUNG:
            needed = posterior.trials_to(self.relative_half_width) - in_flight
            size = min(max(needed, size), self.batch)
        return self.spread(posterior, min(size, left), round)

    def spread(
        self, posterior: ThresholdPosterior, trials: int, round: int
    ) -> tuple[tuple[float, int], ...]:
        """Pairs (n, number of trials) for so many trials of a round about a threshold."""
        width = posterior.relative_half_width
        snap = _snap_whole if self.along in SIZES else _snap
        snap = _snap_ladder if self.lattice else snap
        wanted = _places(posterior, trials, round)
        asked = Counter(min(max(snap(n, width), self.low), self.high) for n in wanted)
        return tuple(sorted(asked.items()))

    def _guided(self, tallies: Sequence[Tally], guess: Guess | None) -> Posterior:
        """The posterior, bent by a guess until the tallies locate the threshold by themselves."""
        posterior = self.posterior(tallies)
        if guess is None or posterior.relative_half_width <= RUNG:
            return posterior
        return self.posterior(tallies, guess)

    def _settled(self, posterior: Posterior, tallies: Sequence[Tally]) -> bool:
        """Whether the threshold is out of the range, or known as narrowly as asked.

        Trials that all end alike do not say where it is, however narrow the range that is left.
        """
        low, high = posterior.interval()
        narrow = posterior.relative_half_width <= self.relative_half_width
        within = self.along in SIZES and high - low < 1
        is_known = (narrow or within) and _both_ways(tallies)
        return is_known or max(posterior.mass_at_edges) > OUT_OF_RANGE


def _both_ways(tallies: Sequence[Tally]) -> bool:
    """Whether some trials have converged and some have not."""
    converged = sum(tally.converged for tally in tallies)
    return 0 < converged < sum(tally.trials for tally in tallies)


@lru_cache(maxsize=16)
def _posterior(
    tallies: tuple[Tally, ...], low: float, high: float, rising: bool, guess: Guess | None
) -> Posterior:
    """Asked for several times in a round, by the same tallies."""
    return Posterior(tallies, low, high, rising=rising, guess=guess)


def _places(posterior: ThresholdPosterior, size: int, round: int) -> list[float]:
    """The n at which the trials of a round tell most, before they are put on the lattice."""
    width = posterior.relative_half_width
    at_ends = 0 if width > RUNG else size // ENDS
    place = np.arange(size - at_ends)
    if width > EXPLORING:
        place = place // 2 * 2
    offset = (round + 1) * GOLDEN % 1
    places: list[float] = posterior.quantile((place + offset) / len(place)).tolist()
    ends = [posterior.median * exp(side * posterior.width / 2) for side in (-1, 1)]
    return places + [ends[(round + index) % 2] for index in range(at_ends)]


def _snap(n: float, relative_half_width: float) -> float:
    """The lattice point nearest n: a rung, or a multiple of about a quarter of the half-width."""
    if relative_half_width > RUNG:
        per_octave = 2 if relative_half_width > EXPLORING else RUNGS_PER_OCTAVE
        return float(8 * 2 ** (round(per_octave * log2(n / 8)) / per_octave))
    quarter = relative_half_width * n / 4
    spacing = 2.0 ** round(log2(quarter))
    return spacing * round(n / spacing)


def _snap_whole(n: float, relative_half_width: float) -> int:
    """The same in whole numbers."""
    if relative_half_width > RUNG:
        return ceil(_snap(n, relative_half_width))
    quarter = relative_half_width * n / 4
    spacing = 2 ** max(0, round(log2(quarter)))
    return int(spacing * round(n / spacing))


def _snap_ladder(n: float, relative_half_width: float) -> int:
    """The nearest rung: eight an octave, or so many that they are a half-width apart."""
    finer = max(0, ceil(log2(RUNG / relative_half_width)))
    per_octave = RUNGS_PER_OCTAVE * 2**finer
    return ceil(8 * 2 ** (round(per_octave * log2(n / 8)) / per_octave))
