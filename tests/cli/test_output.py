"""What commands print: JSON for strict parsers, no more than asked for, no escapes in a file."""

import json
import os
import re
import subprocess
import sys

import pytest
from simulated import stored

from jaxflow import report
from jaxflow.cli.parser import main
from jaxflow.study.files import presets, purpose
from jaxflow.study.study import Study

TABLE = {
    "name": "simulated",
    "event": {"kind": "certificate", "square": 1.0},
    "horizon": {"time": [100.0]},
    "axes": {"d": [20, 30, 40, 60], "p": [32]},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [100, 150, 200, 250, 300, 400, 500], "repetitions": 6},
}
TINY = """
name = "tiny"
event.square = 1.0
horizon.time = 5.0
axes = { d = [3], p = [4] }
dynamics.descent.kind = "descent"
measure = ["loss"]
grid = { values = [4], repetitions = 1 }
"""
ESCAPE, COLOR = re.compile(r"\x1b\["), re.compile(r"\x1b\[(?:[\d;]*;)?(?:3\d|4\d|9\d|10\d)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("simulated")
    return stored(place, Study.from_table(TABLE), lambda trial: 5.0 * trial.point.d)


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path / "tiny.toml"


def strict(capsys, *arguments, code=0):
    """The JSON that a command prints, NaN and infinity refused."""

    def refuse(name):
        raise AssertionError(name)

    assert main([*map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out, parse_constant=refuse)


def test_thresholds_that_are_open_are_null(capsys, folder):
    """Where P falls beyond the grid an interval has no upper end, which JSON cannot write."""
    told = strict(capsys, "thresholds", folder)["thresholds"]
    found = report.thresholds(folder)
    assert [entry["n50"] for entry in told] == [entry["n50"] for entry in found]
    assert any(entry["high"] == float("inf") for entry in found) == any(
        entry["high"] is None for entry in told
    )


def test_status_is_that_of_the_report(capsys, folder):
    told, found = strict(capsys, "status", folder), report.status(folder)
    assert (told["finished"], told["missing"], told["trials"]) == (True, 0, 168)
    assert told["compute"] == found.compute._asdict()
    assert told["outcomes"]["CONVERGED"] == found.outcomes["CONVERGED"]
    assert [entry["n50"] for entry in told["slices"]] == [s.as_dict()["n50"] for s in found.slices]


def test_check_tells_its_findings_and_by_its_code(capsys, folder):
    """The rows of a simulated store say less than those of a run."""
    told = strict(capsys, "check", folder, code=1)
    assert told["folder"] == str(folder) and not told["sound"]
    assert any("does not go with the reason" in line for line in told["findings"])


def test_scaling_has_the_truth(capsys, folder):
    told = strict(capsys, "scaling", folder)
    (laws,) = told["laws"]
    assert laws["along"] == "d"
    power = next(form for form in laws["forms"] if form["form"] == "power")
    assert list(power["exponents"]) == ["20", "60"]
    for value, low, high in power["exponents"].values():
        assert low < 1 < high and low < value < high
    (boundary,) = told["boundaries"]
    assert [place["d"] for place in boundary["places"]] == pytest.approx([20, 1200**0.5, 60])
    for place in boundary["places"]:
        _, low, high = place["threshold"]
        assert low < 5 * place["d"] < high
    (constant,) = told["constants"]
    assert constant["p"] == 32
    assert constant["coefficients"]["C"][1] < 5 < constant["coefficients"]["C"][2]
    (collapse,) = told["collapses"]
    assert [entry["size"] for entry in collapse["sizes"]] == [20, 30, 40, 60]


def test_times_are_thresholds_by_time(capsys, folder):
    told = strict(capsys, "times", folder)
    assert {entry["d"] for entry in told["by_time"]} == {20, 30, 40, 60}
    last = [entry for entry in told["by_time"] if entry["d"] == 40][-1]
    found = next(s for s in report.slices(folder) if s.base.d == 40).posterior()
    assert last["threshold"][0] == pytest.approx(found.median, rel=1e-6)


def test_presets_and_one_of_them(capsys):
    told = strict(capsys, "presets")
    assert [entry["name"] for entry in told] == list(presets())
    one = strict(capsys, "presets", "demo")
    assert one["purpose"] == purpose("demo") and one["study"]["name"] == "demo"


def test_a_machine_and_a_trial(capsys, tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    machine = strict(capsys, "doctor")
    assert {"jaxflow", "jax"} < set(machine["versions"]) and machine["float32_error"] < 1e-4
    assert machine["devices"] and machine["problem_tried_at"] is None
    told = strict(capsys, "trial", tiny, "-n", "4")
    assert told["outcome"] in ("CONVERGED", "UNDECIDED", "STALLED")
    assert told["measured"].keys() == {"loss"}
    assert told["trajectory"]["time"][0] == 0.0
    assert not (tmp_path / "trial.png").exists()


def test_a_quiet_run_prints_its_result_alone(capsys, tiny, tmp_path):
    for _ in range(2):  # run, and found finished
        assert main(["run", str(tiny), "--out", str(tmp_path / "out"), "--quiet"]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        assert "P(converged)" in said.out and "figure" not in said.out
    told = strict(capsys, "check", tmp_path / "out")
    assert (told["sound"], told["findings"]) == (True, [])


def on_a_terminal(monkeypatch, arguments, **environment):
    """What a command writes to a terminal, on both streams."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", **environment}.items():
        monkeypatch.setenv(name, value)
    ours, theirs = os.openpty()
    with monkeypatch.context() as patch, open(theirs, "w") as terminal:
        patch.setattr(sys, "stdout", terminal)
        patch.setattr(sys, "stderr", terminal)
        assert main(arguments) == 0
        terminal.flush()
        said = os.read(ours, 2**20).decode()
    os.close(ours)
    return said


def test_no_color_is_heeded(tiny, tmp_path, monkeypatch):
    def run(name, **environment):
        arguments = ["run", str(tiny), "--out", str(tmp_path / name)]
        return on_a_terminal(monkeypatch, arguments, **environment)

    assert COLOR.search(run("a"))
    said = run("b", NO_COLOR="1")
    assert ESCAPE.search(said) and not COLOR.search(said)


def test_what_is_no_terminal_gets_no_escapes(capsys, folder):
    for command in ("thresholds", "status", "scaling", "times"):
        assert main([command, str(folder)]) == 0
        said = capsys.readouterr()
        assert not ESCAPE.search(said.out + said.err)


def test_tables_to_a_closed_pipe_have_their_code(folder):
    """`head` ends before a table is whole; rich would make this a failure."""
    script = f"{sys.executable} -m jaxflow status {folder} | true; echo ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (found.stdout.strip(), found.stderr) == ("141", "")


def test_help_tells_every_exit_code(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert all(f"{code}" in said for code in (0, 1, 2, 130, 143, 141))
