"""How long a run will take: what is left to compute and to compile, at the pace so far.

The work of a trial is counted in the evaluations of the field it took times the cost of one. Along
n = N(d, p) it grows as the cost of an evaluation times the flow time allowed, up to a share of that
which changes slowly and is taken from the trials nearest by. How many trials a cell still needs
follows from the law that an interval shrinks like one over the root of the trials; what a cell
needs that has not begun, from those that have: as many trials, at a threshold carried on as a power
of d and p.
"""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

import numpy as np

from jaxflow._types import Point, Row
from jaxflow.engine import Usage, bucket
from jaxflow.engine.costs import cost
from jaxflow.sweep import EXPLORING, Cell, ThresholdPlan
from jaxflow.sweep.neighbours import distance

TYPICAL_TRIALS = 60  # of one threshold to 4 %, before any cell has told
MARGIN = 1.3  # trials run over those needed at the least
TYPICAL_PROGRAMS = 8.0  # compiled for a cell
COMPILATION = 5.0  # seconds, before any has been timed
GROWTH = 1.0, 0.8  # powers of N in d and p, before cells tell
NEAREST = 8  # trials that a share is taken from


def expected_trials(cell: Cell, typical: float | None = None) -> int:
    """A guess of how many trials the cell takes in all; `typical` is what others took."""
    proposed = sum(map(len, cell.rounds))
    plan = cell.plan
    if cell.exhausted or not isinstance(plan, ThresholdPlan):
        return proposed or sum(trials for _, trials in plan.ask((), 0))
    wanted = plan.relative_half_width
    if typical is None:
        typical = TYPICAL_TRIALS * max(1.0, 0.04 / wanted) ** 2
    needed = 0.0
    for h in range(len(cell.horizon.labels)):
        posterior = cell.posterior(h)
        if not cell.ended or posterior.relative_half_width > EXPLORING / 4:  # too early for the law
            needed = max(needed, typical - len(cell.ended), plan.batch / 2)
        elif posterior.relative_half_width > wanted:
            needed = max(needed, plan.batch / 4, MARGIN * posterior.trials_to(wanted))
    return int(min(max(len(cell.ended) + needed, proposed), plan.max_trials))


def seconds_left(cells: Sequence[Cell], usage: Usage, known: float, workers: int) -> float:
    """Expected wall-clock time until every cell has finished.

    `known` is the work of the trials that were there before the run.
    """
    done = sum(work(row) for cell in cells for row in cell.ended.values()) - known
    if done <= 0 or usage.busy == 0:
        return float("inf")
    left = _WorkLeft(cells)
    compilation = usage.compiling / max(len(usage.programs), 1) or COMPILATION
    work_left = sum(left.of(cell) for cell in cells if not cell.finished)
    seconds = work_left * usage.busy / done + _programs_left(cells) * compilation
    return seconds / workers


def work(row: Row) -> float:
    """The work of a trial, in flops of a product."""
    return row.evaluations * _cost(row.point)


class _Told(NamedTuple):
    """What a cell's trials tell of others': places, and shares of work over cost times horizon."""

    cell: Cell
    log_x: np.ndarray
    shares: np.ndarray


class _WorkLeft:
    """The work that a cell still takes, in flops of a product."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._told = [_tell(cell) for cell in cells if cell.ended]
        self._thresholds = {id(told.cell): told.cell.posterior().median for told in self._told}
        ended = [len(cell.ended) for cell in cells if cell.finished]
        self._typical = float(np.mean(ended)) if ended else None
        self._growth = {name: self._powers(name) for name in {cell.dynamics for cell in cells}}

    def of(self, cell: Cell) -> float:
        """Of the trials under way, each at its place, and of those to come, at the threshold."""
        told = self._nearest(cell)
        under_way = cell.missing
        to_come = expected_trials(cell, self._typical) - len(cell.ended) - len(under_way)
        points = [trial.point for trial in under_way]
        found = sum(_expected(told, cell, point) for point in points)
        if to_come > 0:
            at = cell.base.moved(cell.plan.along, self._threshold(cell, told.cell))
            found += to_come * _expected(told, cell, at)
        return found

    def _nearest(self, cell: Cell) -> _Told:
        """The cell itself, if it has begun, or the nearest that has, of its own dynamics first."""
        return min(
            self._told,
            key=lambda told: (
                told.cell is not cell,
                told.cell.dynamics != cell.dynamics,
                distance(_sizes(told.cell.base), _sizes(cell.base)),
            ),
        )

    def _threshold(self, cell: Cell, nearest: Cell) -> float:
        """That of the cell itself, or of the nearest one carried on."""
        threshold = self._thresholds[id(nearest)]
        if nearest is not cell and cell.plan.along == "n":
            for name, power in zip(("d", "p"), self._growth[cell.dynamics], strict=True):
                threshold *= (cell.base[name] / nearest.base[name]) ** power
        return float(min(max(threshold, cell.plan.low), cell.plan.high))

    def _powers(self, dynamics: str) -> tuple[float, float]:
        """Of N in d and p, by the cells of a dynamics that have begun."""
        cells = [told.cell for told in self._told if told.cell.dynamics == dynamics]
        if not cells or cells[0].plan.along != "n":
            return GROWTH
        logs = np.log([[c.base.d, c.base.p, self._thresholds[id(c)]] for c in cells])
        powers = []
        for axis, default in enumerate(GROWTH):
            rest = logs[:, axis] - logs[:, axis].mean()
            spread = float(rest @ rest)
            slope = float(rest @ logs[:, 2]) / spread if spread > 0 else default
            powers.append(min(max(slope, 0.0), 2.0))
        return powers[0], powers[1]


def _tell(cell: Cell) -> _Told:
    rows = list(cell.ended.values())
    shares = [work(row) / (_cost(row.point) * row.horizon) for row in rows]
    return _Told(cell, np.log([row.point[cell.plan.along] for row in rows]), np.array(shares))


def _expected(told: _Told, cell: Cell, point: Point) -> float:
    """The work of a trial of a cell at a point, its share that of the trials nearest by."""
    along = cell.plan.along
    x = log(point[along])
    if told.cell is not cell:  # as far from its threshold as from the other's
        x += float(np.median(told.log_x)) - x
    nearest = np.argsort(np.abs(told.log_x - x), kind="stable")[:NEAREST]
    horizon = cell.horizon.times(point.n, point.p)[-1]
    return float(np.mean(told.shares[nearest])) * _cost(point) * horizon


def _cost(point: Point) -> float:
    return cost("ambient", bucket(point))


def _sizes(point: Point) -> Point:
    """The point without its parameters, which other dynamics have others of."""
    return Point(point.d, point.n, point.p)


def _programs_left(cells: Sequence[Cell]) -> float:
    """Programs still to be compiled: every cell takes as many as others had by their end."""
    counts = [len({bucket(row.point) for row in cell.ended.values()}) for cell in cells]
    full = [n for n, cell in zip(counts, cells, strict=True) if cell.finished]
    each = float(np.mean(full)) if full else TYPICAL_PROGRAMS
    return sum(
        max(0.0, each - n) for n, cell in zip(counts, cells, strict=True) if not cell.finished
    )
