"""What is to be run of a protocol: axes, horizon, plan, recording, name. Plain data, without JAX.

A design may grow: any design of a protocol is run on the protocol's store, which keeps what earlier
ones left there.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from re import fullmatch
from typing import Self

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.schema import canonical, digest
from jaxflow.core.types import SIZES, Outline, Point, Recording, Row, Trial
from jaxflow.sampling.axes import Axes, Horizon, concerning
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.neighbours import warm_start
from jaxflow.sampling.part import Part
from jaxflow.sampling.plane_search import PlaneSearch
from jaxflow.sampling.rules import SCHEMA
from jaxflow.sampling.search import Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan

NAME = r"[^\W_][\w.+=-]*"  # of a folder, and of nothing above it


@dataclass(frozen=True)
class Design:
    """Axes, horizon, sampling plan and recording, under a name.

    Exactly one of `threshold` and `grid` says how n, or another axis, is sampled. `record` asks for
    trajectories of some trials.
    """

    name: str
    axes: Axes
    horizon: Horizon = Horizon()
    threshold: ThresholdPlan | None = None
    grid: GridPlan | None = None
    record: Recording | None = None

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        if not fullmatch(NAME, self.name):
            remedy = "begin with a letter or digit, and go on with those and . _ + = -"
            raise mistake("the name of a folder as name", self.name, remedy)
        if (self.threshold is None) == (self.grid is None):
            got = "both" if self.grid else "neither"
            raise mistake("either a threshold or a grid", got, "give one of the two tables")
        self.axes.check(self.along)
        if self.axes.ranges and self.threshold is None:
            got = f"a range of {self.axes.ranges[0]}"
            raise mistake("values on the axes of a grid", got, "list them")
        if self.threshold is not None:
            self._check_boundary(self.threshold)

    def _check_boundary(self, plan: ThresholdPlan) -> None:
        """Raise `ValueError` if what is said of the boundary cannot be so on these axes."""
        extents = self.axes.extents
        for name in sorted(plan.named - {*extents}):
            remedy = "leave it out, or give it several values or a range"
            raise unknown_name("axis of the boundary", name, extents, remedy)
        if extents:
            plan.axes([{name: ends[i] for name, ends in extents.items()} for i in (0, 1)])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The design that a store keeps as JSON; a rule of a user's module is not imported."""
        design: Self = SCHEMA.read(cls, json.loads(text), "the design")
        return design

    @cached_property
    def json(self) -> str:
        """The design as canonical JSON: what a store keeps beside others."""
        return canonical(SCHEMA.write(self))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON."""
        return digest(self.json)

    @cached_property
    def unloaded(self) -> list[str]:
        """The rules of users' modules in it that have not been imported."""
        return SCHEMA.unloaded(self)

    @property
    def plan(self) -> ThresholdPlan | GridPlan:
        """How the scanned axis is sampled."""
        plan = self.threshold or self.grid
        assert plan is not None
        return plan

    @property
    def along(self) -> str:
        """The axis that is scanned: n, d, p or a parameter."""
        return self.plan.along

    @property
    def parameters(self) -> list[str]:
        """The axes that are no sizes, by dotted name."""
        scanned = [] if self.along in SIZES else [self.along]
        return [*self.axes.parameters, *scanned]

    def slices(self, outline: Outline) -> Iterator[Slice]:
        """One slice for each dynamics of a protocol and each point off the scanned axis.

        Raises `ValueError` where the design has a rule of a user's module that is not imported.
        """
        if self.unloaded:
            remedy = "run the study, which imports it"
            raise mistake("a design whose rules are imported", self.unloaded, remedy)
        for name, pace in outline.dynamics.items():
            if self.along in SIZES or concerning([self.along], name):
                horizon = self.horizon.of(name, pace)
                for base in self.axes.points(self.along, name):
                    yield Slice(name, base, self.plan_at(base), horizon, pace)

    def searches(self, outline: Outline, part: Part = Part()) -> Sequence[Search | PlaneSearch]:
        """The search of every slice, or of the plane of every dynamics if there are ranges.

        Of a part, those that are dealt to it.
        """
        searched = self._searched(outline)
        costs = [sum(map(_work, slices)) for slices in searched]
        dealt = [
            ([slice.of_share(share) for slice in searched[i]], share)
            for i, share in part.shares(costs, self.plan.most_shares).items()
        ]
        if self.axes.ranges:
            return [
                PlaneSearch(slices, outline.events, share)
                if len(slices) > 1  # a range may be another dynamics' alone
                else Search(slices[0], events=outline.events, share=share)
                for slices, share in dealt
            ]
        searches = [Search(slice, events=outline.events, share=share) for (slice,), share in dealt]
        if self.threshold is not None:
            warm_start(searches)
        return searches

    def _searched(self, outline: Outline) -> list[list[Slice]]:
        """The slices of every search."""
        if not self.axes.ranges:
            return [[slice] for slice in self.slices(outline)]
        planes: dict[str, list[Slice]] = {}
        for slice in self.slices(outline):
            planes.setdefault(slice.dynamics, []).append(slice)
        return list(planes.values())

    def plan_at(self, base: Point) -> ThresholdPlan | GridPlan:
        """The plan of the slice at a base."""
        return self.grid.at(base) if self.grid else self.plan


