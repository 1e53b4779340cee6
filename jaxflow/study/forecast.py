"""How long a run will take: what is left to compute and to compile, at the pace so far.

The work of a trial is counted in the evaluations of the field it took times the cost of one. How
many trials a slice still needs follows from the law that an interval shrinks like one over the root
of the trials. A slice of which too little is known is likened to the nearest one that has told: as
many trials, whose work grows as the cost of an evaluation times the flow time allowed, both at the
threshold. That is carried on as a power of d and p.
"""

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

from jaxflow.core.types import Point, Row
from jaxflow.engine.buckets import bucket
from jaxflow.engine.costs import cost
from jaxflow.engine.usage import Usage
from jaxflow.sampling.neighbours import distance
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import EXPLORING, ThresholdPlan
from jaxflow.statistics.powers import slope

TYPICAL_TRIALS = 60  # of one threshold to 4 %, before any slice has told
MARGIN = 1.3  # trials run over those needed at the least
TYPICAL_PROGRAMS = 8.0  # compiled for a slice
COMPILATION = 5.0  # seconds, before any has been timed
GROWTH = 1.0, 0.6  # powers of N in d and p, before slices tell
WARM = 0.7  # of the trials of a neighbour, for a slice that is told where to begin
NEAREST = 8  # trials of a grid that tell of another
ENOUGH = 16  # trials, from which on a slice tells of itself and others


def expected_trials(slice: Slice, typical: float | None = None) -> int:
    """A guess of how many trials the slice takes in all; `typical` is what others took."""
    proposed = sum(map(len, slice.rounds))
    plan = slice.plan
    if slice.exhausted or not isinstance(plan, ThresholdPlan):
        return proposed or sum(trials for _, trials in plan.ask((), 0))
    wanted = plan.relative_half_width
    if typical is None:
        typical = TYPICAL_TRIALS * max(1.0, 0.04 / wanted) ** 2
    needed = 0.0
    for h in range(len(slice.horizon.labels)):
        posterior = slice.posterior(h)
        if (
            not slice.ended or posterior.relative_half_width > EXPLORING / 4
        ):  # too early for the law
            needed = max(needed, typical - len(slice.ended), plan.batch / 2)
        elif posterior.relative_half_width > wanted:
            needed = max(needed, plan.batch / 4, MARGIN * posterior.trials_to(wanted))
    return int(min(max(len(slice.ended) + needed, proposed), plan.max_trials))


def seconds_left(slices: Sequence[Slice], usage: Usage, known: float, workers: int) -> float:
    """Expected wall-clock time until every slice has finished.

    `known` is the work of the trials that were there before the run.
    """
    done = sum(work(row) for slice in slices for row in slice.ended.values()) - known
    if done <= 0 or usage.busy == 0:
        return float("inf")
    left = _WorkLeft(slices)
    compilation = usage.compiling / max(len(usage.programs), 1) or COMPILATION
    work_left = sum(left.of(slice) for slice in slices if not slice.finished)
    seconds = work_left * usage.busy / done + _programs_left(slices) * compilation
    return seconds / workers


def work(row: Row) -> float:
    """The work of a trial, in flops of a product."""
    return row.evaluations * _cost(row.point)


class _WorkLeft:
    """The work that a slice still takes, in flops of a product."""

    def __init__(self, slices: Sequence[Slice]) -> None:
        begun = [slice for slice in slices if slice.ended]
        most = max(len(slice.ended) for slice in begun)
        self._told = [slice for slice in begun if len(slice.ended) >= min(ENOUGH, most)]
        self._growth = {name: self._powers(name) for name in {slice.dynamics for slice in slices}}

    def of(self, slice: Slice) -> float:
        """Of all trials that are to end yet."""
        if not isinstance(slice.plan, ThresholdPlan):
            return self._of_grid(slice)
        nearest = self._nearest(slice)
        typical = expected_trials(nearest) * (WARM if slice.parent else 1.0)
        to_come = expected_trials(slice, typical) - len(slice.ended)
        return to_come * _mean_work(nearest) * self._load(slice) / self._load(nearest)

    def _of_grid(self, slice: Slice) -> float:
        """Of trials whose places are known, each by those that ended nearest by."""
        along = slice.plan.along
        rows = list(self._nearest(slice).ended.values())
        log_x = np.log([row.point[along] for row in rows])
        shares = np.array([work(row) / (_cost(row.point) * row.horizon) for row in rows])
        found = 0.0
        for point, trials in Counter(trial.point for trial in slice.missing).items():
            near = np.argsort(np.abs(log_x - log(point[along])), kind="stable")[:NEAREST]
            found += trials * float(np.mean(shares[near])) * _load(slice, point)
        return found

    def _nearest(self, slice: Slice) -> Slice:
        """The slice itself, if it has told enough, or the nearest that has, of its own dynamics."""
        return min(
            self._told,
            key=lambda other: (
                other is not slice,
                other.dynamics != slice.dynamics,
                distance(_sizes(other.base), _sizes(slice.base)),
            ),
        )

    def _load(self, slice: Slice) -> float:
        """Cost times flow time allowed at the slice's threshold."""
        return _load(slice, slice.base.moved(slice.plan.along, max(self._threshold(slice), 1)))

    def _threshold(self, slice: Slice) -> float:
        """That of the slice itself, or of the nearest that has told carried on."""
        nearest = self._nearest(slice)
        threshold = nearest.posterior().median
        if nearest is not slice and slice.plan.along == "n":
            for name, power in zip(("d", "p"), self._growth[slice.dynamics], strict=True):
                threshold *= (slice.base[name] / nearest.base[name]) ** power
        return float(min(max(threshold, slice.plan.low), slice.plan.high))

    def _powers(self, dynamics: str) -> tuple[float, float]:
        """Of N in d and p, by the slices of a dynamics that have told."""
        slices = [slice for slice in self._told if slice.dynamics == dynamics]
        if not slices or slices[0].plan.along != "n":
            return GROWTH
        logs = np.log([[c.base.d, c.base.p, c.posterior().median] for c in slices])
        powers = []
        for axis, default in enumerate(GROWTH):
            spread = np.ptp(logs[:, axis])
            grown = float(slope(logs[:, axis], logs[:, 2])) if spread > 0 else default
            powers.append(min(max(grown, 0.0), 2.0))
        return powers[0], powers[1]


def _mean_work(slice: Slice) -> float:
    """Of a trial of a slice that has told: over the later half, near the threshold."""
    rows = list(slice.ended.values())
    return float(np.mean([work(row) for row in rows[len(rows) // 2 :]]))


def _load(slice: Slice, point: Point) -> float:
    return _cost(point) * slice.horizon.times(point.n, point.p)[-1]


def _cost(point: Point) -> float:
    return cost("ambient", bucket(point))


def _sizes(point: Point) -> Point:
    """The point without its parameters, which other dynamics have others of."""
    return Point(point.d, point.n, point.p)


def _programs_left(slices: Sequence[Slice]) -> float:
    """Programs still to be compiled: every slice takes as many as others had by their end."""
    counts = [len({bucket(row.point) for row in slice.ended.values()}) for slice in slices]
    full = [n for n, slice in zip(counts, slices, strict=True) if slice.finished]
    each = float(np.mean(full)) if full else TYPICAL_PROGRAMS
    return sum(
        max(0.0, each - n) for n, slice in zip(counts, slices, strict=True) if not slice.finished
    )
