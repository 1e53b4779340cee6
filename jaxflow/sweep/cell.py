"""One threshold of a study: rounds of trials proposed by a plan from the rounds before.

A round is a function of the plan, of its number and of the rounds it may look at, never of
timing: round r is proposed when all rounds before r - lag have ended, and from their results
alone. So a study that was interrupted proposes the same trials again, and the rounds in flight
keep the machine full while the next one waits for results. The lag is one round; a plan that asks
for nothing is asked again without lag, so that it judges by all results whether it is done.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from jaxflow._types import Outcome, Point, Row, Trial
from jaxflow.sweep._plan import Plan
from jaxflow.sweep.statistics import Tally

FIRST_ROUNDS = 3  # proposed one at a time: while little is known, each looks at all before it


class Cell:
    """The trials of one (dynamics, d, p): what is proposed, what has ended, what is next."""

    def __init__(
        self, dynamics: str, d: int, p: int, plan: Plan, horizon: Callable[[int, int], float]
    ) -> None:
        self.dynamics, self.d, self.p, self.plan, self.horizon = dynamics, d, p, plan, horizon
        self.rounds: list[list[Trial]] = []
        self.converged: dict[Trial, bool] = {}
        self.exhausted = False  # the plan asks for nothing more
        self._lag = 1

    def propose(self) -> list[Trial]:
        """The trials of every round that can be proposed by now, in order."""
        proposed: list[Trial] = []
        while not self.exhausted and self._ready():
            seen = self._seen
            in_flight = sum(map(len, self.rounds[seen:]))
            asked = self.plan.ask(self._tallies(seen), len(self.rounds), in_flight)
            if asked:
                self.rounds.append(self._trials(asked))
                proposed += self.rounds[-1]
            self.exhausted = not asked and not in_flight
            self._lag = 1 if asked else 0
        return proposed

    def tell(self, rows: Iterable[Row]) -> None:
        """Note the outcomes of this cell's trials; rows of other cells are passed over."""
        for row in rows:
            if (row.dynamics, row.d, row.p) == (self.dynamics, self.d, self.p):
                trial = Trial(row.dynamics, Point(row.d, row.n, row.p), row.seed, row.horizon)
                self.converged[trial] = row.outcome is Outcome.CONVERGED

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
        return self.exhausted and not self.missing

    @property
    def missing(self) -> list[Trial]:
        """The trials proposed that have not ended."""
        return [t for trials in self.rounds for t in trials if t not in self.converged]

    def tallies(self) -> tuple[Tally, ...]:
        """Counts over all proposed trials that have ended."""
        return self._tallies(len(self.rounds))

    @property
    def _seen(self) -> int:
        """How many rounds the next one looks at."""
        number = len(self.rounds)
        return number if number < FIRST_ROUNDS else number - self._lag

    def _ready(self) -> bool:
        seen = self.rounds[: self._seen]
        return all(trial in self.converged for trials in seen for trial in trials)

    def _tallies(self, seen: int) -> tuple[Tally, ...]:
        ended = [t for trials in self.rounds[:seen] for t in trials if t in self.converged]
        trials = Counter(t.point.n for t in ended)
        converged = Counter(t.point.n for t in ended if self.converged[t])
        return tuple(Tally(n, converged[n], trials[n]) for n in sorted(trials))

    def _trials(self, asked: Sequence[tuple[int, int]]) -> list[Trial]:
        used = Counter(t.point.n for trials in self.rounds for t in trials)
        made = []
        for n, count in asked:
            horizon = self.horizon(n, self.p)
            for seed in range(used[n], used[n] + count):
                made.append(Trial(self.dynamics, Point(self.d, n, self.p), seed, horizon))
            used[n] += count
        return made
