"""Counts of converged trials, and their intervals.

Wilson's score interval for c of m converged trials, with z the normal quantile of the level:

    (c + z^2/2)/(m + z^2)  +-  z/(m + z^2) sqrt(c (m - c)/m + z^2/4)

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
the American Statistical Association 22 (1927) 209-212.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from jaxflow.core.checks import Array, fraction, positive, whole
from jaxflow.core.errors import mistake


@dataclass(frozen=True, order=True)
class Tally:
    """How many of the trials at x converged: at n samples, unless another axis is scanned.

    Raises `ValueError` unless x > 0 and 0 <= converged <= trials.
    """

    x: float
    converged: int
    trials: int

    def __post_init__(self) -> None:
        positive("x", self.x)
        whole("trials", self.trials, least=0)
        whole("converged", self.converged, least=0)
        if self.converged > self.trials:
            raise mistake(
                f"converged <= trials = {self.trials}", self.converged, "count each trial once"
            )


def merged(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    """One tally for each x that has trials, in increasing order of x."""
    counts: dict[float, tuple[int, int]] = {}
    for tally in tallies:
        converged, trials = counts.get(tally.x, (0, 0))
        counts[tally.x] = converged + tally.converged, trials + tally.trials
    return tuple(Tally(x, *count) for x, count in sorted(counts.items()) if count[1])


def wilson(converged: ArrayLike, trials: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Wilson's score interval (low, high) for a proportion; no trials give (0, 1).

    `converged` and `trials` broadcast; both ends have the broadcast shape. Raises `ValueError`
    unless 0 <= converged <= trials and 0 < level < 1. Source: Wilson (1927), module docstring.
    """
    fraction("level", level)
    c, m = np.broadcast_arrays(np.asarray(converged, float), np.asarray(trials, float))
    if not np.all((c >= 0) & (c <= m) & np.isfinite(m)):
        raise mistake("0 <= converged <= trials", (converged, trials), "count each trial once")
    z = ndtri(0.5 + level / 2)
    centre = (c + z**2 / 2) / (m + z**2)
    half = z / (m + z**2) * np.sqrt(c * (m - c) / np.maximum(m, 1) + z**2 / 4)
    low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
    return np.where(c == 0, 0.0, low), np.where(c == m, 1.0, high)
