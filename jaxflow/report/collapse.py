"""Finite-size scaling of a store: whether the transitions along a size are one curve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxflow.core.types import SIZES
from jaxflow.report.growth import Boundary
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.collapse import FEWEST, Collapse, collapse


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
    inside = tuple(slice for slice in group if not slice.posterior().at_edge)
    every, known = Boundary(tuple(group), along, -1), Boundary(inside, along, -1)
    told = collapse(known.measured()) if len(inside) >= FEWEST else None
    return CollapseReport(every, known, told)
