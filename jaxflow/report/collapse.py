"""Finite-size scaling of a store: the collapse along a size, and limits of long times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jaxflow.core.types import SIZES
from jaxflow.report.growth import LOCATED, Boundary
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import longest_time
from jaxflow.statistics.collapse import FEWEST, Collapse, collapse
from jaxflow.statistics.curves import Sized
from jaxflow.statistics.limit import Limit, limit

TIMES = np.geomspace(1 / 30, 1, 6)  # of the longest, from which a limit is told
LATE = 8  # convergences between the first and the last, which tell how N moves


@dataclass(frozen=True)
class CollapseReport:
    """Slices of one dynamics and event that differ in one size, and their collapse.

    It is of those `inside`, whose thresholds lie within their ranges at the longest horizon; None
    where they are fewer than 3.
    """

    every: Boundary
    inside: Boundary
    collapse: Collapse | None


def collapses(found: Sequence[SliceReport]) -> Iterator[CollapseReport]:
    """The collapse along every size that has two values or more, all else being equal."""
    for along in SIZES:
        groups: dict[tuple[object, ...], list[SliceReport]] = {}
        for slice in found:
            if slice.along != along and not slice.is_point:
                groups.setdefault((slice.name, slice.base.moved(along, 0)), []).append(slice)
        for group in groups.values():
            if len(group) > 1:
                yield _collapse(sorted(group, key=lambda slice: slice.base[along]), along)


def _collapse(group: Sequence[SliceReport], along: str) -> CollapseReport:
    inside = tuple(slice for slice in group if _is_located(slice))
    every, known = Boundary(tuple(group), along, -1), Boundary(inside, along, -1)
    told = collapse([_sized(slice, along) for slice in inside]) if len(inside) >= FEWEST else None
    return CollapseReport(every, known, told)


def _is_located(slice: SliceReport) -> bool:
    """Whether the threshold is within its range; of a plane, whether its own trials say where."""
    posterior = slice.posterior()
    few = slice.together is not None and posterior.relative_half_width > LOCATED
    return not (posterior.at_edge or few)


def _sized(slice: SliceReport, along: str) -> Sized:
    return Sized(slice.base[along], slice.tallies(), *slice.extent, slice.rises)


def limit_of(slice: SliceReport) -> Limit | None:
    """The threshold in the limit of long times; None where P rises along the axis.

    And where fewer than three of the times tell of every place, or fewer than 8 trials converged
    between the first and the last.
    """
    if slice.rises or slice.is_point:
        return None
    times = TIMES * longest_time(slice)
    counted = [slice.tallies_within(time) for time in times.tolist()]
    places = tuple(tally.x for tally in counted[-1])
    kept = [k for k, tallies in enumerate(counted) if tuple(t.x for t in tallies) == places]
    converged = np.array([[tally.converged for tally in counted[k]] for k in kept]).T
    if len(kept) < FEWEST or np.sum(converged[..., -1] - converged[..., 0]) < LATE:
        return None
    return limit(places, [tally.trials for tally in counted[-1]], converged, times[kept].tolist())
