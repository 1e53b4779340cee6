"""How long a run will take: what is left to compute and to compile, at the pace so far.

The work of a trial is the evaluations of the field it took times the cost of one, as padded. How
many trials a search still needs follows from the law that an interval shrinks like one over the
root of the trials. A search of which too little is known is likened to the nearest one that has
told: as many trials, each taking the same part of the evaluations to its horizon, or of the horizon
itself if its dynamics is another, at the threshold. That is carried on as a power of d and p.
"""

from collections import Counter
from collections.abc import Sequence
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.types import Point, Row, Trial
from jaxflow.engine.costs import Costs
from jaxflow.engine.runner import Usage
from jaxflow.sampling.neighbours import distance
from jaxflow.sampling.plane_search import PlaneSearch
from jaxflow.sampling.search import Search
from jaxflow.sampling.threshold import EXPLORING, ThresholdPlan
from jaxflow.statistics.powers import slope

TYPICAL_TRIALS = 60  # of one threshold to 4 %, before any search has told
TYPICAL_OF_PLANE = 200  # of a boundary to 4 %
MARGIN = 1.3  # trials run over those needed at the least
TYPICAL_PROGRAMS = 3.0  # compiled for a search
COMPILATION = 2.5  # seconds, before any has been timed
GROWTH = 1.0, 0.6  # powers of N in d and p, before searches tell
WARM = 0.7  # of the trials of a neighbour, for a search that is told where to begin
PADDING = 1.1  # of a trial about a located threshold, by which it takes longer
VAGUE = 1.0  # half an interval over the threshold: above it, trials were far from there
NEAREST = 8  # trials of a grid that tell of another
ENOUGH = 16  # trials, from which on a search tells of itself and others


def expected_trials(search: Search | PlaneSearch, typical: float | None = None) -> int:
    """A guess of how many trials the search takes in all; `typical` is what others took."""
    if isinstance(search, PlaneSearch):
        return _expected_of_plane(search)
    proposed = sum(map(len, search.rounds))
    plan = search.plan
    if search.exhausted or not isinstance(plan, ThresholdPlan):
        return proposed or sum(trials for _, trials in plan.ask((), 0))
    wanted = plan.relative_half_width
    if typical is None:
        typical = TYPICAL_TRIALS * max(1.0, 0.04 / wanted) ** 2
    needed = 0.0
    for question in search.questions:
        posterior = search.posterior(question)
        if (
            not search.ended or posterior.relative_half_width > EXPLORING / 4
        ):  # too early for the law
            needed = max(needed, typical - len(search.ended), plan.batch / 2)
        elif posterior.relative_half_width > wanted:
            needed = max(needed, plan.batch / 4, MARGIN * posterior.trials_to(wanted))
    return int(min(max(len(search.ended) + needed, proposed), plan.max_trials))


def _expected_of_plane(search: PlaneSearch) -> int:
    """By the law that the band narrows like one over the root of the trials."""
    proposed, plan = sum(map(len, search.rounds)), search.plan
    if search.exhausted:
        return proposed
    wanted = plan.relative_half_width
    typical = TYPICAL_OF_PLANE * max(1.0, 0.04 / wanted) ** 2
    widest = max(map(search.widest, search.questions)) if search.ended else inf
    grown = len(search.ended) * (widest / wanted) ** 2 if widest < EXPLORING / 4 else typical
    return int(min(max(grown, len(search.ended) + plan.batch / 4, proposed), plan.max_trials))


def seconds_left(
    searches: Sequence[Search | PlaneSearch], costs: Costs, usage: Usage, known: float, workers: int
) -> float:
    """Expected wall-clock time until every search has finished; infinite while nothing tells it.

    `known` is the work of the trials that were there before the run.
    """
    done = sum(costs.spent(row) for search in searches for row in search.ended.values()) - known
    if done <= 0 or usage.busy == 0 or not any(map(_tells, searches)):
        return inf
    compilation = usage.compiling / max(len(usage.programs), 1) or COMPILATION
    slices = [search for search in searches if isinstance(search, Search)]
    planes = [search for search in searches if isinstance(search, PlaneSearch)]
    work_left = sum(_work_of_plane(search, costs) for search in planes if not search.finished)
    if slices:
        left = _WorkLeft(slices, costs)
        work_left += sum(left.of(search) for search in slices if not search.finished)
    seconds = work_left * usage.busy / done + _programs_left(slices, costs) * compilation
    return seconds / workers


def _tells(search: Search | PlaneSearch) -> bool:
    """Whether its trials say how long others take: those far from the threshold do not."""
    if not search.ended:
        return False
    if isinstance(search, PlaneSearch) or not isinstance(search.plan, ThresholdPlan):
        return True
    return search.finished or search.posterior().relative_half_width < VAGUE


