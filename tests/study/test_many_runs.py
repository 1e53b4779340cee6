"""A process that runs study after study holds no more of anything than it did."""

import gc
import os
import threading
from pathlib import Path

import pytest
from diagrams import table

from jaxflow.engine.settings import Lanes
from jaxflow.report import status, thresholds
from jaxflow.study.run import run
from jaxflow.study.runners import Cluster
from jaxflow.study.study import Study

pytestmark = pytest.mark.slow

MEMORY = 2**20  # bytes that a run may leave: JAX keeps traces, up to some thousand of a kind
STUDY = Study.from_table(
    {
        "name": "many",
        "axes": {"d": [5], "p": [8, 16]},
        "horizon": {"time": [10.0, 30.0]},
        "dynamics": {"flow": {"kind": "flow"}, "control": {"kind": "descent"}},
        "threshold": {"low": 4, "high": 80, "relative_half_width": 0.2, "batch": 8},
        "record": {"observables": ["loss"], "trials": 1, "points": 4},
    }
)


def held():
    """Bytes in memory, threads and open files of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(os.listdir("/proc/self/fd"))
    return pages * os.sysconf("SC_PAGE_SIZE"), threading.active_count(), files


@pytest.mark.parametrize(
    ("runs", "settings"),
    [
        (100, {"lanes": Lanes(threads=2)}),
        (20, {"cluster": Cluster(workers=1)}),
    ],
    ids=["threads", "processes"],
)
def test_memory_threads_and_open_files_are_flat(tmp_path, runs, settings):
    tables, early = set(), None
    for i in range(runs):
        folder = tmp_path / str(i)
        run(STUDY, folder, **settings)
        tables.add(str(table(folder)))
        assert status(folder).finished
        assert thresholds(folder)
        if i == runs // 4:
            early = held()
    late = held()
    print(f"after {runs // 4} runs {early}, after {runs} {late}")
    assert len(tables) == 1
    assert late[1:] == early[1:]
    assert late[0] - early[0] < MEMORY * runs
