"""What a run hands to its store: harvests, and what was asked for, a moment's in one transaction.

A transaction waits for the disk, some milliseconds. So the next one is made thirty times as long
after it, or a quarter of a second where that is sooner: a kill loses no more than that.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np

from jaxflow.core.types import Row, Trial
from jaxflow.engine.runner import Stopwatch
from jaxflow.store.store import Store

REST, PAUSE = 30, 0.25  # times what a transaction took, and seconds, until the next at most


class Keeper:
    """Rows, trajectories and trials asked for on their way to a store; leaving it writes them."""

    def __init__(self, store: Store, design_hash: str, watch: Stopwatch) -> None:
        self._store, self._design, self._watch = store, design_hash, watch
        self._rows: list[Row] = []
        self._trajectories: dict[Trial, Mapping[str, np.ndarray]] = {}
        self._asked: list[Trial] = []
        self._due = 0.0

    def add(
        self, rows: Iterable[Row], trajectories: Mapping[Trial, Mapping[str, np.ndarray]]
    ) -> None:
        """Keep a harvest."""
        self._rows += rows
        self._trajectories |= trajectories

    def ask(self, trials: Iterable[Trial]) -> None:
        """Keep what the design asks for."""
        self._asked += trials

    def write(self) -> None:
        """Write all there is, if the last time is long enough ago."""
        if time.monotonic() >= self._due:
            began = time.monotonic()
            self._write()
            now = time.monotonic()
            self._due = now + min(PAUSE, REST * (now - began))

    def _write(self) -> None:
        rows, trajectories, asked = self._rows, self._trajectories, self._asked
        self._rows, self._trajectories, self._asked = [], {}, []
        if rows or asked:
            with self._watch.of("store"), self._store.writing():
                self._store.insert(rows, trajectories)
                self._store.ask(self._design, asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()
