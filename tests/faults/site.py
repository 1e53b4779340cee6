"""A scheduler and its workers on the loopback device; what has ended is started again."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.processes import Place, Process, python, wait_for

QUIET = ("--host", "127.0.0.1", "--no-dashboard")


class Site:
    """What a site's tools do: a scheduler at a port that stays, and so many workers."""

    def __init__(self, place: Place, workers: int = 2, preload: str = "") -> None:
        self.port = free_port()
        self.file = place.folder / f"scheduler-{self.port}.json"
        self._place = place
        self._preload = ("--preload", preload) if preload else ()
        self.scheduler = self._scheduler()
        wait_for(self.file.exists, 60, "the scheduler's file")
        self.workers = [self._worker() for _ in range(workers)]

    @property
    def address(self) -> str:
        """That of the scheduler."""
        return f"tcp://127.0.0.1:{self.port}"

    def mind(self) -> None:
        """Start again what has ended."""
        if self.scheduler.code is not None:
            self.scheduler = self._scheduler()
        self.mind_workers()

    def mind_workers(self) -> None:
        """Start again those that have ended, whether there is a scheduler or not."""
        for number, worker in enumerate(self.workers):
            if worker.code is not None:
                self.workers[number] = self._worker()

    def end(self) -> None:
        """End them all."""
        for process in (*self.workers, self.scheduler):
            process.end()

    def _scheduler(self) -> Process:
        where = ("--port", self.port, "--scheduler-file", self.file)
        return python(self._place, "dask", "scheduler", *QUIET, *where)

    def _worker(self) -> Process:
        one = ("--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--death-timeout", "20")
        where = ("--scheduler-file", self.file, *self._preload)
        return python(
            self._place, "dask", "worker", *QUIET, *one, *where, cwd=self._place.temporary
        )


@contextmanager
def site(place: Place, workers: int = 2, preload: str = "") -> Iterator[Site]:
    """A site that is there for a while."""
    made = Site(place, workers, preload)
    try:
        yield made
    finally:
        made.end()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
