"""Problems of a user's, from a study file to a figure; and what must not change a trial."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from jaxflow import report
from jaxflow.cli.parser import main
from jaxflow.core.open_names import importing_from
from jaxflow.core.types import Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Above, Below
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.report.means import profiles
from jaxflow.report.soundness import check
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

FILES = Path(__file__).parent.parent / "support" / "any_problem"
STUDIES = sorted(path.stem for path in FILES.glob("*.toml"))
ONE_BUCKET = {"threshold.low": 33, "threshold.high": 64, "threshold.max_trials": 6}
QUICKLY = {
    "label_noise": {**ONE_BUCKET, "axes.parameters.problem.label_noise": [0.05, 0.1]},
    "test_error": {**ONE_BUCKET, "axes.d": [5]},
    "real_data": ONE_BUCKET,
    "scale": {"threshold.max_trials": 12},
    "step_size": {"threshold.max_trials": 12},
    "several_events": {**ONE_BUCKET, "axes.d": [8], "horizon.epochs": [10, 20]},
    "temperature": {"grid.values": [0.01, 0.1], "grid.repetitions": 3, "horizon.steps": 30},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The study files with their module and their data, where they run."""
    made = tmp_path_factory.mktemp("own")
    for path in FILES.iterdir():
        shutil.copy(path, made)
    random = np.random.default_rng(0)
    y = np.where(np.arange(500) % 2, 1.0, -1.0)
    x = random.normal(size=(500, 8))
    x[:, 0] += 1.2 * y
    np.savez(made / "clouds.npz", x=x, y=y)
    yield made
    sys.modules.pop("problems_of_mine", None)


def thresholds(folder, name, changes):
    with importing_from(folder):
        study = Study.load(folder / f"{name}.toml", changes)
    out = folder / name
    run(study, out)
    found = report.slices(out)
    return out, report.thresholds(out) if found[0].waits else list(
        profiles(found, "norm")[0].entries()
    )


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_file_runs_to_its_figure(folder, name, monkeypatch):
    monkeypatch.chdir(folder)
    out, found = thresholds(folder, name, QUICKLY[name])
    assert check(out) == []
    assert all(entry["trials"] > 0 for entry in found)
    assert main(["figure", str(out), "--out", str(out / "figure.png")]) == 0
    assert (out / "figure.png").stat().st_size > 10_000


@pytest.mark.slow
def test_thresholds_move_as_they_must(folder, monkeypatch):
    """More noise, less to separate; more dimensions, more to learn."""
    monkeypatch.chdir(folder)
    by = {name: thresholds(folder, name, {"name": f"whole-{name}"})[1] for name in STUDIES}
    wandering = [entry["mean"] for entry in by.pop("temperature")]
    assert wandering == sorted(wandering)
    several = {(e["event"], e["d"], e["horizon"]): e["n50"] for e in by["several_events"]}
    for d in (8, 16):
        assert several["fits", d, 100] > several["fits", d, 20]
    for epochs in (20, 100):
        assert several["learns", 16, epochs] > several["learns", 8, epochs]
    noise = [entry["n50"] for entry in by["label_noise"]]
    assert noise == sorted(noise, reverse=True)
    at = {(entry["d"], entry["horizon"]): entry["n50"] for entry in by["test_error"]}
    assert at[10, 10.0] > at[5, 10.0] > at[5, 100.0]
    assert 1 < by["scale"][0]["n50"] < 20
    assert 1 < by["step_size"][0]["n50"] < 10
    assert 16 < by["real_data"][0]["n50"] < 120


CASES = {
    "perceptron": (Perceptron(), Above("margin", 0.0), GradientFlow(), 200.0),
    "three layers": (
        DeepNetwork(label_noise=0.1), Below("test_error", 0.1), GradientFlow(), 20.0,
    ),
    "minibatches": (
        DeepNetwork(), Below("test_error", 0.15), GradientDescent(0.2, batch=8), 8.0,
    ),
}  # fmt: skip
TRIALS = [Trial("it", Point(4, n, 3), seed, 0.0) for n in (18, 30) for seed in range(4)]


def rows(case, lanes, trials=TRIALS):
    problem, event, dynamics, horizon = CASES[case]
    allowed = [Trial("it", t.point, t.seed, horizon) for t in trials]
    with LocalRunner(problem, {"it": dynamics}, event=event, lanes=lanes) as runner:
        found = {row.trial: row for row in runner.run(allowed)}
    return [found[trial] for trial in allowed]


