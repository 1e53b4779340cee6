"""When trials converge: N as a function of the flow time allowed, and convergence times by n."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from jaxflow.core.errors import mistake
from jaxflow.core.types import Outcome, Row
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.counts import wilson
from jaxflow.statistics.posterior import estimate
from jaxflow.statistics.slowing import Slowing, slowing
from jaxflow.statistics.survival import Survival, convergence_times, survival

Array = np.ndarray

POOLED = 0.06  # in log n: neighbours that make one survival curve
FEWEST = 8  # convergences that a law of slowing takes


class AgainstTime(NamedTuple):
    """Thresholds by flow times allowed, all (k,); `time` is in the unit of the study's horizons."""

    time: Array
    n50: Array
    low: Array
    high: Array
    at_edge: tuple[str, ...]

    def told(self) -> "AgainstTime":
        """Those that trials tell of: where an interval is wider than N it is mostly the prior's."""
        edge = np.array([bool(side) for side in self.at_edge])
        kept = np.flatnonzero(edge | (self.high - self.low < self.n50))
        time, n50, low, high = (v[kept] for v in (self.time, self.n50, self.low, self.high))
        return AgainstTime(time, n50, low, high, tuple(self.at_edge[i] for i in kept))


def against_time(slice: SliceReport, times: Sequence[float] = ()) -> AgainstTime:
    """The threshold at several flow times, from one set of trials.

    `times` are in the unit of the study's horizons; if none are given, from an eighth to the whole
    of the longest that all trials were allowed. A time that the trials at some n do not tell of
    leaves those n out. Raises `ValueError` unless they are positive.
    """
    if not times:
        times = default_times(slice)
    if not min(times) > 0:
        raise mistake("flow times > 0", list(times), "ask for the threshold at positive times")
    found = [
        estimate(slice.tallies_within(time), *slice.extent, rising=slice.rises) for time in times
    ]
    return AgainstTime(
        np.asarray(times, float),
        np.array([f.n50 for f in found]),
        np.array([f.low for f in found]),
        np.array([f.high for f in found]),
        tuple(f.at_edge for f in found),
    )


def default_times(slice: SliceReport) -> list[float]:
    """Ten times from an eighth to the whole of the longest that all trials were allowed."""
    return (np.geomspace(1 / 8, 1, 10) * longest_time(slice)).tolist()


def proportion_in_time(slice: SliceReport, time: float) -> tuple[float, float, float] | None:
    """P(converged within a time) of a slice of a single value, and its 95 % interval.

    `time` is in the unit of the study's horizons. None where some trials do not tell of it.
    """
    tallies = slice.tallies_within(time)
    if not tallies:
        return None
    low, high = wilson(tallies[0].converged, tallies[0].trials)
    return tallies[0].converged / tallies[0].trials, float(low), float(high)


class ByPoint(NamedTuple):
    """The trials of a slice by their place on the scanned axis, in increasing order."""

    x: Array
    trials: Array
    curves: tuple[Survival, ...]

    @property
    def medians(self) -> tuple[Array, Array, Array]:
        """Median convergence times and their 95 % intervals; inf where not reached."""
        ends = np.array([curve.median_interval for curve in self.curves])
        return np.array([curve.median for curve in self.curves]), ends[:, 0], ends[:, 1]


def by_point(slice: SliceReport, width: float = POOLED) -> ByPoint:
    """Survival of "not converged" at every n, or of neighbours within `width` in log n as one."""
    groups: list[list[Row]] = []
    for row in sorted(slice.rows, key=lambda row: row.point[slice.along]):
        x = row.point[slice.along]
        first = groups[-1][0].point[slice.along] if groups else None
        if first is not None and (x == first or np.log(x / first) < width):
            groups[-1].append(row)
        else:
            groups.append([row])
    return ByPoint(
        np.array([np.mean([row.point[slice.along] for row in group]) for group in groups]),
        np.array([len(group) for group in groups]),
        tuple(survival(*convergence_times(group)) for group in groups),
    )


def slowing_of(slice: SliceReport) -> Slowing | None:
    """The law of convergence times below the threshold at the longest horizon, along n.

    None where another axis is scanned, or fewer than 8 trials converged there, or at fewer than
    3 different n.
    """
    if slice.along != "n":
        return None
    below = [row for row in slice.rows if row.n <= slice.posterior().median]
    converged = [row.n for row in below if row.outcome is Outcome.CONVERGED]
    if len(converged) < FEWEST or len(set(converged)) < 3:
        return None
    return slowing([row.n for row in below], *convergence_times(below))


def slowings(found: Sequence[SliceReport]) -> list[tuple[SliceReport, Slowing]]:
    """The slices whose trials tell how convergence slows towards the threshold, and the law."""
    falling = [slice for slice in found if not (slice.is_point or slice.rises)]
    return [(slice, law) for slice in falling if (law := slowing_of(slice)) is not None]


def longest_time(slice: SliceReport) -> float:
    """The longest flow time that all trials tell of, in the unit of the horizons."""
    rows = slice.columns
    told = (rows.rows.array("horizon") / rows.unit)[~rows.answer(inf)]
    return float(min(told, default=slice.horizon.multiples[-1]))
