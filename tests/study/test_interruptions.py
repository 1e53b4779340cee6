"""Kills, a full disk, a second run: what had ended is kept, and the table ends the same."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from diagrams import DIAGRAM, command, table

from jaxflow.report.soundness import check
from jaxflow.store.file import FILE
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

LIMITED = """
import os, resource, sys
size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="module")
def diagram(tmp_path_factory):
    """A study file, and the rows of an uninterrupted run of it."""
    folder = tmp_path_factory.mktemp("diagram")
    path = folder / "diagram.toml"
    path.write_text(DIAGRAM)
    run(Study.load(path), folder)
    return path, table(folder)


def trajectories(folder: Path):
    with Store.read(folder) as store:
        return {trial: arrays for trial, arrays in store.trajectories()}


def launched(path: Path, folder: Path) -> subprocess.Popen:
    """A run under way, its store made."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command(path, folder), stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + 60
    while not (folder / FILE).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def kill_and_resume(diagram, folder: Path, kills: int, longest: float) -> int:
    """How many kills hit a run under way; the table in the end is that of a run without any."""
    path, rows = diagram
    moments, hits = random.Random(kills), 0
    for _ in range(kills):
        process = launched(path, folder)
        time.sleep(moments.uniform(0, longest))
        hits += process.poll() is None
        process.kill()
        process.wait()
    done = subprocess.run(command(path, folder), capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert table(folder) == rows
    assert check(folder) == []
    recorded = trajectories(folder)
    assert {row.trial for row in rows if row.seed == 0} == set(recorded)
    return hits


def test_a_killed_diagram_ends_as_if_it_had_not_been(diagram, tmp_path):
    assert kill_and_resume(diagram, tmp_path, kills=2, longest=2) > 0


@pytest.mark.slow
def test_twenty_kills(diagram, tmp_path):
    assert kill_and_resume(diagram, tmp_path, kills=20, longest=1.5) == 20


def test_a_second_run_at_once_is_refused(diagram, tmp_path):
    path, _ = diagram
    first = launched(path, tmp_path)
    try:
        second = subprocess.run(
            command(path, tmp_path), capture_output=True, check=False, text=True
        )
    finally:
        first.kill()
        first.wait()
    assert second.returncode == 2
    (line,) = second.stderr.strip().splitlines()
    assert "one writer" in line


def test_a_full_disk_is_one_line_and_loses_nothing_that_was_kept(diagram, tmp_path):
    """The file may not grow beyond what holds some harvests: as a full disk does, it says so."""
    path, rows = diagram
    study = Study.load(path)
    searches = study.design.searches(study.protocol.outline)
    first = [trial for search in searches for trial in search.propose()]
    known = [row for row in rows if row.trial in first]
    with Store.open(tmp_path, study.protocol.hash, study.protocol.json) as store:
        store.begin(study.design.hash, study.design.json)
        store.ask(study.design.hash, first)
        store.insert(known)
    size = (tmp_path / FILE).stat().st_size + 4096
    limited = [sys.executable, "-c", LIMITED, str(size), *command(path, tmp_path)]
    full = subprocess.run(limited, capture_output=True, check=False, text=True)
    assert full.returncode == 2
    assert full.stderr.strip().splitlines()[-1].startswith("jaxflow: expected rows that can be")
    assert check(tmp_path) == []
    assert set(first) <= {row.trial for row in table(tmp_path)}
    assert subprocess.run(command(path, tmp_path), capture_output=True, check=False).returncode == 0
    assert table(tmp_path) == rows
