"""A slice of the phase diagram: the dynamics and every axis fixed, but for the one scanned."""

from dataclasses import dataclass, replace
from typing import Self

from jaxflow.core.types import SIZES, Pace, Point
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.part import Share
from jaxflow.sampling.plan import Plan, rises


@dataclass(frozen=True)
class Slice:
    """Where a threshold is looked for, and how."""

    dynamics: str  # its name in the study
    base: Point  # its coordinate along the scanned axis is 0
    plan: Plan
    horizon: Horizon  # that of the dynamics
    pace: Pace = Pace()  # of the dynamics

    @property
    def along(self) -> str:
        """The axis that is scanned."""
        return self.plan.along

    def times(self, point: Point) -> tuple[float, ...]:
        """The flow times allowed at a point of it, in increasing order."""
        return self.horizon.times(point, self.dynamics, self.pace)

    def of_share(self, share: Share) -> Self:
        """The slice with the plan of one of several shares."""
        return replace(self, plan=self.plan.of_share(share))

    def cost(self, x: float) -> float:
        """Of a trial at x, up to a factor: the time it is allowed times the cost of an evaluation.

        By its sizes alone, so that what a store asks for can be told without its problem.
        """
        point = self.base.moved(self.along, max(x, 1) if self.along in SIZES else x)
        return self.times(point)[-1] * point.d * point.n * point.p

    @property
    def rises(self) -> bool:
        """Whether P(event) is taken to grow along the scanned axis."""
        return rises(self.plan)

    @property
    def extent(self) -> tuple[float, float]:
        """The range of the scanned axis; of a single value, up to the next whole number."""
        low, high = self.plan.low, self.plan.high
        return low, high if high > low else low + 1

    @property
    def is_point(self) -> bool:
        """Whether the plan has a single value, where P(event) is known but no threshold."""
        return self.plan.low == self.plan.high

    @property
    def place(self) -> dict[str, float]:
        """The coordinates of the slice, but for the scanned axis."""
        named = {name: self.base[name] for name in SIZES} | dict(self.base.parameters)
        return {name: x for name, x in named.items() if name != self.along}

    @property
    def title(self) -> str:
        """Which slice it is, in a line of text."""
        places = (f"{name.rpartition('.')[2]}={x:g}" for name, x in self.place.items())
        return " ".join([self.dynamics, *places])
