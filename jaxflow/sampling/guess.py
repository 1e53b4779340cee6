"""Where to look for a threshold, by the times at which trials converged.

Of a trial that converged at time t where T was allowed, log(t/T) says by how much: it grows with n
and is zero at the threshold. Between two n at which its median has opposite signs the zero is
interpolated in log n; where trials at the larger one did not converge at all, it is extrapolated
from the two n below, and not beyond that one. A few trials so tell what would take many if only
whether they converged was looked at. This steers where trials are run; what is concluded rests on
outcomes alone.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, inf, log
from statistics import median

from jaxflow.statistics.posterior import Guess

LEAST_SPREAD = 0.02  # of the guess, in log n
SPREAD = 0.15  # more of it, times the distance of the two n


def guess_by_times(excesses: Mapping[float, Sequence[float]]) -> Guess | None:
    """The guess from log(t/T) of every trial by its n, inf if it did not converge; None if open.

    Along an axis where P(converged) grows, the larger n are those of smaller x.
    """
    medians = sorted((log(n), median(values)) for n, values in excesses.items())
    return _zero(medians) or _zero(medians[::-1])


def _zero(medians: Sequence[tuple[float, float]]) -> Guess | None:
    """Where the medians, in this order, first cross from below zero to above."""
    before: tuple[float, float] | None = None
    for (x, below), (y, above) in pairwise(medians):
        if below < 0 < above:
            if above < inf:
                part = below / (below - above)
            elif before is not None and before[1] < below:
                slope = (below - before[1]) / (x - before[0])
                part = min(-below / (slope * (y - x)), 1.0)
            else:
                return None
            return Guess(exp(x + part * (y - x)), LEAST_SPREAD + SPREAD * abs(y - x))
        before = (x, below)
    return None
