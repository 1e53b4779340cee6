"""The panels of a phase diagram on a page: slices, their places and thresholds at every horizon.

A panel has the slices of one dynamics and event that differ along one axis; those that are alone
stand side by side in one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jaxflow import plot
from jaxflow.core.checks import Array
from jaxflow.report.horizons import Frame, boundaries, frames, time_of
from jaxflow.report.places import Places, places
from jaxflow.report.plane import Plane, plane_of
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import AgainstTime
from jaxflow.show.text import between, beyond, number, symbol
from jaxflow.show.transitions import role
from jaxflow.statistics.boundary import BoundaryPosterior

MOST_PLACES = 3000  # of all slices
MOST_PANELS = 12
UNTOLD = "not told by these trials"


@dataclass(frozen=True)
class View:
    """A slice, how its dynamics is drawn, its places, and the number of the first of these.

    `asked` are the places of the horizons that were asked for among all.
    """

    slice: SliceReport
    series: plot.Series
    places: Places
    first: int
    labels: tuple[str, ...]  # of all horizons
    asked: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Panel:
    """Views that differ along an axis, or side by side if that is "", at every horizon."""

    views: tuple[View, ...]
    along: str
    plane: Plane | None
    frames: tuple[Frame, ...] = field(repr=False)

    @property
    def title(self) -> str:
        """The dynamics, the event, and what its slices have in common."""
        slice = self.views[0].slice
        if not self.along:
            return "All places"
        fixed = {name: x for name, x in slice.place.items() if name != self.along}
        return ", ".join([slice.name, *(f"{symbol(name)} = {x:g}" for name, x in fixed.items())])

    @property
    def x(self) -> list[float]:
        """Where on its axis each view is."""
        if not self.along:
            return list(map(float, range(len(self.views))))
        return [view.slice.place[self.along] for view in self.views]


def views(found: Sequence[SliceReport], fractions: Sequence[float]) -> list[View]:
    """Every slice; of many places neighbours are one."""
    names = list(dict.fromkeys(slice.name for slice in found))
    first = {name: next(s for s in found if s.name == name) for name in names}
    series = dict(zip(names, plot.by_dynamics([role(s) for s in first.values()]), strict=True))
    most, made, count = max(8, MOST_PLACES // len(found)), list[View](), 0
    for slice in found:
        times = [time_of(slice, fraction) for fraction in fractions]
        here = places(slice, times, most)
        labels = tuple(label(slice, time) for time in times)
        asked = tuple(times.index(time) for time in slice.horizon.multiples)
        made.append(View(slice, series[slice.name], here, count, labels, asked))
        count += len(here.x)
    return made


def panels(shown: Sequence[View], fractions: Sequence[float]) -> list[Panel]:
    """The panels of views, those with most trials if they are too many."""
    known: dict[int, tuple[Plane, list[BoundaryPosterior | None]]] = {}
    made, alone = [], list[View]()
    for along, group in _groups(shown):
        slices = [view.slice for view in group]
        plane = slices[0].together
        if not along:
            alone += group
            continue
        if plane is None and len(group) > 2 and not slices[0].is_point:
            plane = plane_of(slices)
        if plane is not None and id(plane) not in known:
            known[id(plane)] = plane, list(boundaries(plane, fractions))
        of_plane = known[id(plane)][1] if plane is not None else []
        every = tuple(frames(slices, fractions, plane, of_plane))
        made.append(Panel(tuple(group), along, plane, every))
    made.sort(key=lambda panel: -sum(len(view.slice.rows) for view in panel.views))
    for start in range(0, len(alone), MOST_PANELS):
        group = alone[start : start + MOST_PANELS]
        every = tuple(frames([view.slice for view in group], fractions))
        made.append(Panel(tuple(group), "", None, every))
    return sorted(made[:MOST_PANELS], key=lambda panel: panel.views[0].first)


def _groups(shown: Sequence[View]) -> Iterator[tuple[str, list[View]]]:
    """Views of one dynamics that differ along the axis of which it has most values."""
    for name in dict.fromkeys(view.slice.name for view in shown):
        here = [view for view in shown if view.slice.name == name]
        values = {
            axis: len({view.slice.place[axis] for view in here}) for axis in here[0].slice.place
        }
        along = max(values, key=lambda axis: values[axis])
        if values[along] == 1:
            yield "", here
            continue
        groups: dict[Any, list[View]] = {}
        for view in here:
            groups.setdefault(view.slice.base.moved(along, 0), []).append(view)
        for group in groups.values():
            is_lone = len(group) == 1 and group[0].slice.together is None
            yield ("" if is_lone else along), sorted(group, key=lambda v: v.slice.place[along])


def label(slice: SliceReport, time: float) -> str:
    """A horizon in words."""
    multiples = slice.horizon.multiples
    if time in multiples:
        return slice.horizon.labels[multiples.index(time)]
    unit = slice.horizon.unit
    return f"T = {time:.3g}" if unit == "flow time" else f"{time:.3g} {unit}"


def rows(panel: Panel, frame: int = -1) -> list[tuple[str, str, str]]:
    """The threshold and its interval of every view at a horizon, as text."""
    told = panel.frames[frame].thresholds
    if told is None:
        return []
    _, *numbers = told
    return [
        (_place(panel, view), *_threshold(view.slice, *of_one))
        for view, of_one in zip(panel.views, zip(*numbers, strict=True), strict=True)
    ]


def _place(panel: Panel, view: View) -> str:
    return f"{view.slice.place[panel.along]:g}" if panel.along else view.slice.title


def _threshold(
    slice: SliceReport, n50: float, low: float, high: float, edge: str
) -> tuple[str, str]:
    if edge:
        return beyond(edge, slice.extent), ""
    digits = 3 if n50 >= 1 else 6  # as in a report
    n50, low, high = (round(x, digits) for x in (n50, low, high))
    return (number(n50), between(low, high)) if high - low < n50 else (UNTOLD, "")


def is_told(thresholds: AgainstTime) -> Array:
    """Which thresholds trials tell of: the others are mostly their prior's."""
    inside = np.array([not edge for edge in thresholds.at_edge])
    return np.asarray(inside & (thresholds.high - thresholds.low < thresholds.n50))


def across(panel: Panel, grid: Array) -> Array:
    """The places (m, axes) of the plane of a panel at values (m,) of its axis."""
    assert panel.plane is not None
    place = panel.views[0].slice.place
    columns = [
        grid if axis.name == panel.along else np.full(len(grid), place[axis.name])
        for axis in panel.plane.axes
    ]
    return np.stack(columns, axis=1)
