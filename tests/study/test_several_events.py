"""Several events of one study: each has the threshold that a study of it alone has, and more."""

import json
import re
from dataclasses import replace

import pytest

from jaxflow import report
from jaxflow.cli.parser import main
from jaxflow.flow.events import Below
from jaxflow.report import export
from jaxflow.report.soundness import check, merge
from jaxflow.sampling.grid import GridPlan
from jaxflow.show.result import Result
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

FITS = {"kind": "below", "observable": "loss", "value": 0.3}
LEARNS = {"kind": "below", "observable": "test_error", "value": 0.15}
TABLE = {
    "name": "both",
    "problem": {"kind": "deep_network", "label_noise": 0.2},
    "events": {"fits": FITS, "learns": LEARNS},
    "measure": ["test_error", "norm"],
    "axes": {"d": [4], "p": [3]},
    "horizon": {"time": [5.0, 20.0]},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [20, 26, 32], "repetitions": 8},
}
ALONE = {key: value for key, value in TABLE.items() if key not in ("events", "measure")}
SEARCH = {"low": 17, "high": 32, "relative_half_width": 0.2, "batch": 8, "max_trials": 24}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    run(Study.from_table(TABLE), folder)
    return folder


def counts(slices, event=""):
    return {
        (slice.dynamics, h): slice.tallies(h)
        for slice in slices
        if slice.event == event
        for h in range(len(slice.horizon.labels))
    }


def test_each_event_counts_what_a_study_of_it_alone_counts(both, tmp_path):
    for name, event in (("fits", FITS), ("learns", LEARNS)):
        folder = tmp_path / name
        run(Study.from_table({**ALONE, "event": event}), folder)
        assert counts(report.slices(both), name) == counts(report.slices(folder))
    fits, learns = (counts(report.slices(both), name) for name in ("fits", "learns"))
    assert fits != learns
    assert (
        0 < sum(t.converged for t in learns["flow", 1]) < sum(t.trials for t in learns["flow", 1])
    )


def test_each_grows_likelier_its_own_way(both):
    fits, learns = report.slices(both)
    assert (fits.event, fits.plan.rising) == ("fits", False)
    assert (learns.event, learns.plan.rising) == ("learns", True)
    assert Study.from_table(TABLE).grid.rising == {"fits": False, "learns": True}
    alike = {**TABLE, "events": {"fits": FITS, "fits_well": {**FITS, "value": 0.1}}}
    assert Study.from_table(alike).grid.rising is False


def test_which_way_is_said_by_python_too(both):
    plan = GridPlan((20, 26, 32), 8)
    study = replace(Study.from_table(TABLE), grid=plan)
    assert study.grid.rising == {"fits": False, "learns": True}
    alone = replace(study, grid=plan, events={"learns": Below("test_error", 0.15)})
    assert alone.grid.rising is True
    assert alone == Study.from_table({**TABLE, "events": {"learns": LEARNS}})