def numbers(row):
    return row.outcome, row.reason, row.flow_time, row.steps, row.evaluations, row.last_loss


@pytest.mark.parametrize("case", CASES)
def test_a_trial_is_itself_in_any_lane_and_beside_any_neighbours(case):
    """To the bit alone, in a batch, of two workers; to rounding by the other transform."""
    one = rows(case, Lanes("map", 1, threads=1))
    two = rows(case, Lanes("map", 1, threads=2), TRIALS[::-1])[::-1]
    assert list(map(numbers, one)) == list(map(numbers, two))
    side = rows(case, Lanes("vmap", 4, chunk=3, threads=1))
    again = rows(case, Lanes("vmap", 4, chunk=5, threads=1), TRIALS[3:])
    assert list(map(numbers, side))[3:] == list(map(numbers, again))
    for a, b in zip(one, side, strict=True):
        assert a.outcome == b.outcome
        assert a.first_loss == pytest.approx(b.first_loss, rel=1e-5)
        assert a.flow_time == pytest.approx(b.flow_time, rel=0.02)


def test_a_study_of_ones_own_goes_on_after_an_interruption(tmp_path):
    study = Study.from_table({
        "name": "deep",
        "problem": {"kind": "jaxflow.problems.examples.deep_network:DeepNetwork"},
        "event": {"kind": "below", "observable": "test_error", "value": 0.2},
        "axes": {"d": 4, "p": 3},
        "horizon": {"time": [5.0, 20.0]},
        "dynamics": {"flow": {"kind": "flow"}},
        "grid": {"values": [17, 32], "repetitions": 6},
        "record": {"observables": ["loss", "test_error"], "points": 4},
    })  # fmt: skip

    def interrupt(progress):
        if progress.ended >= 5:
            raise KeyboardInterrupt

    run(study, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(study, tmp_path / "cut", listener=interrupt)
    run(study, tmp_path / "cut")
    both = []
    for name in ("whole", "cut"):
        with Store.read(tmp_path / name) as store:
            both.append(([numbers(row) for row in store.rows()], dict(store.trajectories())))
    assert both[0][0] == both[1][0]
    for trial, arrays in both[0][1].items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(values, both[1][1][trial][name])


def test_what_a_study_of_ones_own_must_say():
    table = {
        "name": "x",
        "problem": "jaxflow.problems.examples.perceptron:Perceptron",
        "axes": {"d": 4},
        "dynamics": {"flow": {"kind": "flow"}},
        "grid": {"values": [17], "repetitions": 2},
    }
    with pytest.raises(ValueError, match=r"a horizon for Perceptron.*horizon.time"):
        Study.from_table(table)
    allowed = {**table, "horizon": {"time": 1.0}}
    event = {"kind": "above", "observable": "margins", "value": 0}
    with pytest.raises(ValueError, match=r"observable in .*margin.*got 'margins'"):
        Study.from_table({**allowed, "event": event})
    axes = {"d": 4, "parameters": {"problem.noise": [0.1]}}
    with pytest.raises(ValueError, match=r"a field of problem.*got 'noise'"):
        Study.from_table({**allowed, "axes": axes})
    with pytest.raises(ValueError, match="did you mean 'Perceptron'"):
        Study.from_table({**allowed, "problem": table["problem"][:-1] + "m"})
    assert Study.from_table(allowed).axes.p == (1,)


def test_sizes_that_are_programs_of_their_own_are_proposed_on_the_ladder():
    table = {
        "name": "x",
        "problem": "perceptron",
        "horizon": {"time": 1.0},
        "dynamics": {"flow": {"kind": "flow"}},
        "event": {"kind": "above", "observable": "margin", "value": 0.0},
    }
    by_n = {**table, "axes": {"d": 4}, "threshold": {"low": 8, "high": 90}}
    by_d = {**table, "axes": {"n": 40}, "threshold": {"low": 8, "high": 90, "along": "d"}}
    assert Study.from_table(by_n).threshold.lattice is None
    assert Study.from_table(by_d).threshold.lattice == "ladder"
    assert Study.load("demo").threshold.lattice is None
