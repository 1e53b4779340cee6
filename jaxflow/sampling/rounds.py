"""Rounds of trials, each proposed from the rounds before: the bookkeeping of every search.

A round is a function of the plan, of its number and of the rounds it may use, never of timing:
round r is proposed when all rounds before r - lag have ended, and from their results alone. So a
study that was interrupted, or has grown, proposes the same trials again, and those that are known
need not be run. The rounds in flight keep the machine full while the next one waits for results.
The lag is one round; a plan that asks for nothing is asked again without lag, so that it judges by
all results whether it is done.

Trials of the same search that were proposed elsewhere, as by parts of a study, can be its opening:
a round before all others.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from math import inf, log
from typing import NamedTuple

from jaxflow.core.types import Point, Reach, Row, Trial
from jaxflow.sampling.part import Share
from jaxflow.sampling.slice import Slice
from jaxflow.statistics.counts import Tally

TINY = 1e-9  # of a flow time whose logarithm is taken
FIRST_ROUNDS = 3  # proposed one at a time: while little is known, each uses all before it
FIRST_TRIALS = 24  # about a threshold that is not located yet


class Question(NamedTuple):
    """When does an event happen by a horizon? One event alone has no name."""

    event: str
    horizon: int  # its place among those of the slice


class Known(NamedTuple):
    """A row, the flow time that a question allows it, and the longest that any does."""

    row: Row
    time: float
    longest: float


class Rounds(ABC):
    """The trials of one dynamics in a part of the diagram: proposed, ended, next.

    Whoever searches says where that part is (`slice_at`), what is asked for next (`_ask`), and
    which trials may share a program (`_within`).
    """

    def __init__(
        self, dynamics: str, along: str, events: Sequence[str], horizons: int, share: Share
    ) -> None:
        self.dynamics = dynamics  # its name in the study
        self.along = along  # the axis that is scanned
        self.share = share  # the numbers of its trials
        self.questions = [Question(*asked) for asked in product(events, range(horizons))]
        self.rounds: list[list[Trial]] = []
        self.ended: dict[Trial, Row] = {}  # of the trials proposed
        self.exhausted = False  # nothing more is asked for
        self._waiting: dict[Trial, Trial] = {}  # proposed and not ended, in order
        self._told: dict[Trial, Row] = {}  # of others, which a round to come may propose
        self._over = 0  # rounds that have ended, and all before them
        self._lag = 1

    @abstractmethod
    def slice_at(self, point: Point) -> Slice | None:
        """The slice on which a point lies; None if it is none of these."""

    @abstractmethod
    def _ask(self, seen: int, in_flight: Sequence[Trial]) -> Sequence[tuple[Point, int]]:
        """Points and numbers of new trials, told what so many rounds found; none if done."""

    @abstractmethod
    def _within(self, point: Point) -> Reach | None:
        """How far the trials go that may share a program with one at the point."""

    def _ready(self) -> bool:
        """Whether the next round can be proposed."""
        return self._complete(self._seen)

    @property
    def proposed(self) -> list[Trial]:
        """Every trial proposed so far, in order."""
        return [trial for trials in self.rounds for trial in trials]

    def propose(self) -> list[Trial]:
        """The trials of every round that can be proposed by now, in order."""
        proposed: list[Trial] = []
        while not self.exhausted and self._ready():
            seen = self._seen
            in_flight = [trial for trials in self.rounds[seen:] for trial in trials]
            asked = self._ask(seen, in_flight)
            if asked:
                self.rounds.append(self._trials(asked))
                proposed += self.rounds[-1]
                for trial in self.rounds[-1]:
                    if trial in self._told:
                        self.ended[trial] = self._told.pop(trial)
                    else:
                        self._waiting[trial] = trial
            self.exhausted = not asked and not in_flight
            self._lag = 1 if asked else 0
        return proposed

    def open_with(self, trials: Sequence[Trial]) -> None:
        """Make trials that have ended the first round, before any is proposed."""
        self.rounds.append(list(trials))
        self.ended.update((trial, self._told.pop(trial)) for trial in trials)

    def has_ended_unproposed(self, trial: Trial) -> bool:
        """Whether an outcome is known of a trial that it has not proposed."""
        return trial in self._told

    def tell(self, rows: Iterable[Row]) -> None:
        """Note the outcomes of trials, proposed already or not.

        Rows of other slices and shares are passed over, and those followed for less time than is
        allowed.
        """
        for row in rows:
            is_ours = row.dynamics == self.dynamics and row.seed in self.share
            slice = self.slice_at(row.point) if is_ours else None
            if slice is not None and row.answers(slice.times(row.point)[-1]):
                trial = row.trial
                if trial in self._waiting:
                    self.ended[self._waiting.pop(trial)] = row  # the one that was proposed
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

    @property
    def _seen(self) -> int:
        """How many rounds the next one looks at."""
        number = len(self.rounds)
        return number if number < FIRST_ROUNDS else number - self._lag

    def _complete(self, number: int) -> bool:
        """Whether that many rounds have been proposed and have ended."""
        while self._over < len(self.rounds) and all(
            trial in self.ended for trial in self.rounds[self._over]
        ):
            self._over += 1
        return number <= self._over

    def _known(self, seen: int, question: Question) -> list[Known]:
        """What so many rounds say of a question."""
        found, times = [], dict[Point, Sequence[float]]()
        for trial in (t for r in self.rounds[:seen] for t in r if t in self.ended):
            if trial.point not in times:
                slice = self.slice_at(trial.point)
                assert slice is not None
                times[trial.point] = slice.times(trial.point)
            allowed = times[trial.point]
            row = self.ended[trial].of_event(question.event)
            found.append(Known(row, allowed[question.horizon], allowed[-1]))
        return found

    def _trials(self, asked: Sequence[tuple[Point, int]]) -> list[Trial]:
        used = {(trial.point, trial.seed) for trial in self.proposed}
        made = []
        for point, count in asked:
            slice = self.slice_at(point)
            assert slice is not None
            horizon = slice.times(point)[-1]
            within = self._within(point)
            unused = (number for number in self.share if (point, number) not in used)
            for number in islice(unused, count):
                made.append(Trial(self.dynamics, point, number, horizon, within))
        return made


def tallies(known: Iterable[Known], along: str) -> tuple[Tally, ...]:
    """Counts by place on an axis of those that converged in time."""
    trials: Counter[float] = Counter()
    converged: Counter[float] = Counter()
    for row, time, _ in known:
        x = row.point[along]
        trials[x] += 1
        converged[x] += row.converged_by(time)
    return tuple(Tally(x, converged[x], trials[x]) for x in sorted(trials))


def excesses(known: Iterable[Known], along: str) -> Iterator[tuple[float, float]]:
    """What `guess_by_times` takes."""
    for row, time, longest in known:
        in_time = row.converged_by(longest)
        yield row.point[along], log(max(row.flow_time, TINY) / time) if in_time else inf
