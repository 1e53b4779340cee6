"""Stores of one protocol joined: nothing is lost, counted twice, mixed or believed unseen."""

import json
from dataclasses import replace

import numpy as np
import pytest
from stores import (
    DESIGN,
    FILE,
    OTHER_DESIGN,
    PROTOCOL,
    ROW,
    TRIAL,
    earlier,
    execute,
    hash_of,
    made,
    one_line,
    open_store,
    resealed,
)

from jaxflow.core.types import Outcome
from jaxflow.store.checking import check
from jaxflow.store.identity import StoredRun
from jaxflow.store.merging import MergeReport, merge
from jaxflow.store.store import Store

UNDECIDED = replace(ROW, outcome=Outcome.UNDECIDED, reason="horizon", flow_time=100.0)
LONGER = replace(ROW, horizon=200.0, flow_time=150.0)
NOTHING = MergeReport(0, 0, 0, 0, 0, 0)


def rows(folder, design=None):
    with Store.read(folder) as store:
        return store.rows(design)


def test_stores_are_joined_and_counted(tmp_path):
    seeds = [replace(ROW, seed=seed) for seed in range(6)]
    target = made(tmp_path / "target", seeds[:2])
    first = made(tmp_path / "first", seeds[1:4])
    second = made(tmp_path / "second", seeds[3:], design=OTHER_DESIGN)
    assert merge(target, [first, second]) == MergeReport(4, 0, 2, 0, 0, designs=1)
    assert rows(target) == seeds
    with Store.read(target) as store:
        last = store.designs[-1]
        assert len(store.designs) == 2 and last.hash != hash_of(OTHER_DESIGN)
        assert store.rows(last.hash) == seeds[:4]
        assert store.rows(hash_of(OTHER_DESIGN)) == seeds[3:]
    assert merge(target, [first, second]) == replace(NOTHING, known=6)
    assert rows(target) == seeds
    assert rows(first) == seeds[1:4]
    assert check(target) == []


def test_runs_of_all_are_noted_each_once(tmp_path):
    notes = [StoredRun(name, hash_of(DESIGN), name, seconds=1.0, trials=1) for name in "ab"]
    folders = [made(tmp_path / run.key, [replace(ROW, seed=k)]) for k, run in enumerate(notes)]
    for folder, run in zip(folders, notes, strict=True):
        with open_store(folder) as store:
            store.note(run)
    for _ in range(2):
        merge(tmp_path / "both", folders)
        with Store.read(tmp_path / "both") as store:
            assert store.runs == tuple(notes)
    assert check(tmp_path / "both") == []


def test_two_halves_are_the_whole(tmp_path):
    seeds = [replace(ROW, seed=seed) for seed in range(6)]
    arrays = {row.trial: {"loss": [float(row.seed)]} for row in seeds}
    whole = made(tmp_path / "whole", seeds, arrays)
    halves = [
        made(tmp_path / name, half, {row.trial: arrays[row.trial] for row in half})
        for name, half in (("even", seeds[::2]), ("odd", seeds[1::2]))
    ]
    assert merge(tmp_path / "both", halves) == MergeReport(6, 0, 0, 0, 6, 1)
    with Store.read(whole) as first, Store.read(tmp_path / "both") as second:
        assert first.rows(first.designs[-1].hash) == second.rows(second.designs[-1].hash)
        assert first.select("SELECT name, total FROM sums WHERE name IN ('trials', 'asked')") == (
            second.select("SELECT name, total FROM sums WHERE name IN ('trials', 'asked')")
        )


def test_the_target_may_be_new_or_a_source(tmp_path):
    source = made(tmp_path / "source", [ROW])
    target = tmp_path / "runs" / "target"
    assert merge(target, [source]) == MergeReport(1, 0, 0, 0, 0, 1)
    assert rows(target) == [ROW]
    assert merge(str(target), [str(target), str(source)]) == replace(NOTHING, known=1)
    assert merge(target, [target]) == NOTHING


def test_an_undecided_trial_is_replaced_by_a_longer_horizon(tmp_path):
    target = made(tmp_path / "target", [UNDECIDED], {TRIAL: {"loss": [1.0]}})
    longer = made(tmp_path / "longer", [LONGER], {TRIAL: {"loss": [2.0]}}, design=OTHER_DESIGN)
    assert merge(target, [longer]) == MergeReport(0, 1, 0, 0, 1, 1)
    with Store.read(target) as store:
        assert store.rows() == [LONGER]
        np.testing.assert_array_equal(store.trajectory(TRIAL)["loss"], [2.0])
    shorter = made(tmp_path / "shorter", [UNDECIDED])
    assert merge(target, [shorter]) == replace(NOTHING, known=1)
    assert rows(target) == [LONGER]
    assert check(target) == []


