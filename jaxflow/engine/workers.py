"""One worker a core (map) or a device (vmap): it takes trials of a program and hands over rows."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import jax
import numpy as np

from jaxflow.core.types import Row, Trial
from jaxflow.engine.batches import requests, row
from jaxflow.engine.program import Program, Programs
from jaxflow.engine.runner import Usage
from jaxflow.engine.schedule import Schedule
from jaxflow.engine.settings import ProgramKey
from jaxflow.flow.state import Request, Summary
from jaxflow.flow.stopping import Reason

PATIENCE = 0.2  # seconds of waiting for work, between two looks at who else is running

Arrays = dict[str, np.ndarray]


class Meter:
    """Counts into a `Usage` what several workers do."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
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

    def work(self) -> None:
        """Take the next program, compile it, run its trials; again until the end."""
        while not self.schedule.is_closed:
            with self.meter.waiting():
                key = self.schedule.next_program(PATIENCE)
            if key is None:
                continue
            program = self.programs.of(key, self.device)
            with self.meter.compiling():
                program.compile()
            self.schedule.compiled(key)
            if key.recorded:
                self._record(key, program)
            elif program.transform == "map":
                self._map(key, program)
            else:
                self._vmap(key, program)

    def _map(self, key: ProgramKey, program: Program) -> None:
        """Batches of `width` trials, each run to its end."""
        while trials := self.schedule.take(key, program.width):
            with self.meter.busy():
                live = np.arange(program.width) < len(trials)
                summary = program.solve(self._requests(key, trials, program.width), live)
            rows = [self._row(program, trial, summary, i) for i, trial in enumerate(trials)]
            useful = int(summary.advances[: len(rows)].sum())
            self._end(program, rows, useful, useful)

    def _record(self, key: ProgramKey, program: Program) -> None:
        """One trial after the other, observed on the way."""
        recording = program.recording
        assert recording is not None
        while trials := self.schedule.take(key, 1):
            (trial,) = trials
            times = recording.schedule(trial.horizon).astype(self.dtype)
            with self.meter.busy():
                summary, trajectory = program.record(
                    self._requests(key, trials, 1), np.ones(1, bool), times[None]
                )
            row, useful = self._row(program, trial, summary, 0), int(summary.advances[0])
            recorded = {trial: recording.arrays(trajectory, 0)}
            self._end(program, [row], useful, useful, recorded)

    def _vmap(self, key: ProgramKey, program: Program) -> None:
        """Continuous batching: chunks of evaluations, with ended lanes harvested and refilled."""
        held: list[Trial | None] = [None] * program.width
        with self.meter.busy():
            lanes = program.idle()
        while True:
            free = [lane for lane, trial in enumerate(held) if trial is None]
            for group in _split(free, program.group):
                trials = self.schedule.take(key, len(group))
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
        if rows:
            self.deliver(rows, recorded or {})


def _split(lanes: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(lanes), size):
        yield lanes[first : first + size]
