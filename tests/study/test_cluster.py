"""A study on worker processes and on many devices: the table of one thread."""

import os
import signal
import subprocess
import sys
import time

import pytest
from diagrams import DIAGRAM, command, table

from jaxflow.cli.parser import main
from jaxflow.engine.settings import Lanes
from jaxflow.report.soundness import check
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.runners import Cluster
from jaxflow.study.study import Study


@pytest.fixture(scope="module")
def diagram(tmp_path_factory):
    """A study file, and the rows of one thread."""
    folder = tmp_path_factory.mktemp("diagram")
    path = folder / "diagram.toml"
    path.write_text(DIAGRAM.replace(", 24]", "]"))
    run(Study.load(path), folder, Lanes(threads=1))
    return path, table(folder)


def test_workers_make_the_table_of_one_thread(diagram, tmp_path):
    path, rows = diagram
    progress = run(Study.load(path), tmp_path, cluster=Cluster(workers=2))
    assert table(tmp_path) == rows
    assert check(tmp_path) == []
    assert progress.usage.trials == len(rows) == sum(progress.done.values())
    with Store.read(tmp_path) as store:
        recorded = [trial for trial, _ in store.trajectories()]
    assert recorded == [row.trial for row in rows if row.seed == 0]


@pytest.mark.parametrize("devices", ["2", pytest.param("8", marks=pytest.mark.slow)])
def test_many_devices_make_the_table_of_one_thread(diagram, tmp_path, devices):
    """Each compiles the programs that it runs: eight of two cores take minutes."""
    path, rows = diagram
    done = subprocess.run(
        command(path, tmp_path, "--devices", devices), capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    assert table(tmp_path) == rows


def test_a_scheduler_of_others_by_its_file_and_its_end(diagram, tmp_path):
    """The site's tools start scheduler and workers, which go on when the study has ended."""
    path, rows = diagram
    file, quiet = tmp_path / "scheduler.json", subprocess.DEVNULL
    dask = [sys.executable, "-m", "dask"]
    near = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    scheduler = subprocess.Popen([*dask, "scheduler", "--port", "0", *near], stderr=quiet)
    worker = subprocess.Popen(
        [*dask, "worker", "--no-nanny", "--nthreads", "2", *near, "--memory-limit", "0"],
        stderr=quiet,
        cwd=tmp_path,
    )
    try:
        wait_for(file.exists)
        for folder in ("first", "second"):
            run(Study.load(path), tmp_path / folder, cluster=Cluster(str(file)))
            assert table(tmp_path / folder) == rows
        out = tmp_path / "third"
        third = subprocess.Popen(
            command(path, out, "--cluster", str(file)), stderr=subprocess.PIPE, text=True
        )
        wait_for(lambda: (out / "trials.sqlite").exists() and table(out))
        scheduler.send_signal(signal.SIGKILL)
        said = third.communicate(timeout=60)[1]
        if third.returncode:  # it may have ended before
            assert third.returncode == 2, said
            assert "jaxflow: expected the scheduler of a cluster at tcp://127.0.0.1" in said
            assert "earlier trials are kept" in said
            assert "Traceback" not in said
        assert check(out) == []
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def wait_for(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_without_a_scheduler_it_says_so(diagram, tmp_path, capsys):
    path, _ = diagram
    assert main(command(path, tmp_path, "--cluster", "tcp://127.0.0.1:1")[3:]) == 2
    assert "expected a scheduler at tcp://127.0.0.1:1, got" in capsys.readouterr().err
    assert main(command(path, tmp_path, "--cluster", str(tmp_path / "no.json"))[3:]) == 2
    assert "expected the file of a scheduler, got" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("tcp://there", 2), ("", 0)])
def test_a_cluster_is_there_or_started(wrong):
    with pytest.raises(ValueError, match="expected the address of a cluster, or workers to start"):
        Cluster(*wrong)


def test_the_end_of_the_coordinator_is_that_of_its_workers(diagram, tmp_path):
    path, _ = diagram
    process = subprocess.Popen(
        command(path, tmp_path, "--workers", "2", "--threshold.relative_half_width=0.05"),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    wait_for(lambda: (tmp_path / "trials.sqlite").exists() and table(tmp_path))
    workers = children(process.pid)
    assert len(workers) == 2
    process.kill()
    process.wait()
    wait_for(lambda: not any(map(is_alive, workers)), 60)
    assert check(tmp_path) == []


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        found = file.read().split()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children") as file:
            found += file.read().split()
    return sorted(set(map(int, found)))


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
