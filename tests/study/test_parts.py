"""A study in parts, on machines that share nothing: merged, the parts are the whole."""

import shutil
from dataclasses import replace

import matplotlib as mpl
import pytest

from jaxflow.cli.parser import main
from jaxflow.report import thresholds
from jaxflow.report.soundness import check, merge
from jaxflow.report.status import status
from jaxflow.sampling.axes import Axes, Range
from jaxflow.sampling.part import Part
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

mpl.use("Agg")

TABLE = {
    "name": "parts",
    "event": {"square": 1.0},
    "axes": {"d": [5], "p": [8, 16, 24]},
    "horizon": {"time": [30.0]},
    "dynamics": {"control": {"kind": "descent"}},
}
GRID = Study.from_table(
    {
        **TABLE,
        "grid": {"values": [8, 16], "repetitions": 5},
        "record": {"observables": ["loss"], "trials": 2, "points": 4},
    }
)
THRESHOLD = {"low": 4, "high": 80, "relative_half_width": 0.25, "batch": 8}
SEARCH = Study.from_table({**TABLE, "threshold": THRESHOLD})
PLANE = replace(SEARCH, axes=Axes(d=(5,), p=Range(8, 24)))
FILE = """
name = "parts"
event.square = 1.0
horizon.time = [30.0]
axes = {d = [5], p = [8]}
dynamics.control.kind = "descent"
grid = {values = [8], repetitions = 2}
"""


def rows(folder):
    with Store.read(folder) as store:
        return store.rows()


def in_parts(study, folder, of):
    """The folders of the parts of a study, run one by one, and how many trials each took."""
    folders = [folder / f"part-{number}" for number in range(1, of + 1)]
    taken = [
        run(study, part, part=Part(number, of)).usage.trials
        for number, part in enumerate(folders, 1)
    ]
    return folders, taken


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    """Every study in one run."""
    folders = {study: tmp_path_factory.mktemp("whole") for study in ("grid", "search", "plane")}
    for study, folder in zip((GRID, SEARCH, PLANE), folders.values(), strict=True):
        run(study, folder)
    return folders


@pytest.mark.parametrize("of", [3, 4, 17])
def test_a_grid_in_parts_is_the_whole_row_by_row(wholes, tmp_path, of):
    folders, taken = in_parts(GRID, tmp_path, of)
    found = merge(tmp_path / "all", folders)
    assert (found.added, found.known, found.designs) == (sum(taken), 0, 1)
    assert rows(tmp_path / "all") == rows(wholes["grid"])
    assert thresholds(tmp_path / "all") == thresholds(wholes["grid"])
    with Store.read(tmp_path / "all") as here, Store.read(wholes["grid"]) as there:
        recorded = [trial for trial, _ in here.trajectories()]
        assert recorded == [trial for trial, _ in there.trajectories()]
        assert {trial.seed for trial in recorded} == {0, 1}
    there = status(tmp_path / "all")
    assert there.finished
    assert (there.compute.runs, there.compute.trials) == (of - taken.count(0), sum(taken))
    assert run(GRID, tmp_path / "all").usage.trials == 0
    assert taken.count(0) == (2 if of == 17 else 0)  # of 3 searches, in 5 shares at most


def test_a_part_that_was_lost_is_run_again_with_the_same_result(tmp_path):
    folders, _ = in_parts(SEARCH, tmp_path, 4)
    merge(tmp_path / "before", folders)
    shutil.rmtree(folders[1])
    run(SEARCH, folders[1], part=Part(2, 4))
    merge(tmp_path / "after", folders)
    assert rows(tmp_path / "after") == rows(tmp_path / "before")


@pytest.mark.parametrize(("name", "of"), [("search", 2), ("search", 4), ("plane", 2)])
def test_searches_in_parts_agree_with_the_whole_and_need_next_to_nothing_more(
    wholes, tmp_path, name, of
):
    study = {"search": SEARCH, "plane": PLANE}[name]
    folders, taken = in_parts(study, tmp_path, of)
    assert all(taken)
    for number, folder in enumerate(folders, 1):
        assert status(folder).finished
        assert f"part {number}/{of}, finished" in str(status(folder))
        assert run(study, folder, part=Part(number, of)).usage.trials == 0
    merge(tmp_path / "all", folders)
    assert run(study, tmp_path / "all").usage.trials <= 0.1 * sum(taken)
    assert status(tmp_path / "all").finished and status(tmp_path / "all").part == Part()
    assert run(study, tmp_path / "all").usage.trials == 0
    assert check(tmp_path / "all") == []
    places = {}
    for folder in (wholes[name], tmp_path / "all"):
        for entry in thresholds(folder):
            places.setdefault(entry["p"], []).append((entry["low"], entry["high"]))
    both = [found for found in places.values() if len(found) == 2]
    assert len(both) >= 3
    assert all(max(a[0], b[0]) <= min(a[1], b[1]) for a, b in both)


def test_the_whole_goes_on_where_a_part_is_lost(wholes, tmp_path):
    """It runs what the others lack, and of what they have nothing again."""
    folders, taken = in_parts(SEARCH, tmp_path, 3)
    merge(tmp_path / "all", folders[:2])
    known = set(rows(tmp_path / "all"))
    assert not status(tmp_path / "all").finished
    more = run(SEARCH, tmp_path / "all").usage.trials
    assert known < set(rows(tmp_path / "all"))
    assert 0 < more <= 2 * taken[2]
    assert status(tmp_path / "all").finished
    assert {entry["p"] for entry in thresholds(tmp_path / "all")} == {8, 16, 24}


def test_a_part_is_the_same_from_python(tmp_path):
    run(GRID, tmp_path / "one", part=Part(2, 3))
    found = GRID.run(tmp_path / "other", part=(2, 3), quiet=True)
    assert found.rows() == rows(tmp_path / "one")
    for part in ((0, 3), (4, 3), ("a", 3), (1,), (1.5, 3)):
        with pytest.raises(ValueError, match="expected a part i/k"):
            GRID.run(tmp_path / "none", part=part, quiet=True)
    assert not (tmp_path / "none").exists()


def test_parts_by_the_command_line(tmp_path, capsys):
    """Of a study that has work for two."""
    path = tmp_path / "study.toml"
    path.write_text(FILE)
    folders = [tmp_path / f"part-{number}" for number in range(1, 5)]

    def told(number):
        flags = ["run", str(path), "--part", f"{number}/4", "--out", str(folders[number - 1])]
        assert main(flags) == 0
        return capsys.readouterr()

    said = [told(number) for number in range(1, 5)]
    assert [("no work for part" in text.out) for text in said] == [False, False, True, True]
    assert len(said[3].out.splitlines()) == 1
    for number in range(1, 5):
        again = told(number)
        assert "finished already" in again.err
        assert ("no work" in again.out) == (number > 2)
    assert main(["merge", str(tmp_path / "all"), *map(str, folders)]) == 0
    assert "2 trials added" in capsys.readouterr().out
    run(Study.load(path), tmp_path / "whole")
    assert rows(tmp_path / "all") == rows(tmp_path / "whole")
    assert main(["run", str(path), "--out", str(tmp_path / "all")]) == 0
    for part in ("0/4", "5/4", "a/b", "1/0"):
        assert main(["run", str(path), "--part", part, "--out", str(tmp_path / "none")]) == 2
        (line,) = capsys.readouterr().err.splitlines()[-1:]
        assert line.startswith("jaxflow: expected a part i/k with 1 <= i <= k, got '" + part)
    assert not (tmp_path / "none").exists()
