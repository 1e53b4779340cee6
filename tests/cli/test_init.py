"""`jaxflow init` asks nothing, and what it writes runs."""

import json
import sys

import pytest

from jaxflow.cli.parser import main


class Mute:
    """A standard input that nothing may be read from."""

    def __getattr__(self, name):
        raise AssertionError(name)


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", Mute())


def test_a_study_runs_at_its_small_size(capsys):
    assert main(["init"]) == 0
    assert "jaxflow run study.toml" in capsys.readouterr().out
    assert main(["run", "study.toml", "--small", "--out", "out", "-q"]) == 0
    capsys.readouterr()
    assert main(["thresholds", "out", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["thresholds"]
    assert {entry["dynamics"] for entry in found} == {"flow", "descent"}
    assert all(10 < entry["low"] < entry["n50"] < entry["high"] < 1000 for entry in found)


def test_a_problem_of_ones_own_runs(capsys):
    """Of two dimensions, where four random labels can be separated with probability one half."""
    assert main(["init", "mine.toml", "--problem"]) == 0
    small = ["--axes.d=[2]", "--horizon.time=100", "--threshold.high=16", "--threshold.low=2"]
    precision = "--threshold.relative_half_width=0.3"
    assert main(["run", "mine.toml", "--out", "out", "-q", precision, *small]) == 0
    capsys.readouterr()
    assert main(["thresholds", "out", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["thresholds"]
    assert found["low"] < 4 < found["high"]
