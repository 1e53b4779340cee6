"""Where to run the next trials, to find the n at which P(converged) crosses one half.

Each round spreads a batch over the posterior quantiles of n50 (A. B. Watson and D. G. Pelli,
"QUEST: a Bayesian adaptive psychometric method", Perception & Psychophysics 33 (1983) 113-120,
which runs one trial at a time at one such quantile). There P(converged) is near one half, where a
trial tells most about n50, whatever the slope and the lapse.

The n proposed lie on a lattice, so that they repeat: every new range of n costs a compilation.
The lattice is a geometric ladder while the posterior is broad, and then the multiples of a power
of two. While nothing but the order of magnitude is asked for, a quarter of a batch, in pairs on
half octaves, is enough.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from jaxflow.sweep._checks import fraction, ordered, whole
from jaxflow.sweep.posterior import Posterior
from jaxflow.sweep.statistics import Tally

EXPLORING = 0.5  # relative half-width above which a round only looks for the order of magnitude
RUNGS_PER_OCTAVE = 8  # of the ladder ceil(8 * 2^(k/8))
RUNG = 2 ** (1 / RUNGS_PER_OCTAVE) - 1  # relative spacing
OUT_OF_RANGE = 0.975  # posterior mass beyond an end of the range that ends the search
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class ThresholdPlan:
    """Trials that narrow the threshold, in batches, until its 95 % interval is narrow enough.

    `low` and `high` bound the n tried; `relative_half_width` is half the width of the 95 % interval
    over the threshold. The search ends there, or when the interval is shorter than one sample,
    or when the threshold is out of the range, or after `max_trials`. Raises `ValueError` for
    values that make no plan.
    """

    low: int
    high: int
    relative_half_width: float = 0.03
    batch: int = 24
    max_trials: int = 2000

    def __post_init__(self) -> None:
        ordered(self.low, self.high)
        fraction("relative_half_width", self.relative_half_width)
        whole("batch", self.batch, least=1)
        whole("max_trials", self.max_trials, least=1)

    def ask(
        self, tallies: Sequence[Tally], round: int, in_flight: int = 0
    ) -> tuple[tuple[int, int], ...]:
        """Pairs (n, number of new trials) for this round; empty when done.

        The tallies may lag behind the rounds: each round has its own quantiles, between those of
        its neighbours, and the trials `in_flight` count towards `max_trials`.
        """
        spent = sum(tally.trials for tally in tallies) + whole("in_flight", in_flight, least=0)
        whole("round", round, least=0)
        size = min(self.batch, self.max_trials - spent)
        if size <= 0:
            return ()
        posterior = Posterior(tallies, self.low, self.high)
        if self._settled(posterior):
            return ()
        width = posterior.relative_half_width
        exploring = width > EXPLORING
        size = ceil(size / 4) if exploring else size
        offset = (round + 1) * GOLDEN % 1
        place = np.arange(size) // 2 * 2 if exploring else np.arange(size)
        wanted = posterior.quantile((place + offset) / size)
        asked = Counter(min(max(_snap(n, width), self.low), self.high) for n in wanted.tolist())
        return tuple(sorted(asked.items()))

    def _settled(self, posterior: Posterior) -> bool:
        low, high = posterior.interval()
        return (
            posterior.relative_half_width <= self.relative_half_width
            or high - low < 1
            or max(posterior.mass_at_edges) > OUT_OF_RANGE
        )


def _snap(n: float, relative_half_width: float) -> int:
    """The lattice point nearest n: a rung, or a multiple of about a quarter of the half-width."""
    if relative_half_width > RUNG:
        per_octave = 2 if relative_half_width > EXPLORING else RUNGS_PER_OCTAVE
        return ceil(8 * 2 ** (round(per_octave * log2(n / 8)) / per_octave))
    quarter = relative_half_width * n / 4
    spacing = 2 ** max(0, round(log2(quarter)))
    return int(spacing * round(n / spacing))
