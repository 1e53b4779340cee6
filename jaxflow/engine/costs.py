"""What a trial may take, in evaluations of the field times the cost of one; what it is padded to.

A program takes a second or two to compile, and a search looks at a few trials in many places before
its threshold is located. Those share programs of sizes four times apart, as long as these cost
little; trials about a located threshold share the one that just holds them all.
"""

from typing import Literal

from jaxflow.core.errors import mistake
from jaxflow.core.types import ANYWHERE, Point, Row, Trial
from jaxflow.flow.dynamics import Dynamics
from jaxflow.problems.problem import Problem, Shape

# Sizes that exploring trials are padded to, up to this cost of an evaluation.
SHARED, COSTLY = (512, 2048, 8192, 32768), 1e8
# Sizes that all trials up to them are padded to: the larger of the two that costs so little.
SMALL, CHEAP = (128, 32), 2e6


class Costs:
    """What evaluations and trials of a problem cost, up to one factor, and their shapes."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[Shape, float] = {}

    def evaluation(self, point: Point) -> float:
        """Time of an evaluation at a point, in coordinates that every trial can be followed in."""
        shape = self._problem.shape(point)
        if shape not in self._known:  # of a problem that is not ours, it is traced
            self._known[shape] = self._problem.cost(shape)
        return self._known[shape]

    def most(self, trial: Trial) -> float:
        """Of a trial that runs to its horizon: flow time by evaluations."""
        return trial.horizon * self.evaluation(trial.point)

    def spent(self, row: Row) -> float:
        """Of a trial that has ended."""
        return row.evaluations * self.evaluation(row.point)

    def shape(self, trial: Trial) -> Shape:
        """What a trial is padded to, to share a program with others that lie within its reach."""
        point, within = trial.point, trial.within
        for axis in self._problem.padded:
            if within is not None and within[axis] > point[axis]:
                point = point.moved(axis, self._size(point, within, axis))
        return self._problem.shape(point)

    def _size(self, point: Point, within: Point, axis: str) -> float:
        """What a size of a point is padded to, as others within reach are."""
        for small in SMALL:
            if point[axis] <= small and self.evaluation(point.moved(axis, small)) <= CHEAP:
                return small
        shared = next((size for size in SHARED if size >= point[axis]), ANYWHERE)
        if shared <= within[axis] and self.evaluation(point.moved(axis, shared)) <= COSTLY:
            return shared
        return point[axis] if within[axis] == ANYWHERE else within[axis]


def check_coordinates(problem: Problem, dynamics: Dynamics, wanted: str | Literal["auto"]) -> None:
    """Raise `ValueError` for coordinates that are wanted but impossible."""
    names = problem.coordinates(dynamics.equivariant)
    if wanted not in ("auto", *names):
        raise mistake(f"coordinates in {['auto', *names]}", wanted, "use one of these here")


def cheapest(problem: Problem, dynamics: Dynamics, shape: Shape, wanted: str = "auto") -> str:
    """The coordinates wanted, or the cheapest possible; `ValueError` for impossible ones."""
    check_coordinates(problem, dynamics, wanted)
    if wanted != "auto":
        return wanted
    names = problem.coordinates(dynamics.equivariant)
    return min(names, key=lambda name: problem.cost(shape, name))
