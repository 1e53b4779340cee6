"""What trials say of a question, place by place: noted as they end, so that no row is read twice.

Of a trial that converged at flow time t where T was allowed, log(t/T) is kept, and of any other
infinity.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import NamedTuple

from jaxflow.core.types import Point, Row
from jaxflow.sampling.guess import guess_by_times
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.logistic import Guess

TINY = 1e-9  # of a flow time whose logarithm is taken


class Question(NamedTuple):
    """When does an event happen by a horizon? One event alone has no name."""

    event: str
    horizon: int  # its place among those of the slice


@dataclass
class AtPoint:
    """The trials at a point: how many there are, how many converged in time, log(t/T) of each."""

    trials: int = 0
    converged: int = 0
    excesses: list[float] = field(default_factory=list)


class Evidence:
    """What the trials of some slices say of a question."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.evaluations = 0  # that all of them took
        self.allowed = 0.0  # flow time, to all of them
        self._points = defaultdict[Point, AtPoint](AtPoint)

    def add(self, row: Row, times: Sequence[float]) -> None:
        """Note how a trial ended that is allowed these flow times, one a horizon."""
        at = self._points[row.point]
        told, time = row.of_event(self.question.event), times[self.question.horizon]
        at.trials += 1
        at.converged += told.converged_by(time)
        is_timed = told.converged_by(times[-1])
        at.excesses.append(log(max(told.flow_time, TINY) / time) if is_timed else inf)
        self.evaluations += row.evaluations
        self.allowed += times[-1]

    def by_place(self, axes: Sequence[str], along: str) -> "dict[tuple[float, ...], OnSlice]":
        """The evidence on each slice, by its coordinates on the axes."""
        found: dict[tuple[float, ...], dict[float, AtPoint]] = {}
        for point, at in self._points.items():
            place = tuple(point[name] for name in axes)
            found.setdefault(place, {})[point[along]] = at
        return {place: OnSlice(points) for place, points in found.items()}


@dataclass(frozen=True)
class OnSlice:
    """The trials of a slice by their coordinate on the scanned axis."""

    points: Mapping[float, AtPoint] = field(default_factory=dict)

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """Counts of those that converged in time."""
        return tuple(Tally(x, at.converged, at.trials) for x, at in sorted(self.points.items()))

    @property
    def guess(self) -> Guess | None:
        """Where the threshold may be, by the times at which they converged."""
        return guess_by_times({x: at.excesses for x, at in self.points.items()})
