"""Means of what trials measured along an axis, and where they cross a level.

Intervals are those of `resamples.bootstrap`: a dozen trials at every place, or more.
"""

from collections.abc import Sequence
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.checks import Array
from jaxflow.core.errors import mistake
from jaxflow.statistics.resamples import RESAMPLES, TAILS, Interval, bootstrap, resampled

PLACES = 8  # at least, that joined places leave
FEWEST = 3  # trials of one


def means(groups: Sequence[ArrayLike]) -> Interval:
    """The means (k,) of k groups of trials; of a group of one trial no interval is known, NaN."""
    found = bootstrap(groups, _means)
    alone = np.array([len(np.asarray(group)) < 2 for group in groups])
    return found._replace(
        low=np.where(alone, nan, found.low), high=np.where(alone, nan, found.high)
    )


def pooled(x: ArrayLike, groups: Sequence[ArrayLike], least: int = 12) -> tuple[Array, list[Array]]:
    """Places x, ascending and positive, joined with their neighbours to `least` trials or more.

    Each is at the mean of log x over its trials. What is left over at the end joins the last. Where
    trials are few, fewer are joined: an end of x that is joined with its neighbours is lost.
    """
    trials = sum(len(np.asarray(group)) for group in groups)
    least = min(least, max(FEWEST, trials // PLACES), max(1, trials // 2))
    pools: list[list[tuple[float, Array]]] = []
    for at, group in zip(np.asarray(x, float), groups, strict=True):
        if not pools or _trials(pools[-1]) >= least:
            pools.append([])
        pools[-1].append((float(at), np.asarray(group, float)))
    if len(pools) > 1 and _trials(pools[-1]) < least:
        pools[-2:] = [pools[-2] + pools[-1]]
    joined = [np.concatenate([found for _, found in pool]) for pool in pools]
    return np.array([_mean_place(pool) for pool in pools]), joined


def _trials(pool: Sequence[tuple[float, Array]]) -> int:
    return sum(len(found) for _, found in pool)


def _mean_place(pool: Sequence[tuple[float, Array]]) -> float:
    weights = [len(found) for _, found in pool]
    return float(np.exp(np.average(np.log([at for at, _ in pool]), weights=weights)))


def crossing(x: ArrayLike, groups: Sequence[ArrayLike], level: float) -> Interval:
    """The last place where the means of groups at x, ascending and positive, cross the level.

    From there on they stay on one side of it. Between two places the mean is linear in log x. A
    crossing that is beyond an end of x, or an end of its interval that is, is 0 below and infinity
    above it; NaN where no trial says on which side. Raises `ValueError` for fewer than two places.
    """
    places = np.asarray(x, float)
    if len(places) < 2:
        raise mistake("two places or more along an axis", len(places), "measure at more")
    logs = np.log(places)
    value = _crossings(logs, _means([np.asarray(group, float) for group in groups])[None], level)
    rng = np.random.default_rng(0)
    drawn = _crossings(logs, resampled(groups, _means, rng, RESAMPLES), level)
    told = drawn[~np.isnan(drawn)]
    ends = np.full(2, nan)
    if len(told):
        # of numbers that are there, for between two that are infinite there is none
        ends = np.quantile(told, TAILS, method="inverted_cdf")
    return Interval(np.exp(value[0]), *np.exp(ends))


def _means(groups: Sequence[Array]) -> Array:
    return np.stack([np.mean(group, axis=-1) for group in groups], axis=-1)


def _crossings(logs: Array, found: Array, level: float) -> Array:
    """log x (resamples,) of the last crossing of means (resamples, k)."""
    above = found > level
    changes = above[:, 1:] != above[:, :-1]
    last = changes.shape[1] - 1 - np.argmax(changes[:, ::-1], axis=1)
    rows = np.arange(len(found))
    before, after = found[rows, last], found[rows, last + 1]
    step = np.where(after != before, after - before, 1)
    inside = logs[last] + (level - before) / step * (logs[last + 1] - logs[last])
    start, end = np.abs(found[:, 0] - level), np.abs(found[:, -1] - level)
    beyond = np.select([end < start, end > start], [np.inf, -np.inf], nan)
    return np.where(changes.any(axis=1), inside, beyond)
