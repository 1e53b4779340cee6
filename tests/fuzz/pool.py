"""Worker processes that a case may hang, fill or kill without harm to the others."""

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.on_stores import store
from tests.fuzz.on_studies import study
from tests.fuzz.operations import Bench, Case, Fault, Hang, prepare
from tests.fuzz.seeds import files, stores

LIMIT = 60.0  # seconds of an operation
GRACE = 10.0  # more, until the process of one that cannot be interrupted is killed
MEMORY = 6 * 2**30  # bytes of address space
KINDS = ("stores", "studies")
Work = tuple[str, int, int]  # kind, seed, number


def cases(work: Sequence[Work], root: Path, workers: int) -> Iterator[Case]:
    """What comes of every case, in the order of their ends."""
    left = list(reversed(work))
    rooms = Path(tempfile.mkdtemp(prefix="jaxflow-fuzz-", dir=_fast()))
    crew = {_Worker(root, rooms) for _ in range(min(workers, len(work)))}
    try:
        while crew:
            for worker in list(crew):
                if not worker.busy:
                    if left:
                        worker.begin(left.pop())
                    else:
                        worker.stop()
                        crew.remove(worker)
            ready = wait([worker.pipe for worker in crew], timeout=1.0)
            for worker in [w for w in crew if w.pipe in ready or w.is_late]:
                case = worker.answer()
                if case is not None:
                    yield case
                if not worker.alive:
                    worker.stop()
                    crew.remove(worker)
                    crew.add(_Worker(root, rooms))
    finally:
        for worker in crew:
            worker.stop()
        shutil.rmtree(rooms, onerror=_made_removable)  # of a process that was killed, too


class _Worker:
    """One process, and the case that it is at."""

    def __init__(self, root: Path, rooms: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, root, rooms), daemon=True)
        self.process.start()
        theirs.close()
        try:
            self.pipe.recv()  # that it is ready
        except EOFError:
            raise RuntimeError("a worker of the fuzz did not start") from None
        self.busy, self.alive, self.operation = False, True, "start"
        self._work: Work | None = None
        self._began = 0.0

    def begin(self, work: Work) -> None:
        self.pipe.send(work)
        self._work, self.busy, self._began = work, True, time.monotonic() + 60

    @property
    def is_late(self) -> bool:
        return self.busy and time.monotonic() > self._began + LIMIT + GRACE

    def answer(self) -> Case | None:
        """The case that has ended, by itself or not; None where an operation has begun."""
        assert self._work is not None
        if not self.pipe.poll() and self.is_late:
            return self._lost("hang", "killed")
        try:
            said = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.process.join(5)
            return self._lost("crash", f"exit code {self.process.exitcode}")
        if isinstance(said, str):
            self.operation, self._began = said, time.monotonic()
            return None
        self.busy = False
        self.alive = not any(fault.kind == "hang" for fault in said.faults)
        return said

    def _lost(self, kind: str, said: str) -> Case:
        assert self._work is not None
        self.process.kill()
        self.alive = self.busy = False
        fault = Fault(kind, self.operation, "", said)
        return Case(self._work[2], self._work[0], "", 1, [fault], {})

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection, root: Path, rooms: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(root)
    sys.path.append(str(root / "modules"))
    signal.signal(signal.SIGALRM, _over)
    prepare()
    pipe.send("ready")
    given = {"stores": stores(root), "studies": files()}
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            kind, seed, number = pipe.recv()
            pipe.send(_case((kind, seed, number), given[kind], rooms, pipe))


def _over(*_: object) -> None:
    raise Hang


def _case(work: Work, given: Any, rooms: Path, pipe: Connection) -> Case:
    """One case, which its kind and two numbers tell."""
    kind, _, number = work
    dice = Random("{} {} {}".format(*work))

    def about_to(operation: str) -> None:
        pipe.send(operation)
        signal.setitimer(signal.ITIMER_REAL, LIMIT)

    bench = Bench(about_to)
    room = Path(tempfile.mkdtemp(dir=rooms))
    mutation, said = kind, ""
    try:
        run = store if kind == "stores" else study
        mutation, said = run(dice, given, room, bench)
    except Hang:
        pass
    except Exception:  # of the fuzz itself
        bench.faults.append(Fault("crash", "fuzz", "", traceback.format_exc()[-1500:]))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        shutil.rmtree(room, onerror=_made_removable)
    return Case(number, mutation, said, len(bench.seconds), bench.faults, bench.seconds)


def _made_removable(function: Any, path: str, error: object) -> None:
    os.chmod(os.path.dirname(path), 0o700)
    function(path)


def _fast() -> str | None:
    """A folder in memory, where there is one: a commit waits for the disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
