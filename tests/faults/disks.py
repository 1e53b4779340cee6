"""Disks that are full, folders that go away, caches and locks that are spoiled."""

import os
import random
import shutil
import sys
from pathlib import Path

from jaxflow.store.file import FILE, LOCK
from tests.faults.bench import Bench, line
from tests.faults.processes import Place, Process, coordinator, python
from tests.faults.tables import rows

LIMITED = """
import os, resource, sys
size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
os.execv(sys.argv[2], sys.argv[2:])
"""
ROOM = 200_000  # bytes that a store finds on a disk that is full soon
MEEK = """
import ctypes, os, sys
for capability in (1, 2):  # to write and to read against permissions, which root has
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.argv[1], sys.argv[1:])
"""


def full(bench: Bench) -> None:
    """a disk that is full soon: one line, and what was stored is kept"""
    out = bench.folder("full")
    process = Process(bench.place, sys.executable, "-c", LIMITED, ROOM, *_run(bench, out))
    bench.ends(process, 2)
    assert rows(out), "nothing was stored"
    bench.same(out)


def read_only(bench: Bench) -> None:
    """a folder that may not be written"""
    out = bench.folder("read-only")
    out.mkdir()
    out.chmod(0o555)
    refused = Process(bench.place, sys.executable, "-c", MEEK, *_run(bench, out))
    bench.ends(refused, 2)
    out.chmod(0o755)
    bench.same(out)


def in_the_way(bench: Bench) -> None:
    """a file in the place of the folder"""
    out = bench.folder("file")
    out.touch()
    bench.ends(coordinator(bench.place, bench.table.study, out), 2)
    out.unlink()
    bench.same(out)


def removed(bench: Bench) -> None:
    """a folder removed under way: one line, and another run makes it again"""
    out = bench.folder("removed")
    with bench.under_way(out, "--workers", "2") as process:
        shutil.rmtree(out)
        bench.ends(process, 2)
    shutil.rmtree(out, ignore_errors=True)
    bench.same(out)


def moved(bench: Bench) -> None:
    """a folder moved under way: one line, and the study goes on where that is now"""
    out, there = bench.folder("moved"), bench.folder("there")
    with bench.under_way(out, "--workers", "2") as process:
        out.rename(there)
        bench.ends(process, 2)
    assert rows(there), "nothing was kept"
    bench.same(there)


def cache_spoiled(bench: Bench) -> None:
    """noise for compiled programs, or half of these: they are compiled again"""
    place = Place(bench.place.folder / "spoiled")
    shutil.copytree(bench.place.folder / "programs", place.folder / "programs")
    moments = random.Random(0)
    for path in (place.folder / "programs").iterdir():
        _spoil(path, moments)
    bench.ends(coordinator(place, bench.table.study, out := bench.folder("cache")), 0)
    bench.same(out)


def _run(bench: Bench, out: Path) -> tuple[object, ...]:
    """The words of a run."""
    return sys.executable, "-m", "jaxflow", "run", bench.table.study, "--out", out


def _spoil(path: Path, moments: random.Random) -> None:
    """Halve a file, or put noise into it."""
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(
        content[:half] if moments.random() < 0.5 else content[:half] + moments.randbytes(half)
    )


def pipe_for_a_lock(bench: Bench) -> None:
    """a pipe in the place of the lock: one line, no waiting"""
    out = bench.folder("pipe")
    out.mkdir()
    os.mkfifo(out / LOCK)
    refused = coordinator(bench.place, bench.table.study, out)
    bench.ends(refused, 2, seconds=60)
    assert "expected a regular file at" in line(refused), refused.said
    (out / LOCK).unlink()
    bench.same(out)


def reader(bench: Bench) -> None:
    """readers of a store that is written and then killed"""
    out = bench.folder("reader")
    with bench.under_way(out) as process:
        for _ in range(3):
            bench.ends(python(bench.place, "jaxflow", "status", out), 0)
        process.end()
        assert (out / FILE).exists()
        bench.ends(python(bench.place, "jaxflow", "status", out), 0)
    bench.same(out)


ALL = (full, read_only, in_the_way, removed, moved, cache_spoiled, pipe_for_a_lock, reader)
