"""Fill, advance, harvest, refill: trials in, rows out, over the workers of a machine.

One worker a core (map) or a device (vmap), over one queue. A worker keeps to one program as long as
that has trials waiting, then takes the program with the most work waiting: the most expensive
trials run first and the cheap ones fill the gaps at the end. A small number of trials is shared
out, so that none waits behind another while a worker is idle. Rows come back in the order of their end;
what a row says does not depend on it.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Self

import jax
import numpy as np

from jaxflow.core.errors import mistake
from jaxflow.core.machine import versions
from jaxflow.core.types import Recording, Row, Trial
from jaxflow.engine.lanes import Lanes, fitting
from jaxflow.engine.program import Program
from jaxflow.engine.requests import requests
from jaxflow.engine.settings import ProgramKey, Settings
from jaxflow.engine.usage import Usage
from jaxflow.flow.dynamics import AdvanceBy, Dynamics
from jaxflow.flow.recording import check_recording
from jaxflow.flow.stopping import Reason, Success
from jaxflow.flow.trial import Request, Summary
from jaxflow.problems.shallow.ensemble import Ensemble

SHARES = 4  # that a worker takes of what is waiting, one after the other


class Runner:
    """Runs trials of one ensemble under named dynamics; a context manager.

    `submit` hands trials over, `harvest` gives the rows of those that have ended since; an error
    in a worker is raised there. `recording` says which trials are observed on their way.
    Rows are functions of the trial and the program, not of timing.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        dynamics: Mapping[str, Dynamics],
        *,
        success: Success = "signs",
        seed: int = 0,
        dtype: str = "float32",
        lanes: Lanes = Lanes(),
        recording: Recording | None = None,
    ) -> None:
        if jax.dtypes.canonicalize_dtype(dtype) != dtype:
            remedy = 'call jax.config.update("jax_enable_x64", True) first'
            raise mistake("64-bit JAX for float64", "32-bit JAX", remedy)
        self.seed, self.dtype, self.lanes = seed, dtype, lanes.resolved()
        self._width_is_given = lanes.width > 0
        self._is_vmapped = self.lanes.transform == "vmap"
        advance_by: AdvanceBy = "evaluation" if self._is_vmapped else "step"
        self.settings = Settings(
            ensemble, dict(dynamics), success, dtype, self.lanes.coordinates, advance_by
        )
        if recording is not None:
            check_recording(recording, ensemble)
        self.recording = recording
        self.usage = Usage()
        self.programs: dict[tuple[ProgramKey, int], Program] = {}
        self._waiting: dict[ProgramKey, deque[Trial]] = {}
        self._compiling: set[ProgramKey] = set()
        self._trajectories: dict[Trial, dict[str, np.ndarray]] = {}
        self._ended: queue.SimpleQueue[list[Row] | BaseException] = queue.SimpleQueue()
        self._change = self.usage.lock
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, args=(worker,), daemon=True)
            for worker in range(self.lanes.workers)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop after the kernels under way; trials still waiting are dropped."""
        with self._change:
            self._closed = True
            self._waiting.clear()
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def submit(self, trials: Iterable[Trial]) -> None:
        """Queue trials; each must be of a point that the ensemble can draw."""
        with self._change:
            for trial in trials:
                key = self.settings.key(trial, self._is_recorded(trial))
                self._waiting.setdefault(key, deque()).append(trial)
            self._change.notify_all()

    def harvest(self, timeout: float | None = None) -> list[Row]:
        """The rows ended since the last harvest; waits for the first, up to `timeout` seconds."""
        try:
            found = [self._ended.get(timeout=timeout)]
        except queue.Empty:
            return []
        while not self._ended.empty():
            found.append(self._ended.get())
        rows = [row for item in found if isinstance(item, list) for row in item]
        errors = [item for item in found if isinstance(item, BaseException)]
        if errors and not rows:
            raise errors[0]
        for error in errors:  # what has ended comes first
            self._ended.put(error)
        return rows

    def trajectories(self, rows: Iterable[Row]) -> dict[Trial, dict[str, np.ndarray]]:
        """What was recorded of the trials of these rows; it is handed over once."""
        with self._change:
            recorded = [row.trial for row in rows if row.trial in self._trajectories]
            return {trial: self._trajectories.pop(trial) for trial in recorded}

    def run(self, trials: Iterable[Trial]) -> list[Row]:
        """Submit trials and wait for all their rows, sorted by trial."""
        trials = list(trials)
        self.submit(trials)
        rows: list[Row] = []
        while len(rows) < len(trials):
            rows += self.harvest()
        return sorted(rows, key=lambda row: row.trial)

    # The workers.

    def _work(self, worker: int) -> None:
        try:
            while (key := self._next_program()) is not None:
                program = self._program(key, worker)
                self._compile(key, program)
                if key.recorded:
                    self._recorded(key, program)
                elif program.transform == "map":
                    self._mapped(key, program)
                else:
                    self._parallel(key, program)
        except BaseException as error:  # handed to the coordinator, which raises it
            self._ended.put(error)

    def _next_program(self) -> ProgramKey | None:
        """Wait for work; the program with the most of it waiting, None when closed.

        A program that another worker compiles comes last.
        """
        with self._change:
            began = time.monotonic()
            while not self._closed and not any(self._waiting.values()):
                rivals = self.usage.running
                self._change.wait(0.2)
                now = time.monotonic()
                self.usage.waiting += (now - began) if rivals else 0.0
                began = now
            if self._closed:
                return None
            waiting = {key: _most_work(key, trials) for key, trials in self._waiting.items()}
            key = max(waiting, key=lambda key: (key not in self._compiling, waiting[key]))
            self._compiling.add(key)
            return key

    def _compile(self, key: ProgramKey, program: Program) -> None:
        with self.usage.in_compiler():
            program.compile()
        with self._change:
            self._compiling.discard(key)

    def _program(self, key: ProgramKey, worker: int) -> Program:
        devices = jax.local_devices()
        device = devices[worker % len(devices)]
        with self._change:
            place = (key, device.id)
            if place not in self.programs:
                self.programs[place] = self._make_program(key, device)
            return self.programs[place]

    def _make_program(self, key: ProgramKey, device: jax.Device) -> Program:
        setting = self.settings.setting(key)
        if key.recorded:
            return Program(setting, "map", 1, device, self.recording)
        width = self.lanes.width
        if not self._width_is_given:
            width = fitting(width, setting, device)
        return Program(setting, "vmap" if self._is_vmapped else "map", width, device)

    def _is_recorded(self, trial: Trial) -> bool:
        return self.recording is not None and trial.seed < self.recording.trials

    def _requests(self, key: ProgramKey, trials: list[Trial], lanes: int) -> Request:
        return requests(self.seed, trials, lanes, self.dtype, key.inputs)

    def _take(self, key: ProgramKey, most: int) -> list[Trial]:
        """Up to so many trials of a program, but few of few, that the workers may end together."""
        with self._change:
            waiting = self._waiting.get(key, deque())
            share = -(-sum(map(len, self._waiting.values())) // (SHARES * self.lanes.workers))
            taken = [waiting.popleft() for _ in range(min(most, share, len(waiting)))]
            if not waiting:
                self._waiting.pop(key, None)
            return taken

    def _mapped(self, key: ProgramKey, program: Program) -> None:
        """Batches of `width` trials, each run to its end."""
        while trials := self._take(key, program.width):
            with self.usage.in_kernel():
                live = np.arange(program.width) < len(trials)
                summary = program.solve(self._requests(key, trials, program.width), live)
            rows = [self._row(program, trial, summary, i) for i, trial in enumerate(trials)]
            useful = int(summary.advances[: len(rows)].sum())
            self._deliver(program, rows, useful, useful)

    def _recorded(self, key: ProgramKey, program: Program) -> None:
        """One trial after the other, observed on the way."""
        assert self.recording is not None
        while trials := self._take(key, 1):
            (trial,) = trials
            times = self.recording.schedule(trial.horizon).astype(self.dtype)
            with self.usage.in_kernel():
                summary, trajectory = program.record(
                    self._requests(key, trials, 1), np.ones(1, bool), times[None]
                )
            arrays = self.recording.arrays(trajectory, 0)
            with self._change:
                self._trajectories[trial] = arrays
            useful = int(summary.advances[0])
            self._deliver(program, [self._row(program, trial, summary, 0)], useful, useful)

    def _parallel(self, key: ProgramKey, program: Program) -> None:
        """Continuous batching: chunks of steps, with ended lanes harvested and refilled."""
        held: list[Trial | None] = [None] * program.width
        with self.usage.in_kernel():
            lanes = program.idle()
        while True:
            free = [lane for lane, trial in enumerate(held) if trial is None]
            for group in _split(free, program.group):
                trials = self._take(key, len(group))
                if not trials:
                    break
                where = np.full(program.group, program.width, np.int32)
                where[: len(trials)] = group[: len(trials)]
                for lane, trial in zip(group, trials, strict=False):
                    held[lane] = trial
                with self.usage.in_kernel():
                    lanes = program.place(lanes, self._requests(key, trials, program.group), where)
            if all(trial is None for trial in held) or self._closed:
                return
            with self.usage.in_kernel():
                lanes, count, reasons = program.advance(lanes, self.lanes.chunk)
                ended = [
                    lane
                    for lane, trial in enumerate(held)
                    if trial is not None and reasons[lane] != Reason.RUNNING
                ]
                summary = program.finish(lanes) if ended else None
            rows, useful = [], 0
            for lane in ended:
                done, held[lane] = held[lane], None
                if done is not None and summary is not None:
                    rows.append(self._row(program, done, summary, lane))
                    useful += int(summary.advances[lane])
            self._deliver(program, rows, useful, count * program.width)

    def _deliver(self, program: Program, rows: list[Row], useful: int, advances: int) -> None:
        self.usage.count(program.name, rows, useful, advances)
        if rows:
            self._ended.put(rows)

    def _row(self, program: Program, trial: Trial, summary: Summary, lane: int) -> Row:
        values = {name: column[lane].item() for name, column in summary._asdict().items()}
        reason = Reason(values.pop("reason"))
        del values["advances"]
        return Row(
            dynamics=trial.dynamics,
            d=trial.point.d,
            n=trial.point.n,
            p=trial.point.p,
            parameters=trial.point.parameters,
            seed=trial.seed,
            horizon=trial.horizon,
            outcome=reason.outcome,
            reason=reason.name.lower(),
            dtype=self.dtype,
            device=program.device.device_kind,
            program=program.name,
            versions=versions(),
            **values,
        )


def _most_work(key: ProgramKey, trials: Iterable[Trial]) -> float:
    """What trials cost if all run to their horizons, up to a factor."""
    return sum(trial.horizon for trial in trials) * prod(key.shape)


def _split(lanes: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(lanes), size):
        yield lanes[first : first + size]
