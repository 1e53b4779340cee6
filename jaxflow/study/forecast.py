"""How long a run will take: what is left to compute and to compile, at the pace so far.

The work of a trial is counted in the evaluations of the field it took times the cost of one. What a
cell still needs follows from the law that an interval shrinks like one over the root of the trials;
what a cell needs that has not begun, from those that have, with the growth of work along p and d
that they show.
"""

from collections.abc import Sequence
from math import exp, log

import numpy as np

from jaxflow._types import Row
from jaxflow.engine import Usage, bucket
from jaxflow.engine.costs import cost
from jaxflow.sweep import EXPLORING, Cell, ThresholdPlan

TYPICAL_TRIALS = 36  # of one threshold, to find the order of magnitude and some of the shape
MARGIN = 1.3  # trials run over those needed at the least
TYPICAL_PROGRAMS = 8.0  # compiled for a cell
COMPILATION = 5.0  # seconds, before any has been timed
GROWTH = 1.5  # of the work of a trial along d p, before two cells tell


def expected_trials(cell: Cell) -> int:
    """A guess of how many trials the cell takes in all."""
    proposed = sum(map(len, cell.rounds))
    plan = cell.plan
    if cell.exhausted or not isinstance(plan, ThresholdPlan):
        return proposed or sum(trials for _, trials in plan.ask((), 0))
    wanted = plan.relative_half_width
    typical = TYPICAL_TRIALS * max(1.0, 0.04 / wanted) ** 2
    horizons = range(len(cell.horizon.labels))
    left = 0.0
    for h in horizons:
        posterior = cell.posterior(h)
        if not cell.ended or posterior.relative_half_width > EXPLORING / 4:  # too early for the law
            left += max(0.0, typical - len(cell.ended) / len(horizons))
        elif posterior.relative_half_width > wanted:
            left += max(plan.batch / 4, MARGIN * posterior.trials_to(wanted))
    return int(min(max(len(cell.ended) + left, proposed), plan.max_trials))


def seconds_left(cells: Sequence[Cell], usage: Usage, known: float, workers: int) -> float:
    """Expected wall-clock time until every cell has finished.

    `known` is the work of the trials that were there before the run.
    """
    done = sum(work(row) for cell in cells for row in cell.ended.values()) - known
    if done <= 0 or usage.busy == 0:
        return float("inf")
    dearness = _Dearness(cells)
    work_left = sum(
        (expected_trials(cell) - len(cell.ended)) * dearness.of(cell)
        for cell in cells
        if not cell.finished
    )
    compilation = usage.compiling / max(len(usage.programs), 1) or COMPILATION
    seconds = work_left * usage.busy / done + _programs_left(cells) * compilation
    return seconds / workers


def work(row: Row) -> float:
    """The work of a trial, in flops of a product."""
    return row.evaluations * cost("ambient", bucket(row.point))


class _Dearness:
    """The work of a further trial of each cell."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._known = {id(cell): self._recent(cell) for cell in cells if cell.ended}
        self._fits: dict[str, tuple[float, float]] = {}
        for name in {cell.dynamics for cell in cells}:
            begun = [c for c in cells if c.dynamics == name and c.ended]
            sizes = np.array([_size(c) for c in begun])
            dear = np.array([log(self._known[id(c)]) for c in begun])
            if len(begun) > 1 and np.ptp(sizes) > 0:
                slope = float(np.clip(np.polyfit(sizes, dear, 1)[0], 0.5, 3.0))
            else:
                slope = GROWTH
            offset = float(np.mean(dear - slope * sizes)) if begun else float("nan")
            self._fits[name] = slope, offset
        offsets = [offset for _, offset in self._fits.values() if offset == offset]
        self._typical = float(np.mean(offsets))

    def of(self, cell: Cell) -> float:
        """In flops of a product."""
        if id(cell) in self._known:
            return self._known[id(cell)]
        slope, offset = self._fits[cell.dynamics]
        return exp(slope * _size(cell) + (offset if offset == offset else self._typical))

    def _recent(self, cell: Cell) -> float:
        """The mean over the later half of the trials, which are those near the threshold."""
        rows = list(cell.ended.values())
        return float(np.mean([work(row) for row in rows[len(rows) // 2 :]]))


def _size(cell: Cell) -> float:
    return log(max(cell.base.d, 1) * max(cell.base.p, 1))


def _programs_left(cells: Sequence[Cell]) -> float:
    """Programs still to be compiled: every cell takes as many as others had by their end."""
    counts = [len({bucket(row.point) for row in cell.ended.values()}) for cell in cells]
    full = [n for n, cell in zip(counts, cells, strict=True) if cell.finished]
    each = float(np.mean(full)) if full else TYPICAL_PROGRAMS
    return sum(
        max(0.0, each - n) for n, cell in zip(counts, cells, strict=True) if not cell.finished
    )
