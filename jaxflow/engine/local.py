"""Fill, advance, harvest, refill: trials in, rows out, over the workers of this machine."""

import logging
import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from jaxflow.core.machine import WORKER, check_precision
from jaxflow.core.types import Recording, Row, Trial
from jaxflow.engine.memory import check_memory
from jaxflow.engine.program import Program, Programs
from jaxflow.engine.runner import Runner, Usage, arrived
from jaxflow.engine.schedule import Schedule
from jaxflow.engine.settings import Lanes, ProgramKey, Settings
from jaxflow.engine.workers import Arrays, DeviceLostError, Meter, Worker
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.events import Certificate, Event, by_name
from jaxflow.flow.recording import check_recording
from jaxflow.problems.problem import Problem

log = logging.getLogger(__name__)


class LocalRunner(Runner):
    """Runs trials of one problem under named dynamics on the devices of this machine.

    `event` is what they are followed for, or several by name; `measured` are the observables taken
    where they end. `recording` says which trials are observed on their way.
    """

    def __init__(
        self,
        problem: Problem,
        dynamics: Mapping[str, Dynamics],
        *,
        event: Event | Mapping[str, Event] = Certificate(),
        measured: tuple[str, ...] = (),
        seed: int = 0,
        dtype: str = "float32",
        lanes: Lanes = Lanes(),
        recording: Recording | None = None,
    ) -> None:
        check_precision(dtype)
        for rule in dynamics.values():
            rule.check_precision(dtype)
        events = by_name(event)
        for one in events.values():
            problem.check_observables(one.observed)
        problem.check_observables(measured)
        if recording is not None:
            check_recording(recording, problem)
        self.lanes, self.recording, self._usage = lanes.resolved(), recording, Usage()
        self.settings = Settings(problem, dict(dynamics), events, dtype, self.lanes, measured)
        self._programs = Programs(self.settings, lanes, recording)
        self._schedule = Schedule(self.lanes.threads, self.settings.costs.most)
        self._checked: set[ProgramKey] = set()  # fit the memory
        self._trajectories: dict[Trial, Arrays] = {}
        self._ended: queue.SimpleQueue[list[Row] | BaseException] = queue.SimpleQueue()
        self._lock, self._lost = threading.Lock(), 0  # devices
        meter, devices = Meter(self._usage), self.lanes.on()
        self._threads = []
        for number in range(self.lanes.threads):
            device = devices[number % len(devices)]
            worker = Worker(seed, self._schedule, self._programs, device, meter, self._deliver)
            name = f"{WORKER} {number}"
            thread = threading.Thread(target=self._watch, args=(worker,), name=name, daemon=True)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()

    @property
    def usage(self) -> Usage:
        """What has been done by now."""
        return self._usage

    @property
    def parallel(self) -> int:
        """How many threads run trials."""
        return self.lanes.threads

    @property
    def programs(self) -> dict[tuple[ProgramKey, int], Program]:
        """The programs made by now, by key and number of the device."""
        return self._programs.made()

    @property
    def backlog(self) -> int:
        """How many trials have been submitted and not begun."""
        return self._schedule.backlog

    def drain(self, patience: float) -> Iterator[list[Row]]:
        """Begin nothing more, and give the rows of trials under way as they end.

        A batch of `map` runs to its end, one of `vmap` to its next chunk.
        """
        self._schedule.close()
        while any(thread.is_alive() for thread in self._threads):
            yield self.harvest(patience)
        yield self.harvest(0)

    def close(self, *, wait: bool = True) -> None:
        """Stop after the programs under way, or without waiting for these.

        Trials still waiting are dropped.
        """
        self._schedule.close()
        for thread in self._threads if wait else ():
            thread.join()

    def submit(self, trials: Iterable[Trial]) -> None:
        """Queue trials, each of a point that the problem can draw and the memory can hold."""
        keyed = [(self.settings.key(t, self._is_recorded(t)), t) for t in trials]
        new = {key: trial for key, trial in keyed if key not in self._checked}
        check_memory(self.settings, new.values())
        self._checked.update(new)
        self._schedule.add(keyed)

    def harvest(self, timeout: float | None = None) -> list[Row]:
        """The rows ended since the last harvest; waits for the first, up to `timeout` seconds."""
        found = arrived(self._ended, timeout)
        rows = [row for item in found if isinstance(item, list) for row in item]
        errors = [item for item in found if isinstance(item, BaseException)]
        if errors and not rows:
            raise errors[0]
        for error in errors:  # what has ended comes first
            self._ended.put(error)
        return rows

    def _is_recorded(self, trial: Trial) -> bool:
        return self.recording is not None and trial.seed < self.recording.trials

    def _deliver(self, rows: list[Row], recorded: dict[Trial, Arrays]) -> None:
        self._trajectories.update(recorded)  # before the rows: they are asked for by these
        self._ended.put(rows)

    def _watch(self, worker: Worker) -> None:
        try:
            worker.work()
        except BaseException as error:  # handed to the coordinator, which raises it
            with self._lock:
                self._lost += isinstance(error, DeviceLostError)
                others = self._lost < len(self._threads)
            if isinstance(error, DeviceLostError) and others:
                log.warning("going on without it: %s", error)
            else:
                self._ended.put(error)


def run_trial(
    problem: Problem,
    dynamics: Dynamics,
    trial: Trial,
    recording: Recording,
    *,
    event: Event | Mapping[str, Event] = Certificate(),
    measured: tuple[str, ...] = (),
    seed: int = 0,
    dtype: str = "float32",
    coordinates: str = "ambient",
) -> tuple[Row, Arrays]:
    """The row of one trial of a study with that seed, and its trajectory by observable.

    The row is the runner's. The arrays have one entry a recorded state, the first of them "time",
    in flow time. The trial is recorded whatever its seed is against `recording.trials`.
    """
    lanes = Lanes("map", width=1, threads=1, coordinates=coordinates)
    recording = replace(recording, trials=trial.seed + 1)
    with LocalRunner(
        problem,
        {trial.dynamics: dynamics},
        event=event,
        measured=measured,
        seed=seed,
        dtype=dtype,
        lanes=lanes,
        recording=recording,
    ) as runner:
        (row,) = runner.run([trial])
        return row, runner.trajectories([row])[trial]
