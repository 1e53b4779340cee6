"""A grid of one value: nothing is looked for along its axis, and everything can be reported."""

from dataclasses import replace

import pytest
from stores import ROW

from jaxflow import report
from jaxflow.figure import draw
from jaxflow.store import Store, check
from jaxflow.study import Study

SHRINK = "ensemble.initialization.shrink"
TABLE = {
    "name": "x",
    "axes": {"d": [200], "n": [100, 200], "failure": [0.05]},
    "horizon": {"time": [100.0]},
    "ensemble": {"inputs": "orthogonal"},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [0.01], "repetitions": 1, "along": SHRINK},
}


@pytest.fixture
def folder(tmp_path):
    study = Study.from_table(TABLE)
    row = replace(ROW, d=200, parameters=((SHRINK, 0.01),))
    with Store.open(tmp_path, study.hash, study.json) as store:
        store.insert([replace(row, n=n, p=p) for n, p in ((100, 27), (200, 29))])
    return tmp_path


def test_a_store_of_one_value_is_sound_and_reported(folder):
    assert check(folder) == []
    cells = report.cells(folder)
    assert [(cell.base.n, cell.base.p) for cell in cells] == [(100, 27), (200, 29)]
    for cell in cells:
        low, high = cell.extent
        assert low == 0.01 < high
        assert low <= cell.as_dict()["n50"] <= high


def test_and_drawn(folder):
    draw(folder, folder / "x.png")
    assert (folder / "x.png").stat().st_size > 1000
