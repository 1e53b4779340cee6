"""Stores that earlier versions made: the same thresholds, the same rows, and they go on growing."""

import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import pytest

from jaxflow.core.types import Row
from jaxflow.report import thresholds
from jaxflow.report.soundness import check
from jaxflow.report.status import status
from jaxflow.sampling.axes import Axes
from jaxflow.store.file import FILE
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

SQL = Path(__file__).parents[1] / "support" / "reference" / "store-schema-2.sql"
SHRINK = "ensemble.initialization.shrink"
FOUND = {0.5: (6.64, 4.18, 11.6), 1.0: (4.56, 1.99, 7.5)}  # by shrink, as the file says


@pytest.fixture
def earlier(tmp_path):
    """A folder with a store of schema 2."""
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.executescript(SQL.read_text(encoding="utf-8"))
    return tmp_path


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
    """To rounding: another processor has other bits."""
    again = tmp_path_factory.mktemp("again")
    study = Study.load(earlier)
    run(study, again)
    here = ("program", "versions", "device")
    numbers = [field.name for field in fields(Row) if field.name not in here]
    for old, new in zip(rows(earlier), rows(again), strict=True):
        for name in numbers:
            before, after = getattr(old, name), getattr(new, name)
            if isinstance(before, float):
                assert after == pytest.approx(before, rel=1e-2, abs=1e-5, nan_ok=True), name
            elif name not in ("steps", "evaluations", "rejections"):
                assert after == before, name
