"""Random signals to scheduler, workers and coordinator, until every study has ended the same."""

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.processes import Place, Process, children, coordinator, is_alive, wrong_end
from tests.faults.processes import python as python_process
from tests.faults.site import Site
from tests.faults.tables import Table

VICTIMS = {"worker": 14, "coordinator": 4, "scheduler": 2}  # and how often each is one
KINDS = {signal.SIGKILL: 4, signal.SIGSTOP: 3, signal.SIGTERM: 3}
INTERVAL = (1.0, 3.0)  # seconds between two signals
ASLEEP = {"worker": (6.0, 12.0), "coordinator": (1.0, 15.0), "scheduler": (1.0, 8.0)}
READER = 5.0  # seconds between two readers
PATIENCE = 300.0  # seconds that a study may go on when signals come no more


@dataclass
class Tally:
    """What was done to whom, and what came of it."""

    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)  # of coordinators
    readers: int = 0
    studies: int = 0
    trials: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many signals have hit."""
        return sum(self.signals.values())


class Storm:
    """One study under signals, of a site's scheduler or with worker processes of its own."""

    def __init__(
        self, place: Place, table: Table, out: Path, site: Site | None, moments: random.Random
    ) -> None:
        self._place, self._table, self._out, self._site = place, table, out, site
        self._moments = moments
        self._asleep: list[tuple[float, int, int]] = []  # until when, whom, what then
        self._reader: Process | None = None
        self._read_at = 0.0

    def run(self, tally: Tally, most: int) -> None:
        """Send signals, up to so many in all, until the study has ended."""
        self._coordinator = self._start()
        strike = time.monotonic() + self._moments.uniform(*INTERVAL)
        over = None
        while self._goes_on(tally):
            now = time.monotonic()
            if now >= strike and tally.count < most:
                tally.signals.update(self._strike())
                strike = now + self._moments.uniform(*INTERVAL)
            over = over or (now + PATIENCE if tally.count >= most else None)
            if over and now > over:
                tally.wrong.append(f"{self._out.name} has not ended {PATIENCE:g} s after signals")
                break
            self._wake(now)
            self._read(tally, now)
            time.sleep(0.1)
        self._wake(float("inf"))
        self._coordinator.end()
        if self._reader is not None:
            self._note_reader(tally, self._reader.wait(60))
        tally.studies += 1
        tally.trials += self._table.trials
        if differs := self._table.differs(self._out):
            tally.wrong.append(f"{self._out.name}: {differs}")

    def _start(self) -> Process:
        study, place = self._table.study, self._place
        if self._site is not None:
            return coordinator(place, study, self._out, "--cluster", self._site.file)
        module = "tests.faults.impatient"
        return python_process(place, module, "run", study, "--out", self._out, "--workers", "2")

    def _goes_on(self, tally: Tally) -> bool:
        """Start again what has ended, unless that is the study."""
        if self._site is not None:
            self._site.mind()
        code = self._coordinator.code
        if code is None:
            return True
        tally.endings[f"{code}"] += 1
        if wrong := wrong_end(self._coordinator):
            tally.wrong.append(f"{self._out.name}: a coordinator {wrong}")
        if code == 0:
            return False
        self._coordinator = self._start()
        return True

    def _strike(self) -> list[tuple[str, str]]:
        """Send a signal to somebody; to whom and which, if that was there."""
        victims = self._victims()
        if "worker" not in victims:  # the coordinator has only begun
            return []
        (name,) = self._moments.choices([*victims], [VICTIMS[name] for name in victims])
        (number,) = self._moments.choices([*KINDS], [*KINDS.values()])
        pid = self._moments.choice(victims[name])
        asleep = self._moments.uniform(*ASLEEP[name])
        ends = signal.SIGKILL if name == "worker" and self._moments.random() < 0.5 else None
        if not self._send(pid, number):
            return []
        if number == signal.SIGSTOP:
            self._asleep.append((time.monotonic() + asleep, pid, ends or signal.SIGCONT))
        return [(name, number.name)]

    def _victims(self) -> dict[str, list[int]]:
        if self._site is None:
            pids = children(self._coordinator.pid)
            found = {"coordinator": [self._coordinator.pid], "worker": pids}
        else:
            found = {
                "coordinator": [self._coordinator.pid],
                "scheduler": [self._site.scheduler.pid],
                "worker": [worker.pid for worker in self._site.workers],
            }
        return {name: there for name, there in found.items() if there}

    def _send(self, pid: int, number: int) -> bool:
        if pid == self._coordinator.pid:
            return self._coordinator.send(number)
        if not is_alive(pid):
            return False
        os.kill(pid, number)
        return True

    def _wake(self, now: float) -> None:
        for until, pid, number in [one for one in self._asleep if one[0] <= now]:
            self._asleep.remove((until, pid, number))
            self._send(pid, number)

    def _read(self, tally: Tally, now: float) -> None:
        """Now and then somebody asks where the study stands."""
        if self._reader is None:
            if now >= self._read_at:
                self._reader = python_process(self._place, "jaxflow", "status", self._out)
        elif (code := self._reader.code) is not None:
            self._note_reader(tally, code)
            self._reader, self._read_at = None, now + READER

    def _note_reader(self, tally: Tally, code: int) -> None:
        assert self._reader is not None
        tally.readers += 1
        if code not in (0, 2) or wrong_end(self._reader):
            tally.wrong.append(f"{self._out.name}: a reader ended with {code}")
