"""A study grows in its store: each step runs what is missing, and ends as a fresh run would."""

from dataclasses import replace

import pytest
from stores import bits

from jaxflow.core.types import Outcome
from jaxflow.report import thresholds
from jaxflow.report.compute import Compute
from jaxflow.report.status import status
from jaxflow.sampling.axes import Axes, Horizon
from jaxflow.store.merging import merge
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

STUDY = Study.from_table(
    {
        "name": "growing",
        "event": {"square": 1.0},
        "axes": {"d": [5], "p": [8, 16]},
        "horizon": {"time": [30.0]},
        "dynamics": {"control": {"kind": "descent"}},
        "threshold": {"low": 4, "high": 80, "relative_half_width": 0.3, "batch": 8},
    }
)
GROWTH = {
    "another width": lambda study: replace(study, axes=Axes(d=(5,), p=(8, 16, 24))),
    "half the interval": lambda study: replace(
        study, threshold=replace(study.threshold, relative_half_width=0.15)
    ),
    "twice the horizon": lambda study: replace(study, horizon=Horizon(time=(60.0,))),
    "another name": lambda study: replace(study, name="grown"),
}


def rows(folder, design=None):
    with Store.read(folder) as store:
        return store.rows(design)


def steps():
    """The studies, each grown from the one before."""
    study, found = STUDY, {"first": STUDY}
    for name, grow in GROWTH.items():
        found[name] = study = grow(study)
    return found


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Every study run in a store of its own."""
    folders = {name: tmp_path_factory.mktemp("fresh") for name in steps()}
    for name, study in steps().items():
        run(study, folders[name])
    return folders


def test_each_step_runs_what_is_missing_and_ends_as_a_fresh_run_would(fresh, tmp_path):
    known, taken = {}, Compute()
    for name, study in steps().items():
        asked = rows(fresh[name])
        missing = [
            r for r in asked if not (old := known.get(r.trial)) or not old.answers(r.horizon)
        ]
        assert run(study, tmp_path).usage.trials == len(missing), name
        assert thresholds(tmp_path) == thresholds(fresh[name]), name
        known = {r.trial: r for r in rows(tmp_path)}
        before, taken = taken, status(tmp_path).compute
        assert taken.trials - before.trials == len(missing)
        assert (taken.seconds > before.seconds) == bool(missing)
        assert (taken.worker_seconds > before.worker_seconds) == bool(missing)
    assert len(missing) == 0  # for another name
    assert len(known) > len(asked)  # of earlier designs


def test_a_longer_horizon_replaces_what_it_may_change_only(fresh, tmp_path):
    names = list(steps())
    run(steps()[names[2]], tmp_path)
    before = {r.trial: r for r in rows(tmp_path)}
    run(steps()[names[3]], tmp_path)
    after = {r.trial: r for r in rows(tmp_path)}
    changed = [trial for trial, row in before.items() if bits(after[trial]) != bits(row)]
    assert changed
    ended = {before[trial].outcome for trial in changed}
    assert ended <= {Outcome.UNDECIDED, Outcome.STALLED}
    assert all(after[trial].horizon == 60.0 for trial in changed)


def test_halves_made_apart_and_merged_equal_the_whole(tmp_path):
    table = {**STUDY.table, "grid": {"values": [8, 16, 24], "repetitions": 6}}
    del table["threshold"]
    whole = Study.from_table(table)
    for name, p in (("one", (8,)), ("other", (16,)), ("whole", (8, 16))):
        run(replace(whole, axes=Axes(d=(5,), p=p)), tmp_path / name)
    merge(tmp_path / "merged", [tmp_path / "one", tmp_path / "other"])
    assert rows(tmp_path / "merged") == rows(tmp_path / "whole")
    assert thresholds(tmp_path / "merged") == thresholds(tmp_path / "whole")
    assert run(whole, tmp_path / "merged").usage.trials == 0


def test_searches_made_apart_and_merged_need_no_trial_twice(fresh, tmp_path):
    """A search begins where others point, so a half may lack some of the whole's trials."""
    for name, p in (("one", (8, 16)), ("other", (24,))):
        run(replace(STUDY, axes=Axes(d=(5,), p=p)), tmp_path / name)
    merge(tmp_path / "merged", [tmp_path / "one", tmp_path / "other"])
    known = {r.trial for r in rows(tmp_path / "merged")}
    asked = {r.trial for r in rows(fresh["another width"])}
    grown = steps()["another width"]
    assert run(grown, tmp_path / "merged").usage.trials == len(asked - known)
    assert thresholds(tmp_path / "merged") == thresholds(fresh["another width"])


def test_another_protocol_is_refused_and_the_difference_named(fresh):
    other = replace(STUDY, seed=7)
    before = rows(fresh["first"])
    with pytest.raises(ValueError, match=r"seed = 0.*seed = 7") as caught:
        run(other, fresh["first"])
    assert "\n" not in str(caught.value)
    assert rows(fresh["first"]) == before
