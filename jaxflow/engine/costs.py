"""What a trial may take, in evaluations of the field times the cost of one."""

from typing import Literal

from jaxflow.core.errors import mistake
from jaxflow.core.types import Point, Row, Trial
from jaxflow.flow.dynamics import Dynamics
from jaxflow.problems.problem import Problem, Shape


class Costs:
    """What evaluations and trials of a problem cost, up to one factor."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[Shape, float] = {}

    def evaluation(self, point: Point) -> float:
        """Time of an evaluation at a point, in coordinates that every trial can be followed in."""
        shape = self.shape(point)
        if shape not in self._known:  # of a problem that is not ours, it is traced
            self._known[shape] = self._problem.cost(shape)
        return self._known[shape]

    def most(self, trial: Trial) -> float:
        """Of a trial that runs to its horizon: flow time by evaluations."""
        return trial.horizon * self.evaluation(trial.point)

    def spent(self, row: Row) -> float:
        """Of a trial that has ended."""
        return row.evaluations * self.evaluation(row.point)

    def shape(self, point: Point) -> Shape:
        """What the trials of a point are padded to."""
        return self._problem.shape(point)


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