def test_trajectories_come_with_their_own_trial_only(tmp_path):
    ours, theirs = {"loss": [1.0]}, {"loss": [2.0]}
    other = replace(TRIAL, seed=1)
    target = made(tmp_path / "target", [ROW], {TRIAL: ours})
    found = [replace(ROW, last_loss=0.1), replace(ROW, seed=1), replace(ROW, seed=2)]
    source = made(tmp_path / "source", found, {TRIAL: theirs, other: theirs})
    merge(target, [source])
    with Store.read(target) as store:
        kept = dict(store.trajectories())
    assert list(kept) == [TRIAL, other]
    np.testing.assert_array_equal(kept[TRIAL]["loss"], [1.0])
    np.testing.assert_array_equal(kept[other]["loss"], [2.0])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (UNDECIDED, replace(ROW, flow_time=95.0)),
        (replace(ROW, flow_time=95.0), UNDECIDED),
        (UNDECIDED, replace(LONGER, flow_time=99.0)),
    ],
)
def test_near_a_horizon_two_machines_may_differ(tmp_path, first, second):
    target = made(tmp_path / "target", [first], {TRIAL: {"loss": [1.0]}})
    source = made(tmp_path / "source", [second], {TRIAL: {"loss": [2.0]}})
    replaced = int(second.horizon > 100.0)
    assert merge(target, [source]) == MergeReport(0, replaced, 1 - replaced, 1, replaced, 0)
    kept = (first, second)[replaced]
    assert rows(target) == [kept]
    with Store.read(target) as store:
        np.testing.assert_array_equal(store.trajectory(TRIAL)["loss"], [1.0 + replaced])
    assert check(target) == []


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (UNDECIDED, ROW, "UNDECIDED at 100, and CONVERGED at 1.5"),
        (ROW, UNDECIDED, "CONVERGED at 1.5, and UNDECIDED at 100"),
        (
            ROW,
            replace(ROW, outcome=Outcome.STALLED, reason="stationary"),
            "CONVERGED at 1.5, and STALLED at 1.5",
        ),
        (
            replace(UNDECIDED, horizon=200.0, flow_time=200.0),
            replace(ROW, outcome=Outcome.FAILED, reason="budget", flow_time=50.0),
            "UNDECIDED at 200, and FAILED at 50",
        ),
        (
            UNDECIDED,
            replace(ROW, outcome=Outcome.FAILED, reason="not_finite", flow_time=float("nan")),
            "UNDECIDED at 100, and FAILED at nan",
        ),
    ],
)
def test_contradictions_are_refused_and_named(tmp_path, first, second, said):
    target = made(tmp_path / "target", [first, replace(ROW, seed=1)])
    source = made(tmp_path / "source", [second, replace(ROW, seed=2)])
    before = (target / FILE).read_bytes()
    with pytest.raises(ValueError, match="agrees with the others") as error:
        merge(target, [source])
    assert f"dynamics=flow d=2 n=8 p=4 seed=0: {said}" in one_line(error)
    assert (target / FILE).read_bytes() == before
    with pytest.raises(ValueError, match="agrees with the others"):
        merge(tmp_path / "new", [target, source])
    assert not (tmp_path / "new").exists()


def test_of_many_contradictions_some_are_told(tmp_path):
    target = made(tmp_path / "target", [replace(ROW, seed=seed) for seed in range(100)])
    source = made(tmp_path / "source", [replace(UNDECIDED, seed=seed) for seed in range(100)])
    with pytest.raises(ValueError, match="and 97 more") as error:
        merge(target, [source])
    assert len(one_line(error)) < 600


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE trials SET horizon = horizon * 2, outcome = 'CONVERGED', reason = 'certificate'",
        "UPDATE trials SET d = 9e999",
        "DELETE FROM trials WHERE seed = 2",
        "DELETE FROM asked",
        "UPDATE trajectories SET arrays = x'00'",
        "UPDATE designs SET json = '{}'",
        "UPDATE protocol SET json = '{}'",
        "CREATE TRIGGER one AFTER INSERT ON trials BEGIN DELETE FROM trials; END",
    ],
)
def test_an_unsound_source_is_refused_and_the_target_left_as_it_was(tmp_path, damage):
    target = made(tmp_path / "target", [ROW])
    trial = replace(TRIAL, seed=1)
    found = [replace(ROW, seed=1), replace(UNDECIDED, seed=2)]
    good = made(tmp_path / "good", [replace(ROW, seed=3)])
    source = made(tmp_path / "source", found, {trial: {"loss": [1.0]}})
    execute(source, damage)
    before = (target / FILE).read_bytes()
    for into in (target, tmp_path / "new"):
        with pytest.raises(ValueError, match=r"a sound store in .*source") as error:
            merge(into, [good, source])
        assert len(one_line(error)) < 1500
    assert (target / FILE).read_bytes() == before
    assert not (tmp_path / "new").exists()


