"""One worker a core (map) or a device (vmap): it takes trials of a program and hands over rows.

What goes wrong while a program runs is not the end. Without memory for a batch, half of it is run
at a time. A device that computes nothing any more hands its trials back and is left. Otherwise one
of the trials is to blame: they are run in halves, until it is alone and, tried again, has failed.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import jax
import numpy as np

from jaxflow.core.errors import mistake, shortened
from jaxflow.core.types import Row, Trial
from jaxflow.engine.batches import requests, row
from jaxflow.engine.program import Program, Programs
from jaxflow.engine.runner import Usage
from jaxflow.engine.schedule import Schedule
from jaxflow.engine.settings import ProgramKey
from jaxflow.flow.state import Request, Summary
from jaxflow.flow.stopping import Reason

PATIENCE = 0.2  # seconds of waiting for work, between two looks at who else is running
TRIES = 3  # of a trial that ran alone, after which it has failed
SUSPICIOUS = 8  # trials that fail before any has ended, after which the problem is to blame

log = logging.getLogger(__name__)
Arrays = dict[str, np.ndarray]
Take = Callable[[int], list[Trial]]  # up to so many trials of a program
OUT_OF_MEMORY = "RESOURCE_EXHAUSTED"  # in what JAX says


class Meter:
    """Counts into a `Usage` what several workers do."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._failed = 0
        self._lock = Lock()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count the time inside as running a program."""
        began = time.monotonic()
        with self._lock:
            self._usage.running += 1
        try:
            yield
        finally:
            with self._lock:
                self._usage.running -= 1
                self._usage.busy += time.monotonic() - began

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Count the time inside as compiling."""
        began = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._usage.compiling += time.monotonic() - began

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time inside as lost, if another worker was running when it began."""
        began, rivals = time.monotonic(), self._usage.running
        yield
        if rivals:
            with self._lock:
                self._usage.waiting += time.monotonic() - began

    def count(self, program: str, rows: list[Row], useful: int, advances: int) -> None:
        """Add trials ended by a program: `useful` advances of theirs, of so many of all lanes."""
        with self._lock:
            self._usage.programs.update((row.dynamics, program) for row in rows)
            self._usage.useful_advances += useful
            self._usage.advances += advances
            self._usage.trials += len(rows)
            self._usage.evaluations += sum(row.evaluations for row in rows)

    def failed(self) -> int:
        """Count a trial that could not be run; how many, as long as none has been."""
        with self._lock:
            self._failed += 1
            return 0 if self._usage.trials else self._failed


class DeviceLostError(ValueError):
    """A device computes nothing any more."""


class Worker:
    """Runs what is scheduled on one device, until the schedule is closed.

    `deliver` is called with the rows of trials that have ended and what was recorded of them.
    """

    def __init__(
        self,
        seed: int,
        schedule: Schedule,
        programs: Programs,
        device: jax.Device,
        meter: Meter,
        deliver: Callable[[list[Row], dict[Trial, Arrays]], None],
    ) -> None:
        self.seed, self.dtype = seed, programs.settings.dtype
        self.schedule, self.programs, self.device = schedule, programs, device
        self.meter, self.deliver = meter, deliver
        self._under_way: list[Trial] = []
        self._tries: Counter[Trial] = Counter()  # alone

    def work(self) -> None:
        """Take the next program, compile it, run its trials; again until the end.

        Raises `DeviceLostError` where the device computes nothing any more.
        """
        while not self.schedule.is_closed:
            key, take = self._next()
            if key is None:
                continue
            try:
                self._run(key, take)
            except jax.errors.JaxRuntimeError as error:
                trials, self._under_way = self._under_way, []
                self._recover(key, trials, error)

    def _next(self) -> tuple[ProgramKey | None, Take]:
        """A program, and where its trials come from."""
        if handed_back := self.schedule.next_handed_back():
            key, trials = handed_back
            self._under_way = [*trials]  # all of them, also before they are taken
            return key, lambda most: [trials.pop() for _ in range(min(most, len(trials)))]
        with self.meter.waiting():
            found = self.schedule.next_program(PATIENCE)
        return found, lambda most: self._taken(found, most) if found else []

    def _taken(self, key: ProgramKey, most: int) -> list[Trial]:
        trials = self.schedule.take(key, most)
        self._under_way += trials
        return trials

    def _run(self, key: ProgramKey, take: Take) -> None:
        program = self.programs.of(key, self.device)
        with self.meter.compiling():
            program.compile()
        self.schedule.compiled(key)
        if key.recorded:
            self._record(key, program, take)
        elif program.transform == "map":
            self._map(key, program, take)
        else:
            self._vmap(key, program, take)

    def _recover(self, key: ProgramKey, trials: list[Trial], error: Exception) -> None:
        """Go on without what could not be run."""
        if OUT_OF_MEMORY in str(error) and self.programs.narrow(key, self.device):
            log.warning("out of memory on %s: half as many trials at a time", self.device)
            self.schedule.add((key, trial) for trial in trials)
        elif not _computes(self.device):
            self.schedule.add((key, trial) for trial in trials)
            remedy = "see what its driver says, and run again; earlier trials are kept"
            raise DeviceLostError(
                str(mistake(f"a sum from {self.device}", _said(error), remedy))
            ) from error
        elif len(trials) != 1:
            if not trials:
                raise error
            self.schedule.hand_back(key, trials)
        else:
            self._tries.update(trials)
            if self._tries[trials[0]] < TRIES:
                self.schedule.hand_back(key, trials)
            else:
                self._fail(trials[0], error)

    def _fail(self, trial: Trial, error: Exception) -> None:
        """Note that a trial cannot be run; raises the error if it seems that none can."""
        why = _said(error)
        if self.meter.failed() >= SUSPICIOUS:
            remedy = "mend what the study draws or descends; `jaxflow trial` runs one"
            raise mistake("trials that can be run", why, remedy) from error
        log.warning("a trial failed %d times, %s: %s", TRIES, trial, why)
        self.deliver([self.programs.settings.failed_row(trial, "raised")], {})

    def _map(self, key: ProgramKey, program: Program, take: Take) -> None:
        """Batches of `width` trials, each run to its end."""
        while trials := take(program.width):
            with self.meter.busy():
                live = np.arange(program.width) < len(trials)
                summary = program.solve(self._requests(key, trials, program.width), live)
            rows = [self._row(program, trial, summary, i) for i, trial in enumerate(trials)]
            useful = int(summary.advances[: len(rows)].sum())
            self._end(program, rows, useful, useful)

    def _record(self, key: ProgramKey, program: Program, take: Take) -> None:
        """One trial after the other, observed on the way."""
        recording = program.recording
        assert recording is not None
        while trials := take(1):
            (trial,) = trials
            times = recording.schedule(trial.horizon).astype(self.dtype)
            with self.meter.busy():
                summary, trajectory = program.record(
                    self._requests(key, trials, 1), np.ones(1, bool), times[None]
                )
            row, useful = self._row(program, trial, summary, 0), int(summary.advances[0])
            recorded = {trial: recording.arrays(trajectory, 0)}
            self._end(program, [row], useful, useful, recorded)

    def _vmap(self, key: ProgramKey, program: Program, take: Take) -> None:
        """Continuous batching: chunks of evaluations, with ended lanes harvested and refilled."""
        held: list[Trial | None] = [None] * program.width
        with self.meter.busy():
            lanes = program.idle()
        while True:
            free = [lane for lane, trial in enumerate(held) if trial is None]
            for group in _split(free, program.group):
                trials = take(len(group))
                if not trials:
                    break
                where = np.full(program.group, program.width, np.int32)
                where[: len(trials)] = group[: len(trials)]
                for lane, trial in zip(group, trials, strict=False):
                    held[lane] = trial
                with self.meter.busy():
                    lanes = program.place(lanes, self._requests(key, trials, program.group), where)
            if all(trial is None for trial in held) or self.schedule.is_closed:
                return
            with self.meter.busy():
                lanes, count, reasons = program.advance(lanes, self.programs.settings.lanes.chunk)
                stopped = [
                    (lane, trial)
                    for lane, trial in enumerate(held)
                    if trial is not None and reasons[lane] != Reason.RUNNING
                ]
                summary = program.finish(lanes) if stopped else None
            rows, useful = [], 0
            if summary is not None:
                for lane, trial in stopped:
                    held[lane] = None
                    rows.append(self._row(program, trial, summary, lane))
                    useful += int(summary.advances[lane])
            self._end(program, rows, useful, count * program.width)

    def _requests(self, key: ProgramKey, trials: list[Trial], lanes: int) -> Request:
        return requests(self.seed, trials, lanes, self.dtype, key.inputs)

    def _row(self, program: Program, trial: Trial, summary: Summary, lane: int) -> Row:
        settings = self.programs.settings
        return row(
            trial,
            summary,
            lane,
            events=tuple(settings.events),
            measured=settings.measured,
            dtype=self.dtype,
            device=self.device.device_kind,
            program=program.name,
            versions=settings.versions,
        )

    def _end(
        self,
        program: Program,
        rows: list[Row],
        useful: int,
        advances: int,
        recorded: dict[Trial, Arrays] | None = None,
    ) -> None:
        self.meter.count(program.name, rows, useful, advances)
        ended = {row.trial for row in rows}
        self._under_way = [trial for trial in self._under_way if trial not in ended]
        if rows:
            self.deliver(rows, recorded or {})


def _computes(device: jax.Device) -> bool:
    """Whether a device adds two numbers."""
    try:
        return float(jax.device_put(np.float32(1), device) + np.float32(1)) == 2
    except jax.errors.JaxRuntimeError:
        return False


def _said(error: Exception) -> str:
    """What went wrong: the last exception in a text that may hold a traceback, or its beginning."""
    named = re.findall(r"^[\w.]*(?:Error|Exception)\b.*", str(error), re.MULTILINE)
    return shortened(named[-1] if named else error, 200)


def _split(lanes: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(lanes), size):
        yield lanes[first : first + size]
