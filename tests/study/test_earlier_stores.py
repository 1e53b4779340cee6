"""Stores that earlier versions made: the same thresholds, the same rows, and they go on growing.

But where parameters of the problem are axes: their trials were drawn otherwise.
"""

from dataclasses import fields, replace

import pytest
import stores

from jaxflow.core.types import Row
from jaxflow.report import slices, thresholds
from jaxflow.report.soundness import check
from jaxflow.report.status import status
from jaxflow.sampling.axes import Axes
from jaxflow.show.repeat import command, origin
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

SHRINK = "problem.initialization.shrink"
BY_SHRINK = {0.5: (6.64, 4.18, 11.6), 1.0: (4.56, 1.99, 7.5)}  # by shrink, as the files say
BY_D = {3: (6.638, 4.183, 11.605), 4: (18.711, 5.933, 47.71)}  # at T = 60, as that version said


@pytest.fixture(params=[2, 3, 4, 5, 6])
def of_parameters(tmp_path, request):
    """A folder with a store of that schema, of which a parameter of the problem is an axis."""
    return stores.earlier(tmp_path / "parameters", request.param)


@pytest.fixture
def of_sizes(tmp_path):
    """One of schema 5 whose axes are sizes."""
    return stores.earlier(tmp_path / "sizes", "5-sizes")


def rows(folder):
    with Store.read(folder) as store:
        return store.rows()


def numbers_of(entry):
    return entry["n50"], entry["low"], entry["high"]


def test_it_reports_the_thresholds_it_reported(of_parameters):
    for entry in thresholds(of_parameters):
        expected = BY_SHRINK[entry["parameters"][SHRINK]]
        assert numbers_of(entry) == pytest.approx(expected, rel=2e-3)
    assert len(thresholds(of_parameters)) == 4  # at two horizons each
    assert check(of_parameters) == []
    assert status(of_parameters).finished


def test_trials_drawn_otherwise_are_not_added_to(of_parameters):
    before = rows(of_parameters)
    with pytest.raises(ValueError, match=r'draws = "by sizes".*choose another folder'):
        run(Study.load(of_parameters), of_parameters)
    assert rows(of_parameters) == before


def test_no_command_would_repeat_trials_drawn_otherwise(of_parameters, of_sizes):
    for folder, repeats in ((of_parameters, False), (of_sizes, True)):
        slice, *_ = slices(folder)
        assert command(origin(folder), slice, 3, 0).startswith("jaxflow trial") == repeats


def test_its_study_goes_on_and_asks_for_nothing(of_sizes):
    before = rows(of_sizes)
    for entry in thresholds(of_sizes)[1::2]:
        assert numbers_of(entry) == pytest.approx(BY_D[entry["d"]], rel=1e-4)
    assert run(Study.load(of_sizes), of_sizes).usage.trials == 0
    assert rows(of_sizes) == before
    assert check(of_sizes) == []


def test_it_grows_by_what_is_missing(of_sizes, tmp_path_factory):
    before = rows(of_sizes)
    grown = replace(Study.load(of_sizes), axes=Axes(d=(3, 5), p=(8,)))
    fresh = tmp_path_factory.mktemp("fresh")
    run(grown, fresh)
    missing = {row.trial for row in rows(fresh)} - {row.trial for row in before}
    assert run(grown, of_sizes).usage.trials == len(missing)
    assert set(before) < set(rows(of_sizes))
    of_grown = [entry for entry in thresholds(of_sizes) if entry["d"] != 4]
    for old, new in zip(of_grown, thresholds(fresh), strict=True):
        assert old["n50"] == pytest.approx(new["n50"], rel=1e-6)
        assert old["outcomes"] == new["outcomes"]


def test_its_rows_are_what_its_trials_give_now(of_sizes, tmp_path_factory):
    """As near as another program comes to it, which pads the trial otherwise."""
    again = tmp_path_factory.mktemp("again")
    study = Study.load(of_sizes)
    run(study, again)
    here = ("program", "versions", "device")
    numbers = [field.name for field in fields(Row) if field.name not in here]
    for old, new in zip(rows(of_sizes), rows(again), strict=True):
        for name in numbers:
            before, after = getattr(old, name), getattr(new, name)
            if isinstance(before, float):
                assert after == pytest.approx(before, rel=3e-2, abs=1e-5, nan_ok=True), name
            elif name not in ("steps", "evaluations", "rejections"):
                assert after == before, name