def test_rows_that_their_designs_do_not_allow_are_refused(tmp_path):
    source = made(tmp_path / "source", [replace(ROW, n=9), ROW])

    def rules(store):
        return lambda row: ["n = 9 is not asked for"] if row.n == 9 else []

    with pytest.raises(ValueError, match="n = 9 is not asked for") as error:
        merge(tmp_path / "new", [source], rules)
    one_line(error)
    execute(source, "UPDATE trials SET evaluations = 0 WHERE n = 8")
    resealed(source)
    with pytest.raises(ValueError, match="too few for 10 steps"):
        merge(tmp_path / "new", [source])


def test_another_protocol_is_refused_before_anything_is_written(tmp_path):
    other = json.dumps({**json.loads(PROTOCOL), "seed": 1})
    first = made(tmp_path / "first", [ROW])
    second = made(tmp_path / "second", [replace(ROW, seed=1)], protocol=other)
    for target in (tmp_path / "new", made(tmp_path / "target", [])):
        with pytest.raises(ValueError, match="seed = 0") as error:
            merge(target, [first, second])
        assert "seed = 1" in one_line(error)
    assert not (tmp_path / "new").exists()
    assert rows(tmp_path / "target") == []
    with pytest.raises(ValueError, match="seed = 0") as error:
        merge(first, [second])
    one_line(error)
    assert rows(first) == [ROW]


def test_nothing_to_merge_is_a_mistake(tmp_path):
    for sources in ([], [tmp_path / "nowhere"]):
        with pytest.raises(ValueError, match="store") as error:
            merge(tmp_path / "target", sources)
        one_line(error)
    assert list(tmp_path.iterdir()) == []


def test_a_target_with_a_writer_is_refused(tmp_path):
    source = made(tmp_path / "source", [ROW])
    with open_store(tmp_path / "target"):
        with pytest.raises(ValueError, match="one writer") as error:
            merge(tmp_path / "target", [source])
        one_line(error)
    with open_store(source):  # but a source may have one
        assert merge(tmp_path / "target", [source]) == MergeReport(1, 0, 0, 0, 0, 1)


def test_the_sources_are_added_together_or_not_at_all(tmp_path, monkeypatch):
    target = made(tmp_path / "target", [ROW])
    trial = replace(TRIAL, seed=1)
    good = made(tmp_path / "good", [replace(ROW, seed=2)])
    source = made(tmp_path / "source", [replace(ROW, seed=1)], {trial: {"loss": [1.0]}})
    before = (target / FILE).read_bytes()
    archive = Store.archive

    def broken(store, key):
        if target == store.path.parent or store._connection.in_transaction:
            return archive(store, key)
        raise ValueError("expected a sound store, got 'a damaged one': restore it from a copy")

    with monkeypatch.context() as patch:
        patch.setattr("jaxflow.store.merging.check", lambda *_: [])
        patch.setattr(Store, "archive", broken)
        with pytest.raises(ValueError, match="a damaged one") as error:
            merge(target, [good, source])
    one_line(error)
    assert (target / FILE).read_bytes() == before
    assert merge(target, [good, source]) == MergeReport(2, 0, 0, 0, 1, 0)


@pytest.mark.parametrize("schema", [1, 2])
def test_stores_of_an_earlier_schema_are_merged_as_they_are(tmp_path, schema):
    source = earlier(tmp_path / "source", schema)
    before = (source / FILE).read_bytes()
    trials, trajectories = {1: (9, 1), 2: (16, 8)}[schema]
    report = merge(tmp_path / "target", [source, source])
    assert report == MergeReport(trials, 0, trials, 0, trajectories, 1)
    assert check(tmp_path / "target") == []
    assert (source / FILE).read_bytes() == before
    target = earlier(tmp_path / "earlier", schema)
    assert merge(target, [source]) == replace(NOTHING, known=trials)
    assert check(target) == []


def test_another_program_may_decide_otherwise(tmp_path):
    """It sums in another order, and a chaotic trial ends elsewhere: told, and no contradiction."""
    late = replace(ROW, outcome=Outcome.UNDECIDED, reason="horizon", flow_time=ROW.horizon)
    other = replace(late, program="(2, 16, 4) map 1")
    for name, row in (("here", ROW), ("same", late), ("other", other)):
        made(tmp_path / name, [row])
    with pytest.raises(ValueError, match="a store that agrees"):
        merge(tmp_path / "joined", [tmp_path / "here", tmp_path / "same"])
    found = merge(tmp_path / "joined", [tmp_path / "here", tmp_path / "other"])
    assert (found.added, found.known, found.differing) == (1, 1, 1)