def _work(slice: Slice) -> float:
    """Of a trial at the far end of a slice, up to a factor: its cost over the size of a step."""
    high = slice.plan.high
    far_end = slice.base.moved(slice.along, high)
    step = slice.pace.step_at(far_end, slice.dynamics) if slice.pace.step else 1.0
    return slice.cost(high) / step


class Board:
    """The searches of a design, or of a part of it: rows in, trials out."""

    def __init__(self, design: Design, outline: Outline, part: Part = Part()) -> None:
        self.searches = list(design.searches(outline, part))
        self._along = design.along
        self._by_slice = {
            (slice.dynamics, slice.base): search
            for search in self.searches
            for slice in search.slices
        }
        self._by_point: dict[tuple[str, Point], Search | PlaneSearch | None] = {}

    def tell(self, rows: Iterable[Row]) -> None:
        """Hand every row to its search."""
        mine: dict[Search | PlaneSearch | None, list[Row]] = {}
        for row in rows:
            mine.setdefault(self._search(row.dynamics, row.point), []).append(row)
        for search, found in mine.items():
            if search is not None:
                search.tell(found)

    def propose(self) -> list[Trial]:
        """The trials of every round that can be proposed by now, known ones among them.

        A search may propose once another has told it where to begin, so they are asked until no
        more comes.
        """
        trials: list[Trial] = []
        while new := [trial for search in self.searches for trial in search.propose()]:
            trials += new
        return trials

    @property
    def ended(self) -> int:
        """How many trials have ended of those proposed."""
        return sum(len(search.ended) for search in self.searches)

    def unproposed(self, trials: Iterable[Trial]) -> dict[Search | PlaneSearch, list[Trial]]:
        """Those of the trials that have ended, and that no search has proposed, by search."""
        found: dict[Search | PlaneSearch, list[Trial]] = {}
        for trial in trials:
            search = self._search(trial.dynamics, trial.point)
            if search is not None and search.has_ended_unproposed(trial):
                found.setdefault(search, []).append(trial)
        return found

    def missing(self, trials: Iterable[Trial]) -> list[Trial]:
        """Those of the trials that have not ended."""
        return [trial for trial in trials if self._is_missing(trial)]

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
        return all(search.finished for search in self.searches)

    def _is_missing(self, trial: Trial) -> bool:
        search = self._search(trial.dynamics, trial.point)
        return search is not None and trial not in search.ended

    def _search(self, dynamics: str, point: Point) -> Search | PlaneSearch | None:
        """The one on whose slices a point lies."""
        key = dynamics, point
        if key not in self._by_point:
            slice = dynamics, point.moved(self._along, 0)
            self._by_point[key] = self._by_slice.get(slice)
        return self._by_point[key]


def resumed(
    design: Design,
    outline: Outline,
    rows: Sequence[Row],
    asked: Callable[[], Sequence[Trial]],
    part: Part = Part(),
) -> tuple[Board, list[Trial]]:
    """The board of a design as far as rows of trials bring it, and all that it has proposed.

    What the design has `asked` for in runs like this one is proposed again. If it asked for other
    trials too, as its parts do, whose searches are others, all searches open with what has ended:
    then each asks only for what is missing of its precision, in other rounds the later it opens.
    """

    def begun() -> Board:
        board = Board(design, outline, part)
        board.tell(rows)
        return board

    board = begun()
    proposed = board.propose()
    is_whole = design.threshold is None or board.ended == len(rows)  # no row but of its proposals
    if not is_whole and board.unproposed(known := asked()):
        board = begun()
        for search, opening in board.unproposed(known).items():
            search.open_with(opening)
        proposed = board.propose()
    return board, proposed
