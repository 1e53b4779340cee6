"""The search for the thresholds of a slice: rounds of trials proposed from the rounds before.

A slice has a threshold for each event and horizon: its trials run to the longest, until all events
have happened, and the times of these tell how they end at the shorter ones.

A round is a function of the plan, of its number and of the rounds it may use, never of timing:
round r is proposed when all rounds before r - lag have ended, and from their results alone. So a
study that was interrupted, or has grown, proposes the same trials again, and those that are known
need not be run. The rounds in flight keep the machine full while the next one waits for results.
The lag is one round; a plan that asks for nothing is asked again without lag, so that it judges by
all results whether it is done. So is what a trial says of where others are that it may share a
program with: anywhere while the search explores, within reach of a threshold once it is located;
those of a grid with the next few of its values, or with all.

A search may have a parent (neighbours.py): it waits until the parent's rounds say where that
threshold is, and takes a guess of its own from those rounds and no later ones. Its own trials soon
make a better one (guess.py).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import inf, log
from typing import NamedTuple

from jaxflow.core.types import SIZES, Point, Reach, Row, Trial
from jaxflow.sampling.grid import ALIKE, GridPlan
from jaxflow.sampling.guess import guess_by_times
from jaxflow.sampling.plan import Plan
from jaxflow.sampling.slice import Slice
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Guess, Posterior

TINY = 1e-9  # of a flow time whose logarithm is taken
MOST_GROWTH = 4.0  # of a threshold from a slice to the next that is carried on
FIRST_ROUNDS = 3  # proposed one at a time: while little is known, each uses all before it
FIRST_TRIALS = 24  # trials that a search explores with


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
        assert above is not None  # the parent waited for it
        growth = (
            min(max(x / y, 1 / MOST_GROWTH), MOST_GROWTH) for x, y in zip(found, above, strict=True)
        )
        return tuple(x * g**self.power for x, g in zip(found, growth, strict=True))


class Question(NamedTuple):
    """When does an event happen by a horizon? One event alone has no name."""

    event: str
    horizon: int  # its place among those of the slice


class Search:
    """The trials of one slice: what is proposed, what has ended, what is next."""

    def __init__(
        self, slice: Slice, parent: Parent | None = None, events: Sequence[str] = ("",)
    ) -> None:
        self.slice, self.parent = slice, parent
        horizons = range(len(slice.horizon.labels))
        self.questions = [Question(*asked) for asked in product(events, horizons)]
        self._plans = {event: slice.plan.of_event(event) for event in events}
        self.rounds: list[list[Trial]] = []
        self.ended: dict[Trial, Row] = {}  # of the trials proposed
        self._waiting: dict[Trial, None] = {}  # proposed and not ended, in order
        self._told: dict[Trial, Row] = {}  # of others, which a round to come may propose
        self.exhausted = False  # the plan asks for nothing more
        self._lag = 1
        self._guesses: list[Guess | None] = [None] * len(self.questions)
        self._located: tuple[float, ...] | None = None
        # how far trials about the thresholds located go, and how many are to come
        self._ends = slice.plan.groups if isinstance(slice.plan, GridPlan) else []
        self._last_end: dict[Question, float] = {}
        self._read = 0  # rounds read to locate the thresholds
        self._posteriors: dict[Question, tuple[int, Posterior]] = {}

    @property
    def dynamics(self) -> str:
        """The name of the dynamics in the study."""
        return self.slice.dynamics

    @property
    def plan(self) -> Plan:
        """How the scanned axis is sampled."""
        return self.slice.plan

    @property
    def base(self) -> Point:
        """The point of the slice, at 0 of the scanned axis."""
        return self.slice.base

    @property
    def proposed(self) -> list[Trial]:
        """Every trial proposed so far, in order."""
        return [trial for trials in self.rounds for trial in trials]

    def propose(self) -> list[Trial]:
        """The trials of every round that can be proposed by now, in order."""
        proposed: list[Trial] = []
        while not self.exhausted and self._ready():
            seen = self._seen
            in_flight = sum(map(len, self.rounds[seen:]))
            asked = self._ask(seen, in_flight)
            if asked:
                self.rounds.append(self._trials(asked))
                proposed += self.rounds[-1]
                for trial in self.rounds[-1]:
                    if trial in self._told:
                        self.ended[trial] = self._told.pop(trial)
                    else:
                        self._waiting[trial] = None
            self.exhausted = not asked and not in_flight
            self._lag = 1 if asked else 0
        return proposed

    def tell(self, rows: Iterable[Row]) -> None:
        """Note the outcomes of this slice's trials, proposed already or not.

        Rows of other slices are passed over, and those followed for less time than is allowed.
        """
        for row in rows:
            mine = row.dynamics == self.dynamics
            mine = mine and row.point.moved(self.plan.along, 0) == self.base
            if mine and row.answers(self.slice.times(row.point)[-1]):
                trial = row.trial
                if trial in self._waiting:
                    del self._waiting[trial]
                    self.ended[trial] = row
                else:
                    self._told[trial] = row

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
        return self.exhausted and not self._waiting

    @property
    def missing(self) -> list[Trial]:
        """The trials proposed that have not ended."""
        return list(self._waiting)

    def tallies(self, question: Question | None = None) -> tuple[Tally, ...]:
        """Counts over all trials ended; of the last question, at the longest horizon, if none."""
        return self._tallies(len(self.rounds), question or self.questions[-1])

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
        while self._located is None and self._complete(self._read + 1):
            self._read += 1
            self._locate(self._read, at_last=False)
        if self._located is None and self.finished:
            self._locate(len(self.rounds), at_last=True)
        return self._located

    def _complete(self, number: int) -> bool:
        """Whether that many rounds have been proposed and have ended."""
        seen = self.rounds[:number]
        return len(seen) == number and all(t in self.ended for trials in seen for t in trials)

    def _locate(self, seen: int, at_last: bool) -> None:
        known = [(self._plans[q.event], self._tallies(seen, q)) for q in self.questions]
        if at_last or all(plan.locates(tallies) for plan, tallies in known):
            self._located = tuple(plan.posterior(tallies).median for plan, tallies in known)

    def _ask(self, seen: int, in_flight: int) -> list[tuple[float, int]]:
        """What the plan asks for of any question; one trial serves them all."""
        asked: Counter[float] = Counter()
        for question, guess in zip(self.questions, self._guesses, strict=True):
            plan, tallies = self._plans[question.event], self._tallies(seen, question)
            guess = guess_by_times(self._excesses(seen, question)) or guess
            self._note_reach(question, plan.reach(tallies, guess))
            asked |= Counter(dict(plan.ask(tallies, len(self.rounds), in_flight, guess)))
        return sorted(asked.items())

    @property
    def _seen(self) -> int:
        """How many rounds the next one looks at."""
        number = len(self.rounds)
        return number if number < FIRST_ROUNDS else number - self._lag

    def _ready(self) -> bool:
        return self._guessed() and self._complete(self._seen)

    def _guessed(self) -> bool:
        """Whether the parent, if there is one, has told where to begin."""
        if self.parent is not None and self._guesses[0] is None:
            found = self.parent.guesses()
            if found is None:
                return False
            low, high, spread = self.plan.low, self.plan.high, self.parent.spread
            self._guesses = [Guess(min(max(x, low), high), spread) for x in found]
        return True

    def _tallies(self, seen: int, question: Question) -> tuple[Tally, ...]:
        trials: Counter[float] = Counter()
        converged: Counter[float] = Counter()
        for row, x, time in self._known(seen, question):
            trials[x] += 1
            converged[x] += row.converged_by(time)
        return tuple(Tally(x, converged[x], trials[x]) for x in sorted(trials))

    def _excesses(self, seen: int, question: Question) -> Iterator[tuple[float, float]]:
        """What `guess_by_times` takes."""
        for row, x, time in self._known(seen, question):
            in_time = row.converged_by(self.slice.times(row.point)[-1])
            yield x, log(max(row.flow_time, TINY) / time) if in_time else inf

    def _known(self, seen: int, question: Question) -> Iterator[tuple[Row, float, float]]:
        """Rows of so many rounds, their places on the axis, and the times they are allowed."""
        for trial in (t for r in self.rounds[:seen] for t in r if t in self.ended):
            time = self.slice.times(trial.point)[question.horizon]
            row = self.ended[trial].of_event(question.event)
            yield row, trial.point[self.plan.along], time

    def _trials(self, asked: Sequence[tuple[float, int]]) -> list[Trial]:
        along = self.plan.along
        used = Counter(t.point[along] for trials in self.rounds for t in trials)
        made = []
        for x, count in asked:
            point = self.base.moved(along, x)
            horizon = self.slice.times(point)[-1]
            for seed in range(used[x], used[x] + count):
                made.append(Trial(self.slice.dynamics, point, seed, horizon, self._within(x)))
            used[x] += count
        return made

    def _note_reach(self, question: Question, reach: tuple[float, int] | None) -> None:
        """Keep what is there while the new one is about the same, for the programs' sake."""
        there = self._last_end.get(question)
        if reach is not None and (there is None or not ALIKE < reach[0] / there < 1 / ALIKE):
            self._last_end[question] = reach[0]
            self._ends.append(reach)

    def _within(self, x: float) -> Reach | None:
        """How far the trials go that may share a program with one at x.

        To the farthest place there is, and about a located threshold as far as trials are proposed.
        """
        if self.plan.along not in SIZES:
            return None
        near = sorted(end for end in self._ends if end[0] >= x)
        trials = max(near[0][1], FIRST_TRIALS) if near else FIRST_TRIALS
        return Reach(self.plan.along, (*(end for end, _ in near), self.plan.high), trials)
