"""Intervals of what trials measured: in closed form where it is normal, by drawing again elsewhere.

`mean_interval` is Student's t, exact for the mean of normal numbers however few there are: give
logarithms of what spans decades. `bootstrap` draws trials again with replacement (B. Efron, Annals
of Statistics 7 (1979) 1-26) and takes the percentiles of any statistic of them, a median or a
slope of medians: it asks for no law, and for a dozen trials or more. A trial is drawn whole,
whatever was measured along it.

`redrawn` and `thresholds` are for counts. A slice's trials are often one or two at every n, all
converged below the threshold and none above: the proportions seen there would draw the same again
and again. So they are drawn from what the posterior says, binomial at its mean of P(converged | n).
Each draw is estimated anew by the same model and prior, on a grid that all draws share and coarser
in the width and the lapse. Student, "The probable error of a mean", Biometrika 6 (1908) 1-25.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from jaxflow.core.checks import Array, fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.logistic import Model
from jaxflow.statistics.posterior import Posterior

TAILS = 0.025, 0.975
RESAMPLES = 2000
ONE_SIGMA = 0.1587, 0.8413
NODES = 97, 13, 4  # in log n50, log width, sqrt(lapse)
REACH = 8  # standard errors of log n50 that the grid goes to either side
TINY = 1e-30  # sqrt(lapse) at its smallest node

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


class Measured(NamedTuple):
    """A slice: its coordinate x, its counts, and the range and sense of its search (posterior.py).

    x is d or p, or the pair (d, p) for `scaling.proportionality`.
    """

    x: float | tuple[float, float]
    tallies: Sequence[Tally]
    low: float
    high: float
    rising: bool = False


@dataclass(frozen=True, eq=False)
class Thresholds:
    """log N of c slices, its standard errors, and that of every resample of their trials."""

    x: Array  # (c,), or (c, 2) for pairs (d, p)
    log_threshold: Array  # (c,)
    error: Array  # (c,)
    drawn: Array  # (resamples, c)


def thresholds(slices: Sequence[Measured], resamples: int, seed: int) -> Thresholds:
    """The thresholds of the slices, by posterior median, and their resamples.

    Raises `ValueError` where most of a posterior lies outside its range.
    """
    rng = np.random.default_rng(seed)
    found = [_threshold(Measured(*slice), resamples, rng) for slice in slices]
    log_threshold, error, drawn = (np.array(part) for part in zip(*found, strict=True))
    return Thresholds(np.array([c[0] for c in slices], float), log_threshold, error, drawn.T)


def _threshold(
    slice: Measured, resamples: int, rng: np.random.Generator
) -> tuple[float, float, Array]:
    posterior = Posterior(slice.tallies, slice.low, slice.high, rising=slice.rising)
    if posterior.at_edge:
        remedy = "leave the slice out, or search again in another range"
        raise mistake(f"a threshold within {slice.low:g}..{slice.high:g}", slice.x, remedy)
    below, above = np.log(posterior.quantile(ONE_SIGMA))
    error = float(above - below) / 2
    converged = redrawn(merged(slice.tallies), posterior, rng, resamples)
    drawn = estimates(slice, converged, np.log(posterior.median), error)
    return float(np.log(posterior.median)), error, drawn


def estimates(slice: Measured, converged: NDArray[np.int64], centre: float, error: float) -> Array:
    """The posterior medians of log n50 (r,) for r sets of counts (r, k) at the slice's k tallies.

    The grid runs `REACH` errors around the centre.
    """
    tallies = merged(slice.tallies)
    model = Model(slice.low, slice.high, slice.rising)
    _, widths, roots = model.limits
    axes = (
        centre + error * np.linspace(-REACH, REACH, NODES[0]),
        np.linspace(*widths, NODES[1]),
        np.linspace(*roots, NODES[2]),
    )
    x, trials = [tally.x for tally in tallies], [tally.trials for tally in tallies]
    log_density = model.log_posterior(axes, x, trials, converged)
    log_density += np.log(np.maximum(axes[2], TINY))  # d lapse = 2 root d root
    log_density -= log_density.max(axis=(1, 2, 3), keepdims=True)
    mass = np.exp(log_density).sum(axis=(2, 3))
    return np.array([_median(axes[0], row) for row in mass])


def _median(location: Array, mass: Array) -> float:
    """Where half of the mass lies below, that of a node spread evenly over its slice."""
    edge = np.append(location, 2 * location[-1] - location[-2]) - (location[1] - location[0]) / 2
    return float(np.interp(0.5, np.append(0.0, np.cumsum(mass)) / mass.sum(), edge))
