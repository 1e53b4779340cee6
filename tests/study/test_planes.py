"""A study of ranges from its file to its tables: run, interrupted, told, drawn, grown."""

from dataclasses import replace

import pytest

from jaxflow import report
from jaxflow.report.plane import planes
from jaxflow.report.status import status
from jaxflow.sampling.axes import Axes, Range
from jaxflow.show import planes as shown
from jaxflow.show import terminal
from jaxflow.show.figures import drawn, figure
from jaxflow.show.text import between, number
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

TABLE = {
    "name": "plane",
    "event": {"square": 1.0},
    "axes": {"d": [5], "p": {"from": 8, "to": 24}},
    "horizon": {"time": [15.0, 30.0]},
    "dynamics": {"control": {"kind": "descent"}},
    "threshold": {"low": 4, "high": 80, "relative_half_width": 0.25, "batch": 8},
}
STUDY = Study.from_table(TABLE)
MIDDLE = STUDY.axes.values("p")[len(STUDY.axes.values("p")) // 2]


def rows(folder):
    with Store.read(folder) as store:
        return store.rows()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("plane")
    run(STUDY, made)
    return made


def test_a_range_is_one_in_a_file_in_python_and_on_paper():
    assert STUDY.axes.p == Range(8, 24)
    assert STUDY.table["axes"]["p"] == {"from": 8.0, "to": 24.0}
    assert Study.from_table(STUDY.table) == STUDY
    assert Study.load("demo", {"axes.p": {"from": 50, "to": 200}}).axes.p == Range(50, 200)
    flat = {"problem": {"initialization": {"shrink": {"from": 0.1, "to": 1.0}}}}
    made = Study.from_table({**TABLE, "axes": {**TABLE["axes"], "parameters": flat}})
    assert made.axes.ranges == ["p", "problem.initialization.shrink"]
    assert len(made.axes.values("p")) == 9  # of two ranges, with three halvings each


def test_a_range_of_one_dynamics_leaves_the_others_their_slice():
    dynamics = {"control": {"kind": "descent"}, "flow": {"kind": "flow"}}
    axes = {"d": [5], "p": [8], "parameters": {"dynamics.control.step": {"from": 0.25, "to": 1.0}}}
    study = Study.from_table({**TABLE, "axes": axes, "dynamics": dynamics})
    plane, slice = study.design.searches(study.protocol.outline)
    assert plane.axes == ("dynamics.control.step",)
    assert slice.title == "flow d=5 p=8"
    assert slice.propose() and plane.propose()


def test_it_ends_with_its_band_and_asks_for_nothing_more(folder):
    found = status(folder)
    assert found.finished
    (plane,) = planes(report.slices(folder))
    assert [axis.name for axis in plane.axes] == ["p"]
    for horizon in (0, 1):
        median, low, high = plane.posterior(horizon).band([[8.0], [14.0], [24.0]])
        assert ((high - low) / (2 * median) <= 0.3).all()  # of whole n, one sample is enough


def test_interrupted_at_any_trial_it_ends_with_the_same_trials(folder, tmp_path):
    whole = rows(folder)
    with Store.open(tmp_path, STUDY.protocol.hash, STUDY.protocol.json) as store:
        store.begin(STUDY.design.hash, STUDY.design.json)
        store.insert(whole[: len(whole) // 2])
    run(STUDY, tmp_path)
    assert {row.trial: row.outcome for row in rows(tmp_path)} == {
        row.trial: row.outcome for row in whole
    }


def test_a_run_that_has_just_begun_is_told(folder, tmp_path):
    """Of its first place alone."""
    middle = [row for row in rows(folder) if row.p == MIDDLE]
    with Store.open(tmp_path, STUDY.protocol.hash, STUDY.protocol.json) as store:
        store.begin(STUDY.design.hash, STUDY.design.json)
        store.ask(STUDY.design.hash, [row.trial for row in middle])
        store.insert(middle)
    (alone,) = report.slices(tmp_path)
    assert alone.together is None
    assert str(terminal.thresholds([alone]))
    assert not status(tmp_path).finished


def test_thresholds_are_told_together(folder):
    found = report.slices(folder)
    (plane,) = planes(found)
    for slice in found:
        said = slice.as_dict()
        here = plane.posterior().transition(plane.at(slice))
        assert said["n50"] == pytest.approx(here.median, abs=1e-3)
        assert (said["low"], said["high"]) == pytest.approx(here.interval(), abs=1e-3)
    text = str(terminal.thresholds(found))
    assert "all places together" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_tables_of_the_boundary(folder):
    first, last = shown.tables(report.slices(folder))
    text = str(last)
    assert "Boundary over p: control, d = 5, T = 30" in text
    assert "exponent in p" in text
    assert "posterior predictive p = " in text
    assert "T = 15" in str(first)
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_boundary_that_is_not_monotone_as_said_is_told(folder):
    """This one rises with p, since n is taken for as many times as large."""

    def steep(slice):
        made = tuple(replace(row, n=row.n * row.p) for row in slice.rows)
        return replace(slice, rows=made, allowed=dict.fromkeys((row.trial for row in made), 30.0))

    said = {}
    for way in ("increasing", "decreasing"):
        plan = replace(STUDY.threshold, high=2000, monotone={"p": way})
        told = [replace(slice, plan=plan, together=None) for slice in report.slices(folder)]
        found = [steep(slice) for slice in told]
        said[way] = str(shown.tables(found)[-1])
    assert "by the counts" not in said["increasing"]
    assert "not decreasing in p by the counts, as at p = " in " ".join(said["decreasing"].split())
    assert all(len(line) <= 80 for line in said["decreasing"].splitlines())


def test_panels_of_slices_say_what_the_table_does(folder):
    found = report.slices(folder)
    with drawn(lambda: figure(found, "transitions")) as made:
        said = [text.get_text() for ax in made.axes for text in ax.texts]
    for slice in found[:3]:
        here = slice.estimated()
        assert f"{number(here.median)} {between(*here.interval())}" in said


def test_figures_of_one_and_of_two_axes(folder, tmp_path):
    with drawn(lambda: figure(report.slices(folder))) as made:
        labels = [ax.get_xlabel() for ax in made.axes]
        assert "number of samples $n$" in labels
        made.canvas.draw()
    study = replace(STUDY, axes=Axes(d=Range(4, 8), p=Range(8, 16)))
    study = replace(study, threshold=replace(study.threshold, relative_half_width=0.4))
    run(study, tmp_path)
    found = report.slices(tmp_path)
    with drawn(lambda: figure(found)) as made:
        assert {ax.get_xlabel() for ax in made.axes} >= {"width $p$"}
        assert {ax.get_ylabel() for ax in made.axes} >= {"input dimension $d$"}
        made.canvas.draw()
    assert "exponent in d" in str(shown.tables(found)[0])


def test_a_list_grows_into_a_range_in_the_same_store(folder, tmp_path):
    run(replace(STUDY, axes=Axes(d=(5,), p=(8, 24))), tmp_path)
    known = set(rows(tmp_path))
    run(STUDY, tmp_path)
    assert known <= set(rows(tmp_path))
    names = {trial.trial for trial in rows(folder)}
    assert names <= {trial.trial for trial in rows(tmp_path)}
