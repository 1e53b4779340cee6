"""A cluster on this machine: a scheduler in this process, and worker processes that it minds.

The processes are started as commands, so that none imports the user's script again. They hear of
the scheduler on the loopback device alone, know of no terminal, and end when this process has
ended, however it ended. One that ends, or that the scheduler has not heard of for a while, is
replaced. Of several GPUs each has one.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from jaxflow.core.errors import mistake, shortened
from jaxflow.engine.connection import imported, quiet

if TYPE_CHECKING:
    from distributed import Client

HOST = "127.0.0.1"
SILENT = 60  # seconds without a heartbeat, after which a process has hung
STARTING = 120.0  # seconds that a process may take to start
PERIOD = 0.5  # seconds between two looks at the processes
FRUITLESS = 3  # starts of a process in a row that come to nothing, after which it is given up
SETTINGS = {
    "distributed.scheduler.worker-ttl": f"{SILENT}s",
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",  # of pages that there are not
    "distributed.admin.tick.interval": "1s",
    "distributed.comm.timeouts.connect": "10s",
}


@contextmanager
def started(count: int, threads: int) -> Iterator["Client"]:
    """A client of a scheduler here with so many worker processes, of so many threads each."""
    distributed = imported()
    import dask

    is_encrypted = dask.config.get("distributed.comm.require-encryption", None)
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        stack.enter_context(quiet())
        folder = stack.enter_context(TemporaryDirectory(prefix="jaxflow-workers-"))
        cluster = stack.enter_context(
            distributed.LocalCluster(
                n_workers=0,
                processes=False,
                host=HOST,
                protocol="tls://" if is_encrypted else "tcp://",
                dashboard_address=f"{HOST}:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
        )
        crew = [_Process(cluster.scheduler, number, threads, folder) for number in range(count)]
        for process in crew:
            stack.callback(process.end)
        over = threading.Event()
        minding = threading.Thread(target=_mind, args=(crew, over), daemon=True)
        minding.start()
        stack.callback(minding.join)
        stack.callback(over.set)
        client = stack.enter_context(distributed.Client(cluster))
        _await_one(crew)
        yield client


class _Process:
    """A worker process, and those that take its place."""

    def __init__(self, scheduler: Any, number: int, threads: int, folder: str) -> None:
        self._scheduler = scheduler
        self._number, self._threads, self._folder = number, threads, folder
        self._starts = 0
        self._said: IO[bytes] = TemporaryFile()  # noqa: SIM115
        self.fruitless = 0
        self._start()

    @property
    def is_there(self) -> bool:
        """Whether the scheduler knows it."""
        return any(w.name == self._name for w in [*self._scheduler.workers.values()])

    @property
    def said(self) -> str:
        """The last that it said."""
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip().splitlines()
        return words[-1] if words else "nothing"

    def mind(self) -> None:
        """Replace the process, if it has ended or hung."""
        if self.is_there:
            self._has_been_there, self.fruitless = True, 0
        has_hung = self._has_been_there or time.monotonic() - self._began > STARTING
        if self._process.poll() is not None or (has_hung and not self.is_there):
            self.fruitless += not self._has_been_there
            self._kill()
            if self.fruitless < FRUITLESS:
                self._start()

    def end(self) -> None:
        """End it for good."""
        self._kill()
        self._said.close()

    def _start(self) -> None:
        self._name = f"worker-{self._number}" + (f".{self._starts}" if self._starts else "")
        self._starts += 1
        self._began, self._has_been_there = time.monotonic(), False
        command = [
            *(sys.executable, "-m", "distributed.cli.dask_worker", self._scheduler.address),
            *("--name", self._name, "--nthreads", str(self._threads), "--host", HOST),
            *(
                "--no-nanny",
                "--no-dashboard",
                "--dashboard-address",
                f"{HOST}:0",
                "--memory-limit",
                "0",
                "--death-timeout",
                "30",
            ),
            *("--local-directory", self._folder),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env={**os.environ, **_settings(self._threads), **_device(self._number)},
            start_new_session=True,
        )

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def _mind(crew: Sequence[_Process], over: threading.Event) -> None:
    while not over.wait(PERIOD):
        for process in crew:
            process.mind()


def _await_one(crew: Sequence[_Process]) -> None:
    """Wait until there is a worker; `ValueError` if none can be started."""
    while not any(process.is_there for process in crew):
        if all(process.fruitless == FRUITLESS for process in crew):
            got = shortened(crew[0].said)
            raise mistake("worker processes that start", got, "run without --workers to see why")
        time.sleep(0.05)


def _settings(threads: int) -> dict[str, str]:
    """Those of dask for a worker, and how many threads XLA may take."""
    of_dask = {
        f"DASK_{name.replace('.', '__').replace('-', '_').upper()}": str(value)
        for name, value in SETTINGS.items()
    }
    return {"NPROC": str(threads), **of_dask}


def _device(number: int) -> dict[str, str]:
    """The GPU of a process, where there are some."""
    gpus = Path("/proc/driver/nvidia/gpus")
    known = os.environ.get("CUDA_VISIBLE_DEVICES")
    if known is None and gpus.is_dir():
        known = ",".join(map(str, range(len(list(gpus.iterdir())))))
    names = [name for name in (known or "").split(",") if name]
    return {"CUDA_VISIBLE_DEVICES": names[number % len(names)]} if names else {}
