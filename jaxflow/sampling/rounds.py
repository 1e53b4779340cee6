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
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product

from jaxflow.core.types import Point, Reach, Row, Trial
from jaxflow.sampling.evidence import Evidence, Question
from jaxflow.sampling.part import Share
from jaxflow.sampling.slice import Slice

FIRST_ROUNDS = 3  # proposed one at a time: while little is known, each uses all before it
FIRST_TRIALS = 24  # about a threshold that is not located yet


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
        self._times: dict[Point, Sequence[float]] = {}
        self._numbers: dict[Point, set[int]] = {}  # of the trials proposed, by what is drawn

    @abstractmethod
    def slice_at(self, point: Point) -> Slice | None:
        """The slice on which a point lies; None if it is none of these."""

    def times_at(self, point: Point) -> Sequence[float]:
        """The flow times allowed at a point; none if it is on none of the slices."""
        if point not in self._times:
            slice = self.slice_at(point)
            self._times[point] = () if slice is None else slice.times(point)
        return self._times[point]

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
        for trial in trials:
            self._used(trial.point).add(trial.seed)
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
            times = self.times_at(row.point) if is_ours else ()
            if times and row.answers(times[-1]):
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

    def _trials(self, asked: Sequence[tuple[Point, int]]) -> list[Trial]:
        """With draws that no other trial of the search has, so that all are independent."""
        made = []
        for point, count in asked:
            horizon, within = self.times_at(point)[-1], self._within(point)
            used = self._used(point)
            numbers = list(islice((x for x in self.share if x not in used), count))
            used.update(numbers)
            made += [Trial(self.dynamics, point, x, horizon, within) for x in numbers]
        return made

    def _used(self, point: Point) -> set[int]:
        """The numbers of trials proposed whose draws are of such a point."""
        return self._numbers.setdefault(point.of_problem, set())


class Findings:
    """What a search has told of each question: by its first so many rounds, or by all that ended.

    Every trial is read once, however often it is asked.
    """

    def __init__(self, search: Rounds) -> None:
        self._search = search
        self._evidence = {question: Evidence(question) for question in search.questions}
        self.read = 0  # rounds, or trials

    def of_rounds(self, seen: int) -> Mapping[Question, Evidence]:
        """By so many rounds, all of which have ended; never fewer than the time before."""
        new = self._search.rounds[self.read : seen]
        self._add(self._search.ended[trial] for trials in new for trial in trials)
        self.read += len(new)
        return self._evidence

    def of_all(self) -> Mapping[Question, Evidence]:
        """By all trials that have ended so far."""
        ended = self._search.ended
        self._add(islice(ended.values(), self.read, None))
        self.read = len(ended)
        return self._evidence

    def _add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            times = self._search.times_at(row.point)
            for evidence in self._evidence.values():
                evidence.add(row, times)
