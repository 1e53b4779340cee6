"""The search for the thresholds of a slice: rounds of trials proposed from the rounds before.

A slice has a threshold for each event and horizon: its trials run to the longest, until all events
have happened, and the times of these tell how they end at the shorter ones.

What a trial says of where others are that it may share a program with is anywhere while the search
explores, within reach of a threshold once it is located; those of a grid with the next few of its
values, or with all.

A search may have a parent (neighbours.py): it waits until the parent's rounds say where that
threshold is, and takes a guess of its own from those rounds and no later ones. Its own trials soon
make a better one (guess.py).
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from jaxflow.core.types import SIZES, Point, Reach, Trial
from jaxflow.sampling.evidence import Evidence, OnSlice, Question
from jaxflow.sampling.grid import ALIKE, GridPlan
from jaxflow.sampling.part import Share
from jaxflow.sampling.plan import Plan
from jaxflow.sampling.rounds import FIRST_TRIALS, Findings, Rounds
from jaxflow.sampling.slice import Slice
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Guess, Posterior

MOST_GROWTH = 4.0  # of a threshold from a slice to the next that is carried on


class Parent(NamedTuple):
    """Where a guess comes from: a search, by what its threshold is to be multiplied, how sure.

    With a `power`, by that of the parent's threshold over that of its own parent instead.
    """

    search: "Search"
    ratio: float
    spread: float
    power: float | None = None

    def guesses(self) -> tuple[float, ...] | None:
        """The thresholds that the child may have, one a question; None while that is not known."""
        found = self.search.located()
        if found is None or self.power is None:
            return found and tuple(x * self.ratio for x in found)
        above = self.search.parent and self.search.parent.search.located()
        if above is None:  # the parent opened with trials, and did not wait for it
            return None
        growth = (
            min(max(x / y, 1 / MOST_GROWTH), MOST_GROWTH) for x, y in zip(found, above, strict=True)
        )
        return tuple(x * g**self.power for x, g in zip(found, growth, strict=True))


class Search(Rounds):
    """The trials of one slice: what is proposed, what has ended, what is next."""

    def __init__(
        self,
        slice: Slice,
        parent: Parent | None = None,
        events: Sequence[str] = ("",),
        share: Share = Share(),
    ) -> None:
        super().__init__(slice.dynamics, slice.along, events, len(slice.horizon.labels), share)
        self.slice, self.parent = slice, parent
        self._plans = {event: slice.plan.of_event(event) for event in events}
        self._guesses: list[Guess | None] = [None] * len(self.questions)
        self._located: tuple[float, ...] | None = None
        # how far trials about the thresholds located go, and how many are to come
        self._ends = slice.plan.groups if isinstance(slice.plan, GridPlan) else []
        self._last_end: dict[Question, float] = {}
        self._seen_by_plan, self._of_all, self._locating = (Findings(self) for _ in range(3))
        self._posteriors: dict[Question, tuple[int, Posterior]] = {}

    @property
    def plan(self) -> Plan:
        """How the scanned axis is sampled."""
        return self.slice.plan

    @property
    def title(self) -> str:
        """Which slice it is, in a line of text."""
        return self.slice.title

    @property
    def base(self) -> Point:
        """The point of the slice, at 0 of the scanned axis."""
        return self.slice.base

    @property
    def slices(self) -> list[Slice]:
        """The one that is searched."""
        return [self.slice]

    def slice_at(self, point: Point) -> Slice | None:
        """Its slice, for a point on that."""
        return self.slice if point.moved(self.along, 0) == self.base else None

    def tallies(self, question: Question | None = None) -> tuple[Tally, ...]:
        """Counts over all trials ended; of the last question, at the longest horizon, if none."""
        return self._on_slice(self._of_all.of_all()[question or self.questions[-1]]).tallies

    def posterior(self, question: Question | None = None) -> Posterior:
        """The threshold by all trials that have ended; of the last question if none."""
        asked = question or self.questions[-1]
        ended, found = self._posteriors.get(asked, (-1, None))
        if found is None or ended != len(self.ended):
            found = self._plans[asked.event].posterior(self.tallies(asked))
            self._posteriors[asked] = len(self.ended), found
        return found

    def located(self) -> tuple[float, ...] | None:
        """The thresholds, one a question, by the first rounds that say where they are; or None."""
        while self._located is None and self._complete(self._locating.read + 1):
            self._locate(self._locating.read + 1, at_last=False)
        if self._located is None and self.finished:
            self._locate(len(self.rounds), at_last=True)
        return self._located

    def _locate(self, seen: int, at_last: bool) -> None:
        found = self._locating.of_rounds(seen).items()
        known = [(self._plans[q.event], self._on_slice(told).tallies) for q, told in found]
        if at_last or all(plan.locates(tallies) for plan, tallies in known):
            self._located = tuple(plan.posterior(tallies).median for plan, tallies in known)

    def _ask(self, seen: int, in_flight: Sequence[Trial]) -> list[tuple[Point, int]]:
        """What the plan asks for of any question; one trial serves them all."""
        asked: Counter[float] = Counter()
        found = self._seen_by_plan.of_rounds(seen)
        for question, guess in zip(self.questions, self._guesses, strict=True):
            plan, known = self._plans[question.event], self._on_slice(found[question])
            tallies, guess = known.tallies, known.guess or guess
            self._note_reach(question, plan.reach(tallies, guess))
            asked |= Counter(dict(plan.ask(tallies, len(self.rounds), len(in_flight), guess)))
        return [(self.base.moved(self.along, x), count) for x, count in sorted(asked.items())]

    def _ready(self) -> bool:
        return self._guessed() and super()._ready()

    def _guessed(self) -> bool:
        """Whether the parent, if there is one, has told where to begin."""
        if self.parent is not None and self._guesses[0] is None:
            found = self.parent.guesses()
            if found is None:
                return False
            low, high, spread = self.plan.low, self.plan.high, self.parent.spread
            self._guesses = [Guess(min(max(x, low), high), spread) for x in found]
        return True

    def _on_slice(self, evidence: Evidence) -> OnSlice:
        return evidence.by_place((), self.along).get((), OnSlice())

    def _note_reach(self, question: Question, reach: tuple[float, int] | None) -> None:
        """Keep what is there while the new one is about the same, for the programs' sake."""
        there = self._last_end.get(question)
        if reach is not None and (there is None or not ALIKE < reach[0] / there < 1 / ALIKE):
            self._last_end[question] = reach[0]
            self._ends.append(reach)

    def _within(self, point: Point) -> Reach | None:
        """How far the trials go that may share a program with one at a point.

        To the farthest place there is, and about a located threshold as far as trials are proposed.
        """
        if self.along not in SIZES:
            return None
        near = sorted(end for end in self._ends if end[0] >= point[self.along])
        trials = max(near[0][1], FIRST_TRIALS) if near else FIRST_TRIALS
        return Reach(self.along, (*(end for end, _ in near), self.plan.high), trials)
