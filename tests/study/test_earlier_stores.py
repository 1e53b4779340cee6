"""Stores that earlier versions made: the same thresholds, the same rows, and they go on growing."""

from dataclasses import fields, replace

import pytest
import stores

from jaxflow.core.types import Row
from jaxflow.report import thresholds
from jaxflow.report.soundness import check
from jaxflow.report.status import status
from jaxflow.sampling.axes import Axes
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

SHRINK = "problem.initialization.shrink"
FOUND = {0.5: (6.64, 4.18, 11.6), 1.0: (4.56, 1.99, 7.5)}  # by shrink, as the files say


@pytest.fixture(params=[2, 3])
def earlier(tmp_path, request):
    """A folder with a store of that schema."""
    return stores.earlier(tmp_path, request.param)


def rows(folder):
    with Store.read(folder) as store:
        return store.rows()


def test_it_reports_the_thresholds_it_reported(earlier):
    for entry in thresholds(earlier):
        found = entry["n50"], entry["low"], entry["high"]
        assert found == pytest.approx(FOUND[entry["parameters"][SHRINK]], rel=2e-3)
    assert len(thresholds(earlier)) == 4  # at two horizons each
    assert check(earlier) == []
    assert status(earlier).finished


def test_its_study_goes_on_and_asks_for_nothing(earlier):
    before = rows(earlier)
    assert run(Study.load(earlier), earlier).usage.trials == 0
    assert rows(earlier) == before
    assert check(earlier) == []


def test_it_grows_by_what_is_missing(earlier, tmp_path_factory):
    before = rows(earlier)
    grown = replace(Study.load(earlier), axes=Axes(d=(3,), p=(8,), parameters={SHRINK: (0.5, 2.0)}))
    fresh = tmp_path_factory.mktemp("fresh")
    run(grown, fresh)
    missing = {row.trial for row in rows(fresh)} - {row.trial for row in before}
    assert run(grown, earlier).usage.trials == len(missing)
    assert set(before) < set(rows(earlier))
    of_grown = [e for e in thresholds(earlier) if e["parameters"][SHRINK] != 1.0]
    for old, new in zip(of_grown, thresholds(fresh), strict=True):
        assert old["n50"] == pytest.approx(new["n50"], rel=1e-6)
        assert old["outcomes"] == new["outcomes"]


def test_its_rows_are_what_its_trials_give_now(earlier, tmp_path_factory):
    """As near as another program comes to it, which pads the trial otherwise."""
    again = tmp_path_factory.mktemp("again")
    study = Study.load(earlier)
    run(study, again)
    here = ("program", "versions", "device")
    numbers = [field.name for field in fields(Row) if field.name not in here]
    for old, new in zip(rows(earlier), rows(again), strict=True):
        for name in numbers:
            before, after = getattr(old, name), getattr(new, name)
            if isinstance(before, float):
                assert after == pytest.approx(before, rel=3e-2, abs=1e-5, nan_ok=True), name
            elif name not in ("steps", "evaluations", "rejections"):
                assert after == before, name
