"""What a worker process of a cluster does: packets of trials in, rows out.

A packet may be run any number of times, anywhere: its rows are functions of its trials. A process
keeps the runner that it makes for a study, and with it the compiled programs, for packets to come;
several packets at a time share it, so that the lanes one has left are filled by the next.
"""

import os
import pickle
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Condition, Lock
from typing import NamedTuple

from jaxflow.core.machine import versions
from jaxflow.core.types import Row, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.runner import Usage
from jaxflow.engine.workers import Arrays

PATIENCE = 0.5  # seconds that a packet waits before it asks again for what has ended
MOST_HOSTS = 4  # studies whose runners a process keeps


class Recipe(NamedTuple):
    """What a process needs to make the runner of a study.

    `pickled` is a function of the number of threads that gives the protocol's hash and a runner; it
    is read once the folders `path` of modules of the user's can be imported from.
    """

    protocol: str  # its hash
    versions: str
    path: tuple[str, ...]
    pickled: bytes


class Answer(NamedTuple):
    """What came of a packet: its rows, or why the process is `refused`."""

    process: str
    rows: Sequence[Row] = ()
    recorded: dict[Trial, Arrays] = {}  # noqa: RUF012
    usage: Usage = Usage()  # of all the process has done for the study
    refused: str = ""


def run_packet(recipe: Recipe, trials: Sequence[Trial]) -> Answer:
    """Run trials in a worker process of dask; what is raised ends the study."""
    from distributed import get_worker

    threads = get_worker().state.nthreads
    process = f"{os.uname().nodename} {os.getpid()}"
    with _lock:
        found = _hosts.get(recipe) or _host(recipe, threads)
        if isinstance(found, str):
            return Answer(process, refused=found)
        _keep(recipe, found)
    try:
        rows, recorded = found.run(trials)
    except BaseException:
        with _lock:
            _hosts.pop(recipe, None)  # its threads have ended
        raise
    usage = replace(found.runner.usage, programs=set(found.runner.usage.programs))
    return Answer(process, rows, recorded, usage)


class Host:
    """The runner of a process, shared by the packets it is at."""

    def __init__(self, runner: LocalRunner) -> None:
        self.runner, self.packets = runner, 0
        self._change = Condition()
        self._ended: dict[Trial, deque[Row]] = {}
        self._recorded: dict[Trial, Arrays] = {}
        self._is_asked = False  # a packet waits for the runner, on behalf of all
        self._error: BaseException | None = None

    def run(self, trials: Sequence[Trial]) -> tuple[list[Row], dict[Trial, Arrays]]:
        """The rows of trials, in order, and what was recorded of these."""
        self.runner.submit(trials)
        with self._change:
            self.packets += 1
            try:
                while not all(self._ended.get(trial) for trial in trials):
                    self._wait()
            finally:
                self.packets -= 1
            rows = [self._ended[trial].popleft() for trial in trials]
            for trial in trials:
                if not self._ended[trial]:
                    del self._ended[trial]
            recorded = {t: self._recorded.pop(t) for t in trials if t in self._recorded}
            return rows, recorded

    def _wait(self) -> None:
        """Until rows have come, asked for by this packet or by another."""
        if self._error is not None:
            raise self._error
        if self._is_asked:
            self._change.wait(PATIENCE)
            return
        self._is_asked, rows = True, []
        self._change.release()
        try:
            rows = self.runner.harvest(PATIENCE)
        except BaseException as error:
            self._error = error
        finally:
            self._change.acquire()
            self._is_asked = False
            for row in rows:
                self._ended.setdefault(row.trial, deque()).append(row)
            self._recorded.update(self.runner.trajectories(rows))
            self._change.notify_all()


_lock = Lock()
_hosts: dict[Recipe, Host] = {}


def _host(recipe: Recipe, threads: int) -> Host | str:
    """The host of a study that is new to this process, or why it can be none."""
    if recipe.versions != versions():
        return _difference(recipe.versions, versions())
    sys.path += [folder for folder in recipe.path if folder not in sys.path]
    try:
        make: Callable[[int], tuple[str, LocalRunner]] = pickle.loads(recipe.pickled)
    except ImportError as error:
        return f"it cannot import what the study names: {error}"
    protocol, runner = make(threads)
    if protocol != recipe.protocol:
        runner.close(wait=False)
        return f"it reads another protocol, {protocol[:12]} instead of {recipe.protocol[:12]}"
    return Host(runner)


def _difference(here: str, there: str) -> str:
    """Which packages a process has other versions of."""
    words = zip(here.split()[::2], here.split()[1::2], there.split()[1::2], strict=True)
    return "it has " + ", ".join(
        f"{name} {has} instead of {wanted}" for name, wanted, has in words if has != wanted
    )


def _keep(recipe: Recipe, host: Host) -> None:
    """Note that a host was used now, and close those that were not for long."""
    _hosts.pop(recipe, None)
    _hosts[recipe] = host
    idle = [kept for kept, other in _hosts.items() if other.packets == 0 and kept != recipe]
    for kept in idle[: max(0, len(_hosts) - MOST_HOSTS)]:
        _hosts.pop(kept).runner.close(wait=False)
