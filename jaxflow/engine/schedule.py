"""Trials that wait to run, and which of them is next.

A worker keeps to one program as long as that has trials waiting, then takes the program with the
most work waiting: the most expensive trials run first and the cheap ones fill the gaps at the end.
A small number of trials is shared out, so that none waits behind another while a worker is idle.
Trials that were handed back, since one of them may be to blame for what happened to their worker,
run before all others, in halves and by themselves.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Condition

from jaxflow.core.types import Trial
from jaxflow.engine.settings import ProgramKey

SHARES = 4  # that a worker takes of what is waiting, one after the other


class _Queue:
    """Trials in the order in which they came, and the work in them."""

    def __init__(self) -> None:
        self._trials: deque[tuple[Trial, float]] = deque()
        self.work = 0.0

    def put(self, trial: Trial, work: float) -> None:
        self._trials.append((trial, work))
        self.work += work

    def get(self) -> Trial:
        trial, work = self._trials.popleft()
        self.work -= work
        return trial

    def __len__(self) -> int:
        return len(self._trials)


class Schedule:
    """The trials waiting for each program; every method may be called from any thread.

    `work` says what a trial costs at most, up to a factor.
    """

    def __init__(self, workers: int, work: Callable[[Trial], float]) -> None:
        self.workers, self._work = workers, work
        self._waiting: dict[ProgramKey, _Queue] = {}
        self._handed_back: deque[tuple[ProgramKey, list[Trial]]] = deque()
        self._compiling: set[ProgramKey] = set()
        self._change = Condition()
        self._is_closed = False

    @property
    def _queued(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def is_closed(self) -> bool:
        """Whether nothing is to be begun any more."""
        return self._is_closed

    def add(self, trials: Iterable[tuple[ProgramKey, Trial]]) -> None:
        """Queue trials, each for its program."""
        with self._change:
            for key, trial in trials:
                self._waiting.setdefault(key, _Queue()).put(trial, self._work(trial))
            self._change.notify_all()

    @property
    def backlog(self) -> int:
        """How many trials wait."""
        with self._change:
            return self._queued + sum(len(trials) for _, trials in self._handed_back)

    def hand_back(self, key: ProgramKey, trials: Sequence[Trial]) -> None:
        """Queue trials that could not be run together: each half, or one, by itself."""
        half = len(trials) // 2
        with self._change:
            if not self._is_closed:
                parts = (list(trials[:half]), list(trials[half:]))
                self._handed_back.extend((key, part) for part in parts if part)
                self._change.notify_all()

    def next_handed_back(self) -> tuple[ProgramKey, list[Trial]] | None:
        """A program and trials for it that are to be run without any others."""
        with self._change:
            return self._handed_back.popleft() if self._handed_back else None

    def next_program(self, timeout: float) -> ProgramKey | None:
        """The program with the most work waiting; None if there is none within so many seconds.

        The caller compiles it and says so by `compiled`. A program that another worker is at
        compiling comes last.
        """
        with self._change:
            come = lambda: self._is_closed or self._waiting or self._handed_back  # noqa: E731
            self._change.wait_for(come, timeout)
            if self._is_closed or not self._waiting:
                return None
            waiting = self._waiting
            key = max(waiting, key=lambda key: (key not in self._compiling, waiting[key].work))
            self._compiling.add(key)
            return key

    def compiled(self, key: ProgramKey) -> None:
        """The program is ready to run."""
        with self._change:
            self._compiling.discard(key)

    def take(self, key: ProgramKey, most: int) -> list[Trial]:
        """Up to `most` trials of a program, fewer near the end so that workers end together."""
        with self._change:
            waiting = self._waiting.get(key, _Queue())
            share = -(-self._queued // (SHARES * self.workers))
            taken = [waiting.get() for _ in range(min(most, share, len(waiting)))]
            if not len(waiting):
                self._waiting.pop(key, None)
            return taken

    def close(self) -> None:
        """Drop what is waiting."""
        with self._change:
            self._is_closed = True
            self._waiting.clear()
            self._handed_back.clear()
            self._change.notify_all()
