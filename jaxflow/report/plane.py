"""The boundary over the slices of a plane, estimated together."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.boundary import BoundaryPosterior, Counts
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.plane_prior import Prior, axes_of

if TYPE_CHECKING:
    from jaxflow.report.slices import SliceReport

ENDS = 0.0, 0.5, 1.0  # of an axis, where the boundary is told


class Plane:
    """The slices of one dynamics and event that differ along axes, and their boundary."""

    def __init__(self, slices: Sequence["SliceReport"]) -> None:
        self.slices = tuple(slices)
        plan, places = self.slices[0].plan, [slice.place for slice in slices]
        self.axes = plan.axes(places) if isinstance(plan, ThresholdPlan) else axes_of(places)
        self._known: dict[tuple[int, bool], BoundaryPosterior] = {}

    @property
    def name(self) -> str:
        """What is followed: the dynamics, and which of several events."""
        return self.slices[0].name

    @cached_property
    def fixed(self) -> dict[str, float]:
        """The coordinates that all slices share."""
        moving = {axis.name for axis in self.axes}
        return {name: x for name, x in self.slices[0].place.items() if name not in moving}

    @property
    def landmarks(self) -> list[tuple[float, ...]]:
        """The ends of every axis, where the others are in their middle, and the middle of all."""
        scaled = (
            tuple(v if axis == k else 0.5 for axis in range(len(self.axes)))
            for k in range(len(self.axes))
            for v in ENDS
        )
        return [
            tuple(float(axis.unscaled(np.array(v))) for axis, v in zip(self.axes, at, strict=True))
            for at in dict.fromkeys(scaled)
        ]

    def at(self, slice: "SliceReport") -> tuple[float, ...]:
        """Where a slice is in the plane."""
        return tuple(slice.place[axis.name] for axis in self.axes)

    def posterior(self, horizon: int = -1, conditional: bool = False) -> BoundaryPosterior:
        """The boundary at one of the horizons; of the well initialized alone if `conditional`."""
        horizon %= len(self.slices[0].horizon.labels)
        if (horizon, conditional) not in self._known:
            tallies = [slice.tallies(horizon, conditional) for slice in self.slices]
            self._known[horizon, conditional] = self.given(tallies)
        return self._known[horizon, conditional]

    def given(
        self, tallies: Sequence[Sequence[Tally]], start: BoundaryPosterior | None = None
    ) -> BoundaryPosterior:
        """The boundary by other counts, those of each slice; `start` is one that is alike."""
        counts = [
            Counts(self.at(s), of_one) for s, of_one in zip(self.slices, tallies, strict=True)
        ]
        low = min(slice.extent[0] for slice in self.slices)
        high = max(slice.extent[1] for slice in self.slices)
        prior = Prior(self.axes, low, high)
        return BoundaryPosterior(counts, prior, rising=self.slices[0].rises, start=start)


def sampled_as_one(found: Sequence["SliceReport"]) -> list[Plane]:
    """The planes that slices were sampled in, each once."""
    return list({id(s.together): s.together for s in found if s.together is not None}.values())


def told(found: Sequence["SliceReport"]) -> list[Plane]:
    """Those planes of three slices or more, of which there is something to tell."""
    return [plane for plane in planes(found) if plane.axes and len(plane.slices) > 2]


def planes(found: Sequence["SliceReport"]) -> list[Plane]:
    """The planes of slices that scan an axis, one for each dynamics, event and set of axes."""
    groups: dict[tuple[str, ...], list[SliceReport]] = {}
    for slice in found:
        if not slice.is_point:
            groups.setdefault((slice.name, *slice.place), []).append(slice)
    return [plane_of(group) for group in groups.values() if len(group) > 1]


def plane_of(slices: Sequence["SliceReport"]) -> Plane:
    """The plane over which these slices were sampled, if they are all of it, or one of their own.

    So the boundary is estimated once.
    """
    known = slices[0].together
    is_theirs = known is not None and len(known.slices) == len(slices)
    if known is not None and is_theirs and all(slice.together is known for slice in slices):
        return known
    return Plane(slices)
