"""What a run hands to its store: harvests, what was asked for and what it took, in transactions.

A transaction has those of a moment, and waits for the disk, some milliseconds. So the next one is
made thirty times as long after it, or a quarter of a second where that is sooner: a kill loses no
more than that.
"""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from jaxflow.core.types import Row, Trial
from jaxflow.engine.runner import Runner, Stopwatch
from jaxflow.store.identity import StoredRun
from jaxflow.store.store import Store
from jaxflow.store.tables import now

REST, PAUSE = 30, 0.25  # times what a transaction took, and seconds, until the next at most


class Keeper:
    """Rows of a runner, trajectories and trials asked for on their way to a store.

    Leaving it writes them.
    """

    def __init__(self, store: Store, design_hash: str, runner: Runner, watch: Stopwatch) -> None:
        self._store, self._runner, self._watch = store, runner, watch
        self._began = time.monotonic()
        self._run = StoredRun(secrets.token_hex(8), design_hash, now())
        self._rows: list[Row] = []
        self._trajectories: dict[Trial, Mapping[str, np.ndarray]] = {}
        self._asked: list[Trial] = []
        self._due = 0.0

    def add(self, rows: Sequence[Row]) -> None:
        """Keep a harvest, and what was recorded of it."""
        self._rows += rows
        self._trajectories |= self._runner.trajectories(rows)

    def ask(self, trials: Iterable[Trial]) -> None:
        """Keep what the design asks for."""
        self._asked += trials

    def write(self) -> None:
        """Write all there is, if the last time is long enough ago."""
        if time.monotonic() >= self._due:
            began = time.monotonic()
            self._write()
            ended = time.monotonic()
            self._due = ended + min(PAUSE, REST * (ended - began))

    def _write(self) -> None:
        rows, trajectories, asked = self._rows, self._trajectories, self._asked
        self._rows, self._trajectories, self._asked = [], {}, []
        if rows or asked:
            with self._watch.of("store"), self._store.writing():
                self._store.insert(rows, trajectories)
                self._store.ask(self._run.design, asked)
                if rows:
                    self._store.note(self._taken(len(rows)))

    def _taken(self, trials: int) -> StoredRun:
        """The run, with what it took up to these trials."""
        usage = self._runner.usage
        self._run = replace(
            self._run,
            seconds=time.monotonic() - self._began,
            worker_seconds=float(usage.busy + usage.compiling),
            workers=max(self._run.workers, self._runner.parallel),
            trials=self._run.trials + trials,
        )
        return self._run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()
