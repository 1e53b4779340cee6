"""How long a run will take: what is left to compute and to compile, at the pace so far.

The work of a trial is counted in the evaluations of the field it took times the cost of one. How
many trials a cell still needs follows from the law that an interval shrinks like one over the root
of the trials. A cell of which too little is known is likened to the nearest one that has told: as
many trials, whose work grows as the cost of an evaluation times the flow time allowed, both at the
threshold. That is carried on as a power of d and p.
"""

from collections import Counter
from collections.abc import Sequence
from math import log

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
GROWTH = 1.0, 0.6  # powers of N in d and p, before cells tell
WARM = 0.7  # of the trials of a neighbour, for a cell that is told where to begin
NEAREST = 8  # trials of a grid that tell of another
ENOUGH = 16  # trials, from which on a cell tells of itself and others


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


class _WorkLeft:
    """The work that a cell still takes, in flops of a product."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        begun = [cell for cell in cells if cell.ended]
        most = max(len(cell.ended) for cell in begun)
        self._told = [cell for cell in begun if len(cell.ended) >= min(ENOUGH, most)]
        self._growth = {name: self._powers(name) for name in {cell.dynamics for cell in cells}}

    def of(self, cell: Cell) -> float:
        """Of all trials that are to end yet."""
        if not isinstance(cell.plan, ThresholdPlan):
            return self._of_grid(cell)
        nearest = self._nearest(cell)
        typical = expected_trials(nearest) * (WARM if cell.parent else 1.0)
        to_come = expected_trials(cell, typical) - len(cell.ended)
        return to_come * _mean_work(nearest) * self._load(cell) / self._load(nearest)

    def _of_grid(self, cell: Cell) -> float:
        """Of trials whose places are known, each by those that ended nearest by."""
        along = cell.plan.along
        rows = list(self._nearest(cell).ended.values())
        log_x = np.log([row.point[along] for row in rows])
        shares = np.array([work(row) / (_cost(row.point) * row.horizon) for row in rows])
        found = 0.0
        for point, trials in Counter(trial.point for trial in cell.missing).items():
            near = np.argsort(np.abs(log_x - log(point[along])), kind="stable")[:NEAREST]
            found += trials * float(np.mean(shares[near])) * _load(cell, point)
        return found

    def _nearest(self, cell: Cell) -> Cell:
        """The cell itself, if it has told enough, or the nearest that has, of its own dynamics."""
        return min(
            self._told,
            key=lambda other: (
                other is not cell,
                other.dynamics != cell.dynamics,
                distance(_sizes(other.base), _sizes(cell.base)),
            ),
        )

    def _load(self, cell: Cell) -> float:
        """Cost times flow time allowed at the cell's threshold."""
        return _load(cell, cell.base.moved(cell.plan.along, max(self._threshold(cell), 1)))

    def _threshold(self, cell: Cell) -> float:
        """That of the cell itself, or of the nearest that has told carried on."""
        nearest = self._nearest(cell)
        threshold = nearest.posterior().median
        if nearest is not cell and cell.plan.along == "n":
            for name, power in zip(("d", "p"), self._growth[cell.dynamics], strict=True):
                threshold *= (cell.base[name] / nearest.base[name]) ** power
        return float(min(max(threshold, cell.plan.low), cell.plan.high))

    def _powers(self, dynamics: str) -> tuple[float, float]:
        """Of N in d and p, by the cells of a dynamics that have told."""
        cells = [cell for cell in self._told if cell.dynamics == dynamics]
        if not cells or cells[0].plan.along != "n":
            return GROWTH
        logs = np.log([[c.base.d, c.base.p, c.posterior().median] for c in cells])
        powers = []
        for axis, default in enumerate(GROWTH):
            rest = logs[:, axis] - logs[:, axis].mean()
            spread = float(rest @ rest)
            slope = float(rest @ logs[:, 2]) / spread if spread > 0 else default
            powers.append(min(max(slope, 0.0), 2.0))
        return powers[0], powers[1]


def _mean_work(cell: Cell) -> float:
    """Of a trial of a cell that has told: over the later half, near the threshold."""
    rows = list(cell.ended.values())
    return float(np.mean([work(row) for row in rows[len(rows) // 2 :]]))


def _load(cell: Cell, point: Point) -> float:
    return _cost(point) * cell.horizon.times(point.n, point.p)[-1]


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
