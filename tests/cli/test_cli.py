"""Commands on a store, and the flags that are keys of the study."""

import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import matplotlib as mpl
import pytest

from jaxflow.cli.parser import main
from jaxflow.show.result import Result
from jaxflow.statistics.posterior import estimate
from jaxflow.store.file import FILE
from jaxflow.store.store import Store
from jaxflow.study.files import description, presets
from jaxflow.study.run import run
from jaxflow.study.study import Study

mpl.use("Agg")

GRID = """
name = "grid"
event.square = 1.0
horizon = {time = [20.0, 60.0]}
[axes]
d = [4, 5, 6]
p = [16]
[axes.parameters]
"problem.initialization.shrink" = [0.5, 1.0]
[dynamics.control]
kind = "descent"
[grid]
values = [8, 16, 24]
repetitions = 4
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """A study file and the folder of its store."""
    folder = tmp_path_factory.mktemp("grid")
    (folder / "grid.toml").write_text(GRID)
    run(Study.load(folder / "grid.toml"), folder)
    return folder / "grid.toml", folder


def said(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("jaxflow: ")
    return line


def test_every_parameter_is_a_slice_of_its_own(grid, capsys):
    found = json.loads(said(capsys, "thresholds", str(grid[1]), "--json"))["thresholds"]
    assert len(found) == 3 * 2 * 2  # d, shrink, horizons
    name = "problem.initialization.shrink"
    assert {entry["parameters"][name] for entry in found} == {0.5, 1.0}
    assert {entry["horizon"] for entry in found} == {20.0, 60.0}
    assert all(entry["along"] == "n" for entry in found)
    for entry in found:
        low, high = entry["width"][1:]
        assert low <= entry["width"][0] <= high


def test_the_thresholds_are_those_of_the_trials(grid, capsys):
    """Counted by hand from the rows, at the shorter horizon."""
    with Store.read(grid[1]) as store:
        rows = store.rows()
    here = [r for r in rows if r.d == 5 and dict(r.parameters).popitem()[1] == 0.5]
    counts = [
        (n, sum(r.n == n and r.outcome == "CONVERGED" and r.flow_time <= 20 for r in here), 4)
        for n in (8, 16, 24)
    ]
    from jaxflow.statistics.counts import Tally

    expected = estimate([Tally(*count) for count in counts], 8, 24)
    found = json.loads(said(capsys, "thresholds", str(grid[1]), "--json"))["thresholds"]
    (entry,) = [
        e for e in found if e["d"] == 5 and e["horizon"] == 20.0 and 0.5 in e["parameters"].values()
    ]
    assert entry["n50"] == pytest.approx(expected.n50, rel=1e-3)
    assert entry["outcomes"]["CONVERGED"] == sum(c for _, c, _ in counts)


def test_status_check_and_scaling(grid, capsys):
    printed = said(capsys, "status", str(grid[1]))
    assert "72 trials" in printed
    assert "finished" in printed
    assert "sound" in said(capsys, "check", str(grid[1]))
    printed = said(capsys, "scaling", str(grid[1]))
    assert "N = C d" in printed
    assert "3 sizes are too few to decide; not fitted: linear," in " ".join(printed.split())
    assert "C(p)" in printed
    assert "Collapse along d: control" in printed


def test_scaling_tells_what_there_is(grid, capsys, tmp_path):
    """Two by two slices have a boundary, though no law; a slice alone has neither."""
    small = {"axes.d": [4, 5], "grid.repetitions": 2}
    run(Study.load(grid[0], small), tmp_path / "four")
    assert "Boundary over d and shrink: control" in said(capsys, "scaling", str(tmp_path / "four"))
    run(Study.load(grid[0], {**small, "axes.d": [4], "axes.parameters": {}}), tmp_path / "one")
    line = refused(capsys, "scaling", str(tmp_path / "one"))
    assert "expected three slices along an axis, got '1 slices': give the study more" in line


def test_export_by_suffix(grid, capsys, tmp_path):
    pytest.importorskip("xarray")
    for suffix in (".csv", ".parquet", ".nc"):
        assert "72 trials" in said(capsys, "export", str(grid[1]), str(tmp_path / f"x{suffix}"))
    assert ".parquet" in refused(capsys, "export", str(grid[1]), str(tmp_path / "x.xlsx"))
    result = Result(grid[1])
    assert result.to_xarray().sizes["trial"] == 72
    assert len(result.to_pandas()) == 72


def test_a_study_is_loaded_from_its_store(grid):
    path, folder = grid
    assert Study.load(folder) == Study.load(path)


def test_merge(grid, capsys, tmp_path):
    path, folder = grid
    assert "72 trials added" in said(capsys, "merge", str(tmp_path / "all"), str(folder))
    assert "72 were there" in said(capsys, "merge", str(tmp_path / "all"), str(folder))
    with Store.read(tmp_path / "all") as store, Store.read(folder) as source:
        assert store.rows() == source.rows()
    other = Study.load(path, {"seed": 1})
    run(other, tmp_path / "other")
    assert "seed" in refused(capsys, "merge", str(tmp_path / "all"), str(tmp_path / "other"))


def test_a_spoiled_store_is_found_out(grid, capsys, tmp_path):
    import sqlite3

    (tmp_path / FILE).write_bytes((grid[1] / FILE).read_bytes())
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("UPDATE trials SET flow_time = 1e9 WHERE seed = 0 AND n = 8 AND d = 4")
    connection.close()
    assert main(["check", str(tmp_path)]) == 1
    assert "flow" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--axes.q=[3]"], "n, p, parameters}"),
        (["--seed"], "--seed=VALUE"),
        (["--seed=many"], "an integer"),
        (["--grid.values=[0]"], "whole number"),
        (["stray"], "--key=value"),
        (["--seed", "9" * 5000], "a TOML value after --seed"),
        (["--axes.p", "[" * 5000], "a TOML value after --axes.p"),
        (["--horizon.factr", "3"], "'factor'"),
    ],
)
def test_flags_that_are_no_keys_are_refused(grid, capsys, tmp_path, flags, word):
    out = tmp_path / "out"
    assert word in refused(capsys, "run", str(grid[0]), "--out", str(out), *flags)
    assert not out.exists()


def test_flags_are_keys_of_the_study(grid, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = ["--axes.d=[5]", "--grid.repetitions", "1", "--name=other", "--horizon.time=20"]
    said(capsys, "run", str(grid[0]), *flags)
    study = Study.load(Path("runs/other"))
    assert (study.axes.d, study.name, study.horizon.time) == ((5,), "other", (20.0,))
    with Store.read(Path("runs/other")) as store:
        assert len(store.rows()) == 6
    assert (Path("runs/other") / "thresholds.png").exists()


def test_a_small_study_has_the_values_of_its_table(grid, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = 'small.axes.d = [5]\nsmall.axes.parameters."problem.initialization.shrink" = [0.5]\n'
    Path("study.toml").write_text(small + GRID)
    said(capsys, "run", "study.toml", "--small", "--grid.repetitions=1")
    study = Study.load(Path("runs/grid-small"))
    assert study == Study.load("study.toml", {"grid.repetitions": 1}, small=True)
    assert (study.name, study.axes.d) == ("grid-small", (5,))
    assert study.axes.parameters == {"problem.initialization.shrink": (0.5,)}
    whole = Study.load("study.toml")
    assert (whole.name, whole.axes.d) == ("grid", (4, 5, 6))
    assert "[small]" in refused(capsys, "run", str(grid[0]), "--small")


def test_times_and_every_kind_of_figure(grid, capsys, tmp_path):
    printed = said(capsys, "times", str(grid[1]))
    assert "N against the flow time allowed" in printed
    for kind in ("collapse", "diagram", "times", "transitions"):
        path = tmp_path / f"{kind}.png"
        said(capsys, "figure", str(grid[1]), "--kind", kind, "--out", str(path))
        assert path.stat().st_size > 10_000
    assert "'times'" in refused(capsys, "figure", str(grid[1]), "--kind", "time")
    out = str(tmp_path / "none" / "x.png")
    assert "can be written" in refused(capsys, "figure", str(grid[1]), "--out", out)


def test_the_table_says_once_what_all_thresholds_share(grid, capsys):
    lines = said(capsys, "thresholds", str(grid[1])).splitlines()
    assert "p = 16" in lines[1]
    head = next(line for line in lines if "dynamics" in line)
    assert head.split()[:4] == ["dynamics", "d", "shrink", "time"]
    assert all(len(line) <= 80 for line in lines)
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("arguments", [["frob"], ["status"], ["run", "demo", "--width", "x"]])
def test_what_is_no_command_is_refused_in_a_line(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("jaxflow: ") and "--help" in line


def test_presets_have_a_line_each_and_one_tells_the_rest(capsys):
    lines = said(capsys, "presets").splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == list(presets())
    assert all(len(line) <= 80 for line in lines)
    starts = {re.match(r"(\S+ +| +)\S", line).end() for line in lines}
    assert len(starts) == 1  # aligned
    told = said(capsys, "presets", "demo")
    assert 'name = "demo"' in told and "jaxflow run demo" in told
    assert " ".join(description("demo").split()) in " ".join(told.split())
    assert "did you mean 'demo'" in refused(capsys, "presets", "dem")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("thresholds", "runs", "--jsn"), "got '--jsn': did you mean '--json'?"),
        (("run", "demo", "--outt", "x"), "got '--outt': did you mean '--out'?"),
        (("run", "demo", "--outt=x"), "got '--outt': did you mean '--out'?"),
        (("run", "demo", "--sed=1"), "got 'sed': did you mean 'seed'?"),
        (("thresholds", "runs", "more"), "no more arguments, got 'more'"),
        (("--versoin",), "did you mean '--version'?"),
    ],
)
def test_a_flag_misspelt_is_told_the_nearest(capsys, tmp_path, monkeypatch, arguments, what):
    monkeypatch.chdir(tmp_path)
    assert what in refused(capsys, *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["/abs/x", "../../x", "..", "a/b", ""])
def test_no_study_is_written_outside_runs(grid, capsys, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.parent.parent.iterdir())
    refused(capsys, "run", str(grid[0]), f"--name={json.dumps(name)}")
    assert not list(tmp_path.iterdir())
    assert set(tmp_path.parent.parent.iterdir()) == before
    assert not Path("/abs").exists()


def test_a_folder_goes_on_with_the_study_in_it(grid, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made").mkdir()
    refused(capsys, "run", "made")
    (tmp_path / "made" / "study.toml").write_text(GRID)
    flags = ("--axes.d=[5]", "--grid.repetitions=1")
    assert "made/trials.sqlite" in said(capsys, "run", "made", *flags)
    with Store.read(tmp_path / "made") as store:
        assert len(store.rows()) == 6
    assert not (tmp_path / "runs").exists()


def test_a_study_that_cannot_be_written_is_a_line(capsys, tmp_path):
    path = tmp_path / "no" / "x.toml"
    assert main(["init", str(path)]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected a file that can be written" in line and "choose another path" in line


def test_a_folder_of_any_name_is_a_line(grid, capsys, tmp_path):
    folder = tmp_path / "[red]x[/red]\x1b[31m\na"
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes((grid[1] / FILE).read_bytes())
    for command in ("status", "check"):
        printed = said(capsys, command, str(folder))
        assert r"[red]x[/red]\x1b[31m\na" in printed
        assert "\x1b" not in printed
    assert "\x1b" not in refused(capsys, "status", str(folder / "none"))


def test_who_reads_a_part_ends_the_command():
    script = (
        f"{shlex.quote(sys.executable)} -m jaxflow presets | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    first, code = found.stdout.splitlines()
    assert first.split()[0] == next(iter(presets()))
    assert code in ("0", "141") and found.stderr == ""


def test_a_run_says_where_its_seconds_went(grid, tmp_path, capsys):
    """All of them: what this thread did adds up to about the time that the command took."""
    began = time.monotonic()
    text = said(capsys, "run", str(grid[0]), "--out", str(tmp_path / "new"), "--profile")
    took = time.monotonic() - began
    spent = {}
    for line in text.splitlines():
        found = re.fullmatch(
            r" ?(this thread|workers, together) +(\S.*?) +(\d+\.\d)", line.rstrip()
        )
        if found:
            spent[found[2]] = float(found[3])
    names = {"checks", "statistics", "store", "waiting for trials", "report", "drawing"}
    assert names | {"compiling", "trials", "without work"} == set(spent)
    assert 0.5 * took < sum(spent[name] for name in names) < took + 0.5
    again = said(capsys, "run", str(grid[0]), "--out", str(tmp_path / "new"), "--profile")
    assert "report" in again and "compiling" not in again


def test_a_limit_on_address_space_is_told_before_jax_aborts(grid, tmp_path):
    """One that is too low is refused; one that may be is a line, and this one suffices here."""

    def under(mebibytes: int, *flags: str):
        run = [sys.executable, "-m", "jaxflow", "run", str(grid[0]), *map(shlex.quote, flags)]
        script = f"ulimit -v {mebibytes * 1024}; exec {' '.join(run)}"
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True)

    refused = under(1000, "--out", str(tmp_path / "none"))
    (line,) = refused.stderr.splitlines()
    assert refused.returncode == 2 and not (tmp_path / "none").exists()
    assert line.startswith("jaxflow: expected 1.6 GiB of address space at least, got")
    flags = ("--out", str(tmp_path / "new"), "--axes.d=[4]", "--grid.repetitions=1")
    warned = under(3200, *flags)
    assert warned.returncode == 0
    said = [line for line in warned.stderr.splitlines() if "address space" in line]
    assert len(said) == 1 and said[0].startswith("jaxflow: a limit of 3.12 GiB on address space")
    assert "address space" not in under(3200, *flags).stderr  # finished already
