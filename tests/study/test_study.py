"""Running a study: resume, refusal of other studies, reports, and the command line."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import jax
import matplotlib as mpl
import pytest

from jaxflow.cli.parser import main
from jaxflow.show import figures as figure
from jaxflow.store.store import Store
from jaxflow.study.files import presets
from jaxflow.study.run import run
from jaxflow.study.study import Study

mpl.use("Agg")

TINY = """
name = "tiny"
event.square = 1.0
horizon = {time = 60.0}

[axes]
d = [5]
p = [16]

[dynamics.control]
kind = "descent"

[dynamics.flow]
kind = "flow"

[threshold]
low = 5
high = 60
relative_half_width = 0.25
batch = 8
max_trials = 64
"""


@pytest.fixture
def tiny(tmp_path):
    """The path of a study file."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def table(folder: Path):
    with Store.read(folder) as store:
        return store.rows()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "jaxflow", *arguments]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished tiny study: its folder and its table."""
    folder = tmp_path_factory.mktemp("tiny")
    path = folder / "tiny.toml"
    path.write_text(TINY)
    run(Study.load(path), folder)
    return folder, table(folder)


def test_a_finished_study_ends_at_once_and_changes_nothing(finished):
    folder, rows = finished
    progress = run(Study.load(folder / "tiny.toml"), folder)
    assert progress.usage.trials == 0
    assert all(search.finished for search in progress.searches)
    assert table(folder) == rows


def test_a_study_resumed_from_any_part_is_the_same_table(finished, tmp_path, tiny):
    _, rows = finished
    study = Study.load(tiny)
    for i, kept in enumerate((1, len(rows) // 3, len(rows) - 2)):
        folder = tmp_path / str(i)
        with Store.open(folder, study.protocol.hash, study.protocol.json) as store:
            store.insert(random.Random(i).sample(rows, kept))
        run(study, folder)
        assert table(folder) == rows


def test_kill_nine_at_random_moments_then_resume(finished, tiny, tmp_path):
    """A SIGKILL loses the trials under way and nothing else; the table is the uninterrupted one."""
    _, rows = finished
    folder, moments = tmp_path / "killed", random.Random(1)
    call = command("run", str(tiny), "--out", str(folder))
    for _ in range(3):
        process = subprocess.Popen(call, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (folder / "trials.sqlite").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 8))
        process.kill()
        process.wait()
    assert subprocess.run(call, capture_output=True, check=False).returncode == 0
    keys = [(r.dynamics, r.d, r.n, r.p, r.seed, r.outcome) for r in table(folder)]
    assert keys == [(r.dynamics, r.d, r.n, r.p, r.seed, r.outcome) for r in rows]
    assert table(folder) == rows


def test_thresholds_as_json(finished, capsys):
    folder, rows = finished
    assert main(["thresholds", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["thresholds"]
    assert {entry["dynamics"] for entry in found} == {"flow", "control"}
    for entry in found:
        assert entry["low"] <= entry["n50"] <= entry["high"]
        assert entry["trials"] == sum(entry["outcomes"].values())
        assert entry["conditional"]["low"] <= entry["conditional"]["n50"]
        assert entry["horizon"] == 60.0
        assert (entry["d"], entry["p"]) == (5, 16)
    assert sum(entry["trials"] for entry in found) == len(rows)


def test_the_table_and_the_figure(finished, capsys):
    folder, _ = finished
    assert main(["thresholds", str(folder)]) == 0
    assert "95 %" in capsys.readouterr().out
    path = figure.draw(folder, folder / "figure.png")
    assert path.stat().st_size > 10_000


def test_the_flow_does_not_beat_its_control_by_accident(tiny, tmp_path):
    """Trials of the two dynamics are paired: the same draws, so the same first losses."""
    table_of_study = Study.load(tiny).table
    del table_of_study["threshold"]
    grid = {"values": [6, 9, 12], "repetitions": 8}
    run(Study.from_table({**table_of_study, "grid": grid}), tmp_path / "grid")
    rows = table(tmp_path / "grid")
    first = {(r.dynamics, r.n, r.seed): r.first_loss for r in rows}
    paired = [(k[1:], v) for k, v in first.items() if ("flow", *k[1:]) in first]
    assert len(paired) > 20
    for key, value in paired:
        assert first["flow", *key] == pytest.approx(value, rel=1e-5)


def refused(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("jaxflow: ")
    assert "expected" in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("d = [5]", "d = [-5]", "whole number d >= 1"),
        ("low = 5", "low = 0", "low"),
        ("[axes]", '[problem]\ninputs = "spehre"\n[axes]', "'sphere'"),
        ("[axes]", '[problem]\ninputs = "orthogonal"\n[axes]', "n <= d"),
        ("relative_half_width", "relative_halfwidth", "'relative_half_width'"),
        ("[axes]", "[axes", "a TOML file"),
    ],
)
def test_bad_studies_are_refused_before_anything_is_written(capsys, tmp_path, old, new, word):
    path = tmp_path / "bad.toml"
    path.write_text(TINY.replace(old, new))
    assert word in refused(capsys, "run", str(path), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("plan", "got"),
    [
        ({"threshold": {"low": 1, "high": 4}}, "a search, which tries fractions"),
        ({"grid": {"values": [1, 1.5, 2], "repetitions": 1}}, "1.5"),
        ({"grid": {"values": [1, 2], "repetitions": 1}}, None),
    ],
)
def test_along_an_integer_no_fractions_are_tried(plan, got):
    (kind, values), along = next(iter(plan.items())), "problem.rank"
    table = {
        "name": "rank",
        "problem": {"kind": "matrix_sensing"},
        "axes": {"d": [4], "p": [4], "n": [8]},
        "horizon": {"time": [1.0]},
        "dynamics": {"flow": {"kind": "flow"}},
        kind: {**values, "along": along, "rising": False},
    }
    if got is None:
        assert Study.from_table(table).design.along == along
        return
    with pytest.raises(ValueError, match="whole numbers along") as error:
        Study.from_table(table)
    assert got in str(error.value)


@pytest.mark.parametrize("name", ["3", "[1]"])
def test_a_name_that_is_none_is_refused_without_a_folder_given(capsys, tmp_path, monkeypatch, name):
    path = tmp_path / "bad.toml"
    path.write_text(TINY.replace('name = "tiny"', f"name = {name}"))
    monkeypatch.chdir(tmp_path)
    assert "name" in refused(capsys, "run", str(path))
    assert not (tmp_path / "runs").exists()


def test_missing_things_are_refused(capsys, tmp_path):
    assert "'demo'" in refused(capsys, "run", "dmeo")
    assert "read" in refused(capsys, "run", str(tmp_path / "none.toml"))
    assert "jaxflow run" in refused(capsys, "thresholds", str(tmp_path))


def test_the_store_of_another_study_is_refused_and_kept(capsys, finished, tmp_path):
    folder, rows = finished
    path = tmp_path / "other.toml"
    path.write_text(TINY.replace("event.square = 1.0", "event.square = 2.0"))
    line = refused(capsys, "run", str(path), "--out", str(folder))
    assert "event.square = 1.0" in line and "event.square = 2.0" in line
    assert table(folder) == rows


def test_an_unwritable_folder_is_refused(capsys, tiny, tmp_path):
    (tmp_path / "file").write_text("")
    assert "--out" in refused(capsys, "run", str(tiny), "--out", str(tmp_path / "file" / "out"))


def test_bad_lanes_are_refused(capsys, tiny, tmp_path):
    line = refused(capsys, "run", str(tiny), "--out", str(tmp_path / "o"), "--transform", "lanes")
    assert "map" in line


@pytest.mark.parametrize("wanted", ["orthogonal", "polar"])
def test_impossible_coordinates_are_refused_before_anything_is_written(
    capsys, tiny, tmp_path, wanted
):
    out = tmp_path / "out"
    line = refused(capsys, "run", str(tiny), "--out", str(out), "--coordinates", wanted)
    assert "ambient" in line
    assert not out.exists()


def test_a_finished_study_starts_without_jax(finished, tiny):
    folder, rows = finished
    code = "import sys; from jaxflow.cli.parser import main; main(sys.argv[1:])"
    code += "; print('jax' in sys.modules)"
    call = [sys.executable, "-c", code, "run", str(tiny), "--out", str(folder)]
    subprocess.run(call, capture_output=True, check=True)  # finds it finished, and notes it
    again = subprocess.run(call, capture_output=True, check=True, text=True)
    assert again.stdout.splitlines()[-1] == "False"
    assert "95 %" in again.stdout
    assert table(folder) == rows
    tiny.write_text("seed = 0\n" + tiny.read_text())  # as it was by default
    other = subprocess.run(call, capture_output=True, check=True, text=True)
    assert other.stdout.splitlines()[-1] == "True"  # another file: what it asks for is worked out
    assert table(folder) == rows


def test_presets_load_and_are_listed(capsys):
    assert main(["presets"]) == 0
    listed = capsys.readouterr().out
    for name in presets():
        assert name in listed
        assert Study.load(name).name == name


def test_doctor(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "jaxlib" in printed
    assert "numerics" in printed


def test_doctor_computes_in_the_precision_of_a_study(capsys, x64):
    jax.config.update("jax_enable_x64", False)  # as at the start of a process
    assert main(["doctor", "group-rates"]) == 0
    assert "are sound at" in capsys.readouterr().out


def test_help_is_instant_and_imports_no_jax():
    code = "import sys; from jaxflow.cli.parser import _parser; _parser()"
    code += "; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