def _work_of_plane(search: PlaneSearch, costs: Costs) -> float:
    """Of trials to come, each like those that ended last."""
    rows = list(search.ended.values())[len(search.ended) // 2 :]
    to_come = expected_trials(search) - len(search.ended)
    return to_come * sum(map(costs.spent, rows)) / max(len(rows), 1)


class _WorkLeft:
    """The work that a search still takes, in flops of a product."""

    def __init__(self, searches: Sequence[Search], costs: Costs) -> None:
        self._costs = costs
        begun = [search for search in searches if search.ended]
        most = max(len(search.ended) for search in begun)
        self._told = [search for search in begun if len(search.ended) >= min(ENOUGH, most)]
        self._growth = {
            name: self._powers(name) for name in {search.dynamics for search in searches}
        }

    def of(self, search: Search) -> float:
        """Of all trials that are to end yet."""
        if not isinstance(search.plan, ThresholdPlan):
            return self._of_grid(search)
        nearest = self._nearest(search)
        typical = expected_trials(nearest) * (WARM if search.parent else 1.0)
        to_come = expected_trials(search, typical) - len(search.ended)
        rows = list(nearest.ended.values())[len(nearest.ended) // 2 :]  # near the threshold
        padding = self._padding(rows) if nearest is search else PADDING
        shares = self._shares(rows, search.dynamics)
        return to_come * float(np.mean(shares)) * padding * self._load(search)

    def _of_grid(self, search: Search) -> float:
        """Of trials whose places are known, each by those that ended nearest by."""
        along = search.plan.along
        rows = list(self._nearest(search).ended.values())
        log_x = np.log([row.point[along] for row in rows])
        shares = self._shares(rows, search.dynamics) * self._padding(rows)
        found = 0.0
        for point, trials in Counter(trial.point for trial in search.missing).items():
            near = np.argsort(np.abs(log_x - log(point[along])), kind="stable")[:NEAREST]
            found += trials * float(np.mean(shares[near])) * self._load_at(search, point)
        return found

    def _nearest(self, search: Search) -> Search:
        """The search itself, if it has told enough, or the nearest that has, of its dynamics."""
        return min(
            self._told,
            key=lambda other: (
                other is not search,
                other.dynamics != search.dynamics,
                distance(_sizes(other.base), _sizes(search.base)),
            ),
        )

    def _load(self, search: Search) -> float:
        """Cost times flow time allowed at the search's threshold."""
        x = max(self._threshold(search), 1)
        return self._load_at(search, search.base.moved(search.plan.along, x))

    def _load_at(self, search: Search, point: Point) -> float:
        horizon = search.slice.times(point)[-1]
        return self._costs.most(Trial(search.dynamics, point, 0, horizon))

    def _threshold(self, search: Search) -> float:
        """That of the search itself, or of the nearest that has told carried on."""
        nearest = self._nearest(search)
        threshold = nearest.posterior().median
        if nearest is not search and search.plan.along == "n":
            for name, power in zip(("d", "p"), self._growth[search.dynamics], strict=True):
                threshold *= (search.base[name] / nearest.base[name]) ** power
        return float(min(max(threshold, search.plan.low), search.plan.high))

    def _powers(self, dynamics: str) -> tuple[float, float]:
        """Of N in d and p, by the searches of a dynamics that have told."""
        searches = [search for search in self._told if search.dynamics == dynamics]
        if not searches or searches[0].plan.along != "n":
            return GROWTH
        logs = np.log([[c.base.d, c.base.p, c.posterior().median] for c in searches])
        powers = []
        for axis, default in enumerate(GROWTH):
            spread = np.ptp(logs[:, axis])
            grown = float(slope(logs[:, axis], logs[:, 2])) if spread > 0 else default
            powers.append(min(max(grown, 0.0), 2.0))
        return powers[0], powers[1]

    def _shares(self, rows: Sequence[Row], dynamics: str) -> NDArray[np.float64]:
        """Of the evaluations to its horizon, the part that each trial took.

        How many a flow takes is guessed, and known of steps; so another dynamics is told the part
        of the horizon.
        """
        if rows and rows[0].dynamics != dynamics:
            return np.nan_to_num([row.flow_time / row.horizon for row in rows], nan=1.0)
        return np.array([row.evaluations / self._costs.evaluations(row.trial) for row in rows])

    def _padding(self, rows: Sequence[Row]) -> float:
        """By what factor they took longer for being padded."""
        costs = self._costs
        padded = sum(costs.spent(row) for row in rows)
        bare = sum(row.evaluations * costs.evaluation(row.point) for row in rows)
        return padded / bare if bare else PADDING  # of trials that could not be run


def _sizes(point: Point) -> Point:
    """The point without its parameters, which other dynamics have others of."""
    return Point(point.d, point.n, point.p)


def _programs_left(searches: Sequence[Search], costs: Costs) -> float:
    """Programs still to be compiled: those of a grid's places; of a search, as others took."""
    grids = [search for search in searches if not isinstance(search.plan, ThresholdPlan)]
    sought = [search for search in searches if isinstance(search.plan, ThresholdPlan)]
    taken = [len({row.program for row in search.ended.values()}) for search in sought]
    full = [n for n, search in zip(taken, sought, strict=True) if search.finished]
    each = float(np.mean(full)) if full else TYPICAL_PROGRAMS
    return sum(_of_places(search, costs) for search in grids) + sum(
        max(0.0, each - n) for n, search in zip(taken, sought, strict=True) if not search.finished
    )


def _of_places(search: Search, costs: Costs) -> int:
    """Shapes of trials to come that none has had which ended."""
    to_come, had = (set(map(costs.shape, found)) for found in (search.missing, search.ended))
    return len(to_come - had)
