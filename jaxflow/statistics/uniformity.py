"""Whether numbers in [0, 1] are uniform: their counts in equal bins, and a band that holds all.

A posterior is calibrated if its mass below the truth is uniform over truths drawn from the prior
and counts drawn from the model (S. Talts, M. Betancourt, D. Simpson, A. Vehtari and A. Gelman,
"Validating Bayesian inference algorithms with simulation-based calibration", arXiv 1804.06788).

Of N uniform numbers in K equal bins, B_i ~ Binomial(N, i/K) are in the first i. The statistic is

    g = min_i 2 min(P(B_i <= b_i), P(B_i >= b_i)),

and the simultaneous band is of those b_i of which the term is more than the g that it allows
(T. Sailynoja, P.-C. Burkner and A. Vehtari, "Graphical test for discrete uniformity and its
applications in goodness-of-fit evaluation and multiple sample comparison", Statistics and
Computing 32 (2022) 32). The probability of a path b_1, ..., b_(K-1) to stay inside is exact here:
given their sum, the counts of the bins are those of K independent Poisson laws of mean N/K.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, poisson

from jaxflow.core.checks import Array, fraction, whole
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import wilson

HALVINGS = 30  # of the range of g
SLACK = 1e-9  # tails that differ by less are equal: they differ by rounding
CUT = 1e-18  # of Poisson's law, where it is taken to end


@dataclass(frozen=True, eq=False)
class Uniformity:
    """The share of numbers below each edge (K-1,) of the bins, and its simultaneous band.

    Uniform numbers are inside low..high at every edge with probability `level` at least; `p_value`
    is the probability that they come as near to the end of a pointwise band, or nearer.
    """

    edges: Array
    share: Array
    low: Array
    high: Array
    p_value: float
    level: float
    total: int

    @property
    def inside(self) -> bool:
        """Whether the share is inside the band everywhere."""
        return bool(np.all((self.low <= self.share) & (self.share <= self.high)))


def histogram(values: ArrayLike, bins: int) -> NDArray[np.intp]:
    """The counts (bins,) of values in equal bins of [0, 1]; `ValueError` for others."""
    x = np.asarray(values, float)
    if not np.all((x >= 0) & (x <= 1)):
        raise mistake("values in [0, 1]", (np.min(x), np.max(x)), "give probabilities")
    return np.bincount(np.minimum(x * bins, bins - 1).astype(int), minlength=bins)


def uniformity(counts: ArrayLike, level: float = 0.95) -> Uniformity:
    """The test of counts (K,) in equal bins of [0, 1].

    Raises `ValueError` for fewer than two bins, counts that are no whole numbers, or no count.
    """
    fraction("level", level)
    found = _checked(counts)
    total, edges = int(found.sum()), np.arange(1, len(found)) / len(found)
    below = np.cumsum(found)[:-1]
    tails = np.minimum(binom.cdf(below, total, edges), binom.sf(below - 1, total, edges))
    low, high = _band(total, len(found), level)
    p_value = 1 - _inside(total, len(found), *_bounds(total, edges, 2 * tails.min(), strict=True))
    return Uniformity(
        edges, below / total, low / total, high / total, max(p_value, 0.0), level, total
    )


def coverage(counts: ArrayLike, tail: int) -> tuple[float, float, float]:
    """The share of truths in the central interval without `tail` bins at either end.

    Of the counts (K,) of posterior masses below the truth, it is that of the interval of level
    1 - 2 tail/K; with Wilson's 95 % interval (share, low, high). Raises `ValueError` unless
    1 <= tail < K/2.
    """
    found = _checked(counts)
    whole("tail", tail, least=1, most=(len(found) - 1) // 2)
    total, held = int(found.sum()), int(found[tail:-tail].sum())
    low, high = wilson(held, total)
    return held / total, float(low), float(high)


def _checked(counts: ArrayLike) -> NDArray[np.intp]:
    found = np.asarray(counts)
    if found.ndim != 1 or len(found) < 2 or not np.all((found >= 0) & (found % 1 == 0)):
        raise mistake("whole counts of two bins or more", counts, "see `histogram`")
    if not found.sum():
        raise mistake("at least one count", 0, "simulate some studies first")
    return found.astype(np.intp)


def _band(total: int, bins: int, level: float) -> tuple[Array, Array]:
    """The narrowest band (low, high), in counts, that holds all with the probability `level`."""
    edges = np.arange(1, bins) / bins
    enough, too_many = 0.0, 1.0
    for _ in range(HALVINGS):
        g = (enough + too_many) / 2
        if _inside(total, bins, *_bounds(total, edges, g)) >= level:
            enough = g
        else:
            too_many = g
    return _bounds(total, edges, enough)


def _bounds(total: int, edges: Array, g: float, strict: bool = False) -> tuple[Array, Array]:
    """The least and the most b of which both tails are g/2 or more; more than that if `strict`."""
    tail = g / 2 * (1 + SLACK if strict else 1 - SLACK)
    low, mirrored = binom.ppf(tail, total, edges), binom.ppf(tail, total, 1 - edges)
    return low.astype(int), (total - mirrored).astype(int)


def _inside(total: int, bins: int, low: Array, high: Array) -> float:
    """The probability that low <= B_i <= high at all edges."""
    mean = total / bins
    step = poisson.pmf(np.arange(total + 1), mean)
    step = step[: np.flatnonzero(step > CUT)[-1] + 1]
    chance = np.ones(1)
    first = 0  # the count that chance[0] is of
    for least, most in zip([*low, total], [*high, total], strict=True):
        after = np.convolve(chance, step)
        chance = after[max(least - first, 0) : max(most - first + 1, 0)]
        first = max(first, int(least))
        if not len(chance):
            return 0.0
    return float(chance[0] / poisson.pmf(total, total))
