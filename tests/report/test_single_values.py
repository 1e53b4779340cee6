"""A grid of one value: nothing is looked for along its axis, and everything can be reported."""

from dataclasses import replace

import pytest
from scipy.stats import binomtest
from stores import ROW

from jaxflow import report
from jaxflow.report.soundness import check
from jaxflow.show import terminal
from jaxflow.show.figures import draw
from jaxflow.store.store import Store
from jaxflow.study.study import Study

SHRINK = "problem.initialization.shrink"
TABLE = {
    "name": "x",
    "axes": {"d": [200], "n": [100, 200], "p": {"rule": "well_initialized", "failure": [0.05]}},
    "horizon": {"time": [100.0]},
    "problem": {"inputs": "orthogonal"},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [0.01], "repetitions": 1, "along": SHRINK},
}


@pytest.fixture
def folder(tmp_path):
    study = Study.from_table(TABLE)
    row = replace(ROW, d=200, parameters=((SHRINK, 0.01),))
    rows = [replace(row, n=n, p=p) for n, p in ((100, 27), (200, 29))]
    with Store.open(tmp_path, study.protocol.hash, study.protocol.json) as store:
        store.begin(study.design.hash, study.design.json)
        store.ask(study.design.hash, [row.trial for row in rows])
        store.insert(rows)
    return tmp_path


def test_a_store_of_one_value_is_sound_and_reported(folder):
    assert check(folder) == []
    slices = report.slices(folder)
    assert [(slice.base.n, slice.base.p) for slice in slices] == [(100, 27), (200, 29)]
    for slice in slices:
        assert slice.extent[0] == 0.01 < slice.extent[1]
        told = slice.as_dict()
        assert "n50" not in told  # one value has no threshold
        assert (told["at"], told["proportion"]) == (0.01, 1.0)
        low, high = binomtest(1, 1).proportion_ci(method="wilson")
        assert (told["low"], told["high"]) == pytest.approx((low, high), abs=1e-4)
        assert told["conditional"] == {name: told[name] for name in told["conditional"]}
    text = str(terminal.thresholds(report.slices(folder)))
    assert "P(converged), with its 95 % interval" in text
    assert "d = 200, shrink = 0.01" in text
    assert "crosses 1/2" not in text


def test_and_drawn(folder):
    draw(folder, folder / "x.png")
    assert (folder / "x.png").stat().st_size > 1000
