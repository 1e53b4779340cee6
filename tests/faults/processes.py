"""Commands in processes of their own: what they say, how they end, and what is left of them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINGER = 40.0  # seconds after which what was started by a process that was killed has ended


class Place:
    """A folder for all that a test of faults makes, and the environment of its processes.

    Their temporary files are in it, and it is named in their environment, so that what they leave
    is found.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.temporary = folder, folder / "tmp"
        self.has_killed = False  # and what was killed leaves its temporary files
        self.temporary.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, [ROOT, ROOT / "tests" / "support"])),
            "TMPDIR": str(self.temporary),
            "JAX_COMPILATION_CACHE_DIR": str(folder / "programs"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s",
        }

    def left(self, *, ends: bool = False) -> list[str]:
        """The processes that live, which it `ends` then, and the folders of workers there are."""
        deadline = time.monotonic() + LINGER
        while (there := self._there()) and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in there if ends else ():
            os.kill(pid, signal.SIGKILL)
        found = [f"process {pid}: {words[:120]}" for pid, words in there.items()]
        if not self.has_killed:
            found += [f"folder {path}" for path in self.temporary.glob("jaxflow-workers-*")]
        shutil.rmtree(self.temporary)
        self.temporary.mkdir()
        self.has_killed = False
        return found

    def _there(self) -> dict[int, str]:
        """The words of the processes that live, by their numbers."""
        mark, found = f"TMPDIR={self.temporary}\0".encode(), {}
        for folder in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                pid = int(folder.name)
                is_of_here = mark in (folder / "environ").read_bytes()
                if is_of_here and is_alive(pid) and pid != os.getpid():
                    found[pid] = (folder / "cmdline").read_text().replace("\0", " ")
        return found


class Process:
    """A command that runs; what it says is kept in a file of the place."""

    def __init__(self, place: Place, *words: object, **options: object) -> None:
        self.sent: list[int] = []
        self._place = place
        self._file = place.folder / f"said-{time.monotonic_ns()}"
        options = {"cwd": ROOT, "env": place.environment, **options}
        with self._file.open("wb") as said:
            self._process = subprocess.Popen(
                [*map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                **options,
            )
        self.pid = self._process.pid

    @property
    def code(self) -> int | None:
        """How it has ended; None while it lives."""
        code = self._process.poll()
        self._place.has_killed |= code is not None and code < 0
        return code

    @property
    def said(self) -> str:
        """What it has said by now."""
        return self._file.read_text(errors="replace")

    def send(self, number: int) -> bool:
        """Send a signal; whether it was alive to get it."""
        if self.code is not None:
            return False
        self.sent.append(number)
        self._process.send_signal(number)
        return True

    def wait(self, seconds: float) -> int:
        """How it has ended; it is killed when it has not by then."""
        try:
            self._process.wait(seconds)
            return self.code or 0
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f"no end within {seconds:g} s of {self._process.args}") from None

    def end(self) -> None:
        """Kill it, stopped or not."""
        self._place.has_killed |= self._process.poll() is None
        self._process.kill()
        self._process.wait()


def python(place: Place, *words: object, **options: object) -> Process:
    """A module of Python that runs."""
    return Process(place, sys.executable, "-m", *words, **options)


def coordinator(place: Place, study: Path, out: Path, *flags: object, **options: object) -> Process:
    """A run of a study."""
    return python(place, "jaxflow", "run", study, "--out", out, *flags, **options)


def wrong_end(process: Process) -> str:
    """What is wrong with how a command has ended: it may do so in one line, or by a signal."""
    said, code = process.said, process.code
    complaints = [line for line in said.splitlines() if line.startswith("jaxflow: ")]
    is_calm = not any(word in said for word in ("Traceback", "FATAL", "Exception ignored"))
    has_complained = (
        code == 2
        and len(complaints) == 1
        and complaints[0].startswith("jaxflow: expected ")
        and said.rstrip().endswith(complaints[0])
    )
    is_signalled = code in {end for number in process.sent for end in (-number, 128 + number)}
    if is_calm and (code == 0 or has_complained or is_signalled):
        return ""
    return f"ended with {code} after the signals {process.sent} and said:\n{said[-2000:]}"


def wait_for(holds: Callable[[], object], seconds: float, what: str = "") -> None:
    """Wait until something holds; `AssertionError` if it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that live."""
    found: list[str] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [child for child in map(int, found) if is_alive(child)]
