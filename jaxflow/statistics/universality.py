"""Is the boundary of two ensembles the same? Differences of thresholds over k places.

At place i an ensemble has the threshold N_i with standard error e_i of its logarithm, by the 95 %
interval of its posterior, and the first ensemble has N_0i with e_0i. Their difference and score,

    D_i = log(N_i / N_0i),   s_i^2 = e_i^2 + e_0i^2,   Z_i = D_i / s_i,

are, if the boundaries are the same, normal around 0 and standard normal: for ensembles whose trials
are independent. The sum of Z_i^2 is then chi^2 with k degrees of freedom. It has two parts, which
are independent: that of the common difference, by weights 1/s_i^2, and that of the scatter around
it. Each is tested, at half the level: so many places do not drown a shift that all share, and a
mean of 0 does not hide differences of either sign.

The intrinsic scatter is the standard deviation of the true differences, by what D_i scatter beyond
their errors: R. DerSimonian and N. Laird, "Meta-analysis in clinical trials", Controlled Clinical
Trials 7 (1986) 177-188. Where it is found, the interval of the common difference allows for it and
is Student's of k - 1 degrees of freedom; else it is that of the mean over these places.

D. L. Donoho and J. Tanner, "Observed universality of phase transitions in high-dimensional
geometry, with implications for modern data analysis and signal processing", Philosophical
Transactions of the Royal Society A 367 (2009) 4273-4293, hold ensembles of matrices against the
Gaussian one by scores, and find their mean to fall with the size L about as L^(-1/2): universality
in the limit, and not at finite size. So a trend is fitted where sizes differ,

    D(L) = D_inf + c L^(-1/2).

Their scores are of the proportions at the same n in both ensembles. Ours are of thresholds, which
take all counts, at the same n or not: a search runs most of its trials where the other did not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from jaxflow.core.checks import Array, positives
from jaxflow.core.errors import mistake
from jaxflow.statistics.posterior import Posterior
from jaxflow.statistics.resamples import Interval

Kind: TypeAlias = Literal["same", "open", "different", "scatters", "shrinks", "grows"]

LEVEL = 0.05
BOUND = 0.05  # of N / N_0 - 1, beyond which trials are too few to call boundaries the same
NORMAL_END = 1.96  # standard errors
FEWEST = 8  # scores whose distribution is tested


@dataclass(frozen=True)
class Common:
    """The common difference of log N with its 95 % interval, and the scatter around it.

    `p` and `p_scatter` are the chances of as large a difference, and of as much scatter, where
    there is none; of one place the latter is 1.
    """

    value: float
    low: float
    high: float
    scatter: float  # intrinsic, of log N
    p: float
    p_scatter: float


@dataclass(frozen=True)
class Trend:
    """D(L) = limit + coefficient L^(-1/2), with the error that the errors of D leave.

    Where the scatter around it is more than they say, they are enlarged to it. `p` is the chance of
    as large a coefficient where there is no trend.
    """

    limit: float
    coefficient: float
    error: float  # of the coefficient
    p: float
    centre: float  # of L^(-1/2), where the fit is independent of its coefficient
    centre_error: float
    sizes: tuple[float, float]  # from the smallest to the largest

    def at(self, size: ArrayLike) -> Interval:
        """The difference of log N at sizes, with its 95 % interval, in the shape of `size`.

        At infinity it is the limit.
        """
        x = positives("size", np.minimum(size, np.finfo(float).max)) ** -0.5
        value = self.limit + self.coefficient * x
        half = NORMAL_END * np.hypot(self.centre_error, (x - self.centre) * self.error)
        return Interval(value, value - half, value + half)


@dataclass(frozen=True, eq=False)
class Differences:
    """Thresholds of an ensemble beside those of the first, at places of some size: all (k,).

    Raises `ValueError` unless there is a place, sizes and errors are positive, and shapes are one.
    """

    size: Array
    value: Array  # log(N / N_0)
    error: Array  # its standard error

    def __post_init__(self) -> None:
        positives("size", self.size)
        positives("error", self.error)
        shapes = {np.shape(part) for part in (self.size, self.value, self.error)}
        if len(shapes) > 1 or not np.ndim(self.value) == 1 <= len(self.value):
            remedy = "give a size, a difference and its error for every place"
            raise mistake("arrays of one shape (k,), k >= 1", sorted(shapes), remedy)

    @property
    def z(self) -> Array:
        """The scores (k,)."""
        return self.value / self.error

    @property
    def p_all(self) -> float:
        """The chance of a sum of Z^2 as large where the boundaries are the same."""
        return float(stats.chi2.sf(self.z @ self.z, len(self.z)))

    @property
    def p_normal(self) -> float:
        """That of scores as far from standard normal ones (Kolmogorov-Smirnov); nan of few."""
        if len(self.z) < FEWEST:
            return float("nan")
        return float(stats.kstest(self.z, "norm").pvalue)

    @property
    def p(self) -> float:
        """The chance of a common difference or a scatter as unlikely, where there are neither."""
        found = self.common
        return min(1.0, 2 * min(found.p, found.p_scatter)) if len(self.z) > 1 else found.p

    @cached_property
    def common(self) -> Common:
        """The common difference."""
        freedom, exact = len(self.z) - 1, self.error**-2.0
        centre = exact @ self.value / exact.sum()
        p = 2 * stats.norm.sf(abs(centre) * exact.sum() ** 0.5)
        q = exact @ (self.value - centre) ** 2
        p_scatter = stats.chi2.sf(q, freedom) if freedom else 1.0
        kept = exact.sum() - exact @ exact / exact.sum()
        variance = max(0.0, (q - freedom) / kept) if freedom else 0.0
        is_found = p_scatter < LEVEL / 2
        weight = 1 / (self.error**2 + variance * is_found)
        value = weight @ self.value / weight.sum()
        ends = stats.t(freedom) if is_found else stats.norm()
        half = ends.ppf(1 - LEVEL / 2) * weight.sum() ** -0.5
        numbers = (value, value - half, value + half, variance**0.5, p, p_scatter)
        return Common(*map(float, numbers))

    @cached_property
    def trend(self) -> Trend | None:
        """How the difference goes with size; None unless sizes differ."""
        x, weight = self.size**-0.5, self.error**-2.0
        if len(np.unique(self.size)) < 2:
            return None
        centre, middle = (float(weight @ v / weight.sum()) for v in (x, self.value))
        moved = x - centre
        coefficient = float(weight @ (moved * self.value) / (weight @ moved**2))
        misfit = (self.value - middle - coefficient * moved) / self.error
        excess = max(1.0, float(misfit @ misfit) / max(len(x) - 2, 1)) ** 0.5
        error = excess * float(weight @ moved**2) ** -0.5
        return Trend(
            middle - coefficient * centre,
            coefficient,
            error,
            float(2 * stats.norm.sf(abs(coefficient) / error)),
            centre,
            excess * float(weight.sum()) ** -0.5,
            (float(self.size.min()), float(self.size.max())),
        )


def differences(
    size: ArrayLike, first: Sequence[Posterior], other: Sequence[Posterior]
) -> Differences:
    """Those of the thresholds of two ensembles, by their posteriors at the same k places.

    `size` is (k,). Raises `ValueError` unless there is one of each for every place.
    """
    if not len(first) == len(other) == np.size(size) > 0:
        got = (np.size(size), len(first), len(other))
        raise mistake("a size and two posteriors a place", got, "match the places first")
    (log_first, error_first), (log_other, error_other) = map(_logs, (first, other))
    error = np.hypot(error_first, error_other)
    return Differences(np.asarray(size, float), log_other - log_first, error)


def _logs(found: Sequence[Posterior]) -> tuple[Array, Array]:
    """log N and its standard error, by the 95 % interval, of which the tails are part."""
    ends = np.log([posterior.interval() for posterior in found])
    centre = np.log([posterior.median for posterior in found])
    return centre, (ends[:, 1] - ends[:, 0]) / (2 * NORMAL_END)


def holm(p: Sequence[float]) -> list[float]:
    """The p values of several tests, adjusted so that 5 % is the chance of any false finding.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979) 65-70.
    """
    order = np.argsort(p)
    factors = len(p) - np.arange(len(p))
    adjusted = np.minimum(np.maximum.accumulate(np.asarray(p, float)[order] * factors), 1.0)
    found = np.empty(len(p))
    found[order] = adjusted
    return found.tolist()


@dataclass(frozen=True)
class Verdict:
    """What the trials say of a difference, in a word and in words; percents are of N / N_0 - 1."""

    kind: Kind
    text: str


def verdict(
    found: Differences, along: str = "size", *, p: float | None = None, bound: float = BOUND
) -> Verdict:
    """The verdict; `along` is what sizes are called, and `p` that adjusted for other comparisons.

    Where no difference is found, the boundaries are the same only within what the 95 % interval of
    the common difference leaves; if that is more than `bound`, the trials are too few to tell.
    """
    if (found.p if p is None else p) >= LEVEL:
        return _undecided(found, bound)
    if found.trend is not None and found.trend.p < LEVEL:
        return _with_size(found.trend, along)
    common = found.common
    if common.low <= 0 <= common.high:
        ends = f"{_percent(found.value.min())} to {_percent(found.value.max())} %"
        return Verdict("scatters", f"different from place to place, by {ends}")
    text = f"different by {_interval(common.value, common.low, common.high)}"
    if common.p_scatter < LEVEL / 2:
        text += f", with a scatter of {_percent(common.scatter)} % from place to place"
    return Verdict("different", text)


def _undecided(found: Differences, bound: float) -> Verdict:
    ends = np.expm1([found.common.low, found.common.high])
    largest = float(np.max(np.abs(ends)))
    digits = 1 if largest < 0.1 else 0
    said = f"{ceil(100 * largest * 10**digits) / 10**digits:.{digits}f} %"
    if largest > bound:
        return Verdict("open", f"these trials cannot tell differences below {said}")
    places = f", on average over {len(found.z)} places" if len(found.z) > 1 else ""
    return Verdict("same", f"the same within {said}{places}")


def _with_size(trend: Trend, along: str) -> Verdict:
    small, large = trend.sizes
    first, last = trend.at(small), trend.at(large)
    start = f"{_percent(first.value)} % at {along} = {small:g}"
    if abs(last.value) < abs(first.value):
        end = f"{_interval(*trend.at(np.inf))} extrapolated"
        return Verdict("shrinks", f"the difference shrinks with {along}: {start}, {end}")
    end = f"{_interval(*last)} at {along} = {large:g}"
    return Verdict("grows", f"the difference grows with {along}: {start}, {end}")


def _interval(value: ArrayLike, low: ArrayLike, high: ArrayLike) -> str:
    return f"{_percent(value)} % [{_percent(low)}, {_percent(high)}]"


def _percent(log_ratio: ArrayLike) -> str:
    """A ratio less 1, in percent."""
    percent = 100 * float(np.expm1(log_ratio))
    digits = 1 if abs(percent) < 10 else 0
    return f"{round(percent, digits) + 0.0:.{digits}f}"
