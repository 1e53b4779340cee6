"""Intervals of what trials measured: in closed form where it is normal, by drawing again elsewhere.

`mean_interval` is Student's t, exact for the mean of normal numbers however few there are: give
logarithms of what spans decades. `bootstrap` draws trials again with replacement (B. Efron, Annals
of Statistics 7 (1979) 1-26) and takes the percentiles of any statistic of them, a median or a
slope of medians: it asks for no law, and for a dozen trials or more. A trial is drawn whole,
whatever was measured along it.

`redrawn` is for counts. A slice's trials are often one or two at every n, all converged below the
threshold and none above: the proportions seen there would draw the same again and again. So they
are drawn from what the posterior says, binomial at its mean of P(converged | n). Student, "The
probable error of a mean", Biometrika 6 (1908) 1-25.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from jaxflow.core.checks import Array, fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Posterior

TAILS = 0.025, 0.975
RESAMPLES = 2000

Statistic = Callable[[Sequence[Array]], Array]


class Interval(NamedTuple):
    """A number, or an array of them, with its interval: of 95 % if nothing else is said."""

    value: Array
    low: Array
    high: Array


def mean_interval(values: ArrayLike, level: float = 0.95, *, of_one: bool = False) -> Interval:
    """The mean (...) of trials (trials, ...), with its interval at the `level`.

    With `of_one`, the interval in which one more trial lies. Both hold for numbers that are about
    normal. Raises `ValueError` for fewer than two trials. Source: Student (1908), module docstring.
    """
    numbers = np.asarray(values, float)
    if numbers.ndim == 0 or len(numbers) < 2:
        got = "one number" if numbers.ndim == 0 else len(numbers)
        raise mistake("two trials or more", got, "run the study with more repetitions")
    trials = len(numbers)
    error = np.std(numbers, axis=0, ddof=1) * np.sqrt(1 / trials + of_one)
    half = stdtrit(trials - 1, 0.5 + fraction("level", level) / 2) * error
    mean = np.mean(numbers, axis=0)
    return Interval(mean, mean - half, mean + half)


def bootstrap(
    groups: Sequence[ArrayLike],
    statistic: Statistic,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic (...) of groups of trials, with its interval by `resampled`, whose errors it has.

    The statistic takes groups (..., trials) and keeps the leading axes: np.mean(group, -1).
    """
    drawn = resampled(groups, statistic, np.random.default_rng(seed), resamples)
    return Interval(statistic([np.asarray(group, float) for group in groups]), *percentiles(drawn))


def resampled(
    groups: Sequence[ArrayLike], statistic: Statistic, rng: np.random.Generator, resamples: int
) -> Array:
    """The statistic (resamples, ...) of trials drawn with replacement, each group by itself.

    A trial is an entry, or a row, of its group. Raises `ValueError` for a group without trials.
    """
    found = [np.asarray(group, float) for group in groups]
    sizes = [len(group) for group in found]
    if not all(sizes) or not found:
        raise mistake("trials in every group", sizes, "leave out the empty ones")
    places = rng.integers(np.repeat(sizes, sizes), size=(resamples, sum(sizes)))
    split = np.split(places, np.cumsum(sizes)[:-1], axis=1)
    return statistic([group[place] for group, place in zip(found, split, strict=True)])


def percentiles(drawn: ArrayLike) -> tuple[Array, Array]:
    """The ends (low, high) of what 95 % of the resamples (resamples, ...) lie between."""
    low, high = np.quantile(np.asarray(drawn, float), TAILS, axis=0)
    return low, high


def redrawn(
    tallies: Sequence[Tally], posterior: Posterior, rng: np.random.Generator, resamples: int
) -> NDArray[np.int64]:
    """How many trials converge (resamples, k) at the k tallies, drawn from the posterior's mean."""
    chance, _, _ = posterior.curve([tally.x for tally in tallies])
    trials = [tally.trials for tally in tallies]
    return rng.binomial(trials, np.clip(chance, 0, 1), size=(resamples, len(trials)))
