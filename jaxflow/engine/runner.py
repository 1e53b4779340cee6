"""What runs trials: the interface, and the accounts of what was done and how long it took."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from queue import Empty, SimpleQueue
from typing import Self, TypeVar

import numpy as np

from jaxflow.core.types import Row, Trial

T = TypeVar("T")


@dataclass
class Usage:
    """What was done, and times in seconds summed over workers.

    A lane advances by attempted steps (map) or evaluations of the field (vmap).
    """

    trials: int = 0
    evaluations: int = 0
    useful_advances: int = 0
    advances: int = 0
    busy: float = 0.0  # running programs
    waiting: float = 0.0  # without work while another worker had some
    compiling: float = 0.0
    running: int = 0  # workers inside a program now
    programs: set[tuple[str, str]] = field(default_factory=set)  # with the dynamics of each

    @classmethod
    def total(cls, parts: Iterable["Usage"]) -> Self:
        """What several have done together."""
        found = cls()
        for part in parts:
            for f in fields(cls):
                if f.name != "programs":
                    setattr(found, f.name, getattr(found, f.name) + getattr(part, f.name))
            found.programs |= part.programs
        return found

    @property
    def utilization(self) -> float:
        """Advances of a trial over those there was room for, idle workers included."""
        if not (self.advances and self.busy):
            return 1.0
        return self.useful_advances / self.advances * self.busy / (self.busy + self.waiting)


@dataclass
class Stopwatch:
    """Seconds of one thread by what they went into."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Add the time inside."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began


def arrived(answers: "SimpleQueue[T]", timeout: float | None) -> list[T]:
    """All that a queue holds; waits for the first, up to `timeout` seconds."""
    try:
        found = [answers.get(timeout=timeout)]
    except Empty:
        return []
    while not answers.empty():
        found.append(answers.get())
    return found


class Runner(ABC):
    """Runs trials; a context manager.

    `submit` hands trials over, `harvest` gives the rows of those that have ended since, in the
    order of their end. Rows are functions of the trial and the program, not of timing.
    """

    _trajectories: dict[Trial, dict[str, np.ndarray]]  # of trials that have ended

    @property
    @abstractmethod
    def usage(self) -> Usage:
        """What has been done by now."""

    @property
    @abstractmethod
    def parallel(self) -> int:
        """How many workers there are: threads of this process, or those of a cluster."""

    @property
    def done(self) -> dict[str, int]:
        """How many trials each process of a cluster has done, by its name."""
        return {}

    @abstractmethod
    def submit(self, trials: Iterable[Trial]) -> None:
        """Queue trials; raises `ValueError` for those that no machine here can run."""

    @abstractmethod
    def harvest(self, timeout: float | None = None) -> list[Row]:
        """The rows ended since the last harvest; waits for the first, up to `timeout` seconds.

        What went wrong in running a trial is raised here, after the rows that have ended.
        """

    def trajectories(self, rows: Iterable[Row]) -> dict[Trial, dict[str, np.ndarray]]:
        """What was recorded of the trials of these rows; it is handed over once."""
        recorded = [row.trial for row in rows if row.trial in self._trajectories]
        return {trial: self._trajectories.pop(trial) for trial in recorded}

    @property
    @abstractmethod
    def backlog(self) -> int:
        """How many trials have been submitted and not begun."""

    @abstractmethod
    def drain(self, patience: float) -> Iterator[list[Row]]:
        """Begin nothing more, and give the rows of trials under way as they end.

        Every `patience` seconds at the latest, none if there are none; to be left at any time.
        """

    @abstractmethod
    def close(self, *, wait: bool = True) -> None:
        """Stop; trials still waiting are dropped, and those under way if none is to `wait` for."""

    def run(self, trials: Iterable[Trial]) -> list[Row]:
        """Submit trials and wait for all their rows, sorted by trial."""
        trials = list(trials)
        self.submit(trials)
        rows: list[Row] = []
        while len(rows) < len(trials):
            rows += self.harvest()
        return sorted(rows, key=lambda row: row.trial)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(wait=kind is None or not issubclass(kind, KeyboardInterrupt))