def test_what_is_told_names_the_event(both, capsys, tmp_path):
    entries = report.thresholds(both)
    assert [entry["event"] for entry in entries] == ["fits"] * 2 + ["learns"] * 2
    assert main(["thresholds", str(both)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"dynamics +event +time", printed) and re.search(r"flow +learns +20", printed)
    for kind in ("transitions", "means"):
        assert main(["figure", str(both), "--kind", kind, "--out", str(tmp_path / "x.png")]) == 0
    assert "flow, learns, d = 4, p = 3, flow time = 20: N" in repr(Result(both))
    places = Result(both).proportions()
    assert {place["event"] for place in places} == {"fits", "learns"}
    assert report.status(both).outcomes.total() == 24  # every trial once


def test_an_export_has_a_column_an_event_and_a_measure(both, tmp_path):
    path = tmp_path / "both.csv"
    with Store.read(both) as store:
        rows = store.rows()
    export.write(rows, path)
    head = path.read_text().splitlines()[0].split(",")
    wanted = ["event_times.fits", "event_times.learns", "measured.norm", "measured.test_error"]
    assert [name for name in head if "." in name] == wanted
    assert all(dict(row.measured).keys() == {"norm", "test_error"} for row in rows)


def test_a_store_of_it_is_sound_grows_and_merges(both, tmp_path):
    assert check(both) == []
    longer = {**TABLE, "horizon": {"time": [5.0, 20.0, 40.0]}}
    parts = [tmp_path / name for name in ("short", "long")]
    run(Study.from_table(TABLE), parts[0])
    run(Study.from_table(longer), parts[0])
    run(Study.from_table(longer), parts[1])
    assert counts(report.slices(parts[0]), "fits") == counts(report.slices(parts[1]), "fits")
    merge(tmp_path / "all", [both, parts[1]])
    assert check(tmp_path / "all") == []
    with Store.read(tmp_path / "all") as store:
        assert {row.horizon for row in store.rows() if row.outcome == "UNDECIDED"} <= {40.0}


def test_a_row_that_contradicts_itself_is_found(both, tmp_path):
    import shutil
    import sqlite3
    from contextlib import closing

    from stores import resealed

    from jaxflow.store.file import FILE

    for sql, said in (
        ("UPDATE trials SET event_times = '{\"other\":1.0}'", "no event other"),
        ("UPDATE trials SET event_times = '{\"fits\":99.0}'", "event after the end"),
        ("UPDATE trials SET event_times = '{}' WHERE outcome = 'CONVERGED'", "0 of 2 events"),
        ("UPDATE trials SET measured = '{}'", "measured is not what"),
    ):
        folder = tmp_path / said.replace(" ", "")
        shutil.copytree(both, folder)
        with closing(sqlite3.connect(folder / FILE)) as connection, connection:
            connection.execute(sql)
        resealed(folder)
        assert any(said in line for line in check(folder)), said


def test_a_search_narrows_every_threshold_from_one_set_of_trials(tmp_path):
    table = {key: value for key, value in TABLE.items() if key != "grid"} | {"threshold": SEARCH}
    study = Study.from_table(table)
    progress = run(study, tmp_path)
    (search,) = progress.searches
    assert [question.event for question in search.questions] == ["fits"] * 2 + ["learns"] * 2
    trials = sum(tally.trials for tally in search.tallies())
    assert all(sum(t.trials for t in search.tallies(q)) == trials for q in search.questions)
    again = run(study, tmp_path)
    assert again.known == again.ended == progress.ended


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"event": FITS}, "an event, or several by name"),
        ({"events": {}}, "events by name"),
        ({"events": {"fits": FITS, "never": {"kind": "never"}}}, "events that can happen"),
        ({"events": {"a": FITS, "b": {**LEARNS, "observable": "tset"}}}, "events.b.observable"),
        ({"measure": ["norm", "nrom"]}, "measure: expected observable"),
        ({"events": None, "event": "never", "measure": None}, "something to measure"),
        (
            {"events": None, "event": "never", "grid": None, "threshold": SEARCH},
            "expected a grid",
        ),
        ({"grid": {**TABLE["grid"], "rising": {"fits": True}}}, "rising for each of"),
    ],
)
def test_mistakes(changes, said):
    table = {k: v for k, v in {**TABLE, **changes}.items() if v is not None}
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        Study.from_table(table)
    assert "\n" not in str(error.value)


def test_a_study_that_waits_for_nothing_has_means_and_no_threshold(tmp_path, capsys):
    table = {k: v for k, v in TABLE.items() if k != "events"} | {"event": "never"}
    run(Study.from_table(table), tmp_path)
    assert check(tmp_path) == []
    found = Result(tmp_path)
    assert "mean test_error" in repr(found) and "Means where trials ended" in str(found.table())
    means = found.means("test_error")
    assert [entry["n"] for entry in means] == [20, 26, 32]
    assert all(entry["low"] <= entry["mean"] <= entry["high"] for entry in means)
    (level,) = found.level("test_error", 0.5)
    assert level["crossing"] in (0.0, float("inf"))
    assert main(["means", str(tmp_path), "--json", "--level", "norm=2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["means"]) == 6 and told["levels"][0]["observable"] == "norm"
    assert main(["means", str(tmp_path), "--level", "norm=2"]) == 0
    assert "Where the mean crosses a level" in capsys.readouterr().out
    assert main(["figure", str(tmp_path), "--out", str(tmp_path / "x.png")]) == 0
    assert main(["thresholds", str(tmp_path)]) == 2
    assert "jaxflow means" in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"was measured in .*norm"):
        found.means("loss")
