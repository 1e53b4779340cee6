"""What a trial may take, in evaluations of the field times the cost of one; what it is padded to.

A program takes a second or two to compile, and a search looks at a few trials in many places before
its threshold is located. So trials share programs as long as the padding takes them less, together,
than compiling another: those that explore of sizes four times apart, those about a located
threshold one that just holds them.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from jaxflow.core.errors import mistake
from jaxflow.core.types import Point, Reach, Row, Trial
from jaxflow.flow.dynamics import Dynamics
from jaxflow.problems.problem import Problem, Shape

SHARED = (32, 128, 512, 2048, 8192, 32768)
SMALL = 512  # a size up to which there may be one program for all
FEW = 2  # trials at a place that a search explores
COMPILATION_FLOPS = 4e11  # in the time that a core takes to compile a program


class Costs:
    """What evaluations and trials of a problem cost, in flops of a product, and their shapes."""

    def __init__(self, problem: Problem, dynamics: Mapping[str, Dynamics]) -> None:
        self._problem = problem
        self._steps = {name: getattr(rule, "step", None) for name, rule in dynamics.items()}
        self._known: dict[Shape, float] = {}

    def evaluation(self, point: Point) -> float:
        """Of an evaluation at a point, in coordinates that every trial can be followed in."""
        return self._of(self._problem.shape(point))

    def _of(self, shape: Shape) -> float:
        if shape not in self._known:  # of a problem that is not ours, it is traced
            self._known[shape] = self._problem.cost(shape)
        return self._known[shape]

    def most(self, trial: Trial) -> float:
        """Of a trial that runs to its horizon."""
        return self.evaluations(trial) * self.evaluation(trial.point)

    def evaluations(self, trial: Trial) -> float:
        """To the horizon: one a step, or one a unit of flow time where the solver chooses."""
        return trial.horizon / (self._steps[trial.dynamics] or 1.0)

    def spent(self, row: Row) -> float:
        """Of a trial that has ended, the padding included."""
        return row.evaluations * self._of(_bucket(row.program) or self._problem.shape(row.point))

    def shape(self, trial: Trial) -> Shape:
        """What a trial is padded to, to share a program with others that lie within its reach."""
        point, reach = trial.point, trial.within
        if reach is not None and reach.along in self._problem.padded:
            point = point.moved(reach.along, self._size(trial, reach))
        return self._problem.shape(point)

    def _size(self, trial: Trial, reach: Reach) -> float:
        """The widest that all trials to come can afford, or few of them; or the nearest end."""
        x, (*near, far) = trial.point[reach.along], reach.ends
        fitting = [min(size, far) for size in SHARED if size >= x] or [far]
        small = (size for size in fitting if size <= SMALL)
        for size in sorted({fitting[0], *small, *near}, reverse=True):
            if self._affords(trial, reach, size, reach.trials):
                return size
        if near:
            return near[0]
        return fitting[0] if self._affords(trial, reach, fitting[0], FEW) else x

    def _affords(self, trial: Trial, reach: Reach, size: float, trials: int) -> bool:
        """Whether so many trials like this one take less for being padded than a compilation."""
        padded = self.evaluation(trial.point.moved(reach.along, size))
        more = padded - self.evaluation(trial.point)
        return trials * self.evaluations(trial) * more <= COMPILATION_FLOPS


@lru_cache
def _bucket(program: str) -> Shape | None:
    """The shape in the name of a program."""
    named = re.match(r"D(\d+) N(\d+) P(\d+) ", program)
    return Shape(*map(int, named.groups())) if named else None


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
