"""Stores of one study joined: nothing is lost, counted twice or mixed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from stores import FILE, ROW, STUDY, TRIAL, one_line, open_store, schema_1

from jaxflow.core.types import Outcome
from jaxflow.store.checking import check
from jaxflow.store.merging import MergeReport, merge
from jaxflow.store.store import Store

UNDECIDED = replace(ROW, outcome=Outcome.UNDECIDED, reason="horizon", device="another")


def made(folder, rows, trajectories=None, study=STUDY):
    with open_store(folder, study) as store:
        store.insert(rows, trajectories)
    return folder


def rows(folder):
    with Store.read(folder) as store:
        return store.rows()


def test_stores_are_joined_and_counted(tmp_path):
    seeds = [replace(ROW, seed=seed) for seed in range(6)]
    target = made(tmp_path / "target", seeds[:2])
    first = made(tmp_path / "first", seeds[1:4])
    second = made(tmp_path / "second", [UNDECIDED, *seeds[3:]])
    assert merge(target, [first, second]) == MergeReport(added=4, already_there=3, differing=1)
    assert rows(target) == seeds
    assert merge(target, [first, second]) == MergeReport(added=0, already_there=7, differing=1)
    assert rows(target) == seeds
    assert rows(first) == seeds[1:4]


def test_the_target_may_be_new_or_a_source(tmp_path):
    source = made(tmp_path / "source", [ROW])
    target = tmp_path / "runs" / "target"
    assert merge(target, [source]) == MergeReport(1, 0, 0)
    assert rows(target) == [ROW]
    assert merge(target, [target, source]) == MergeReport(0, 2, 0)


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
    bare = made(tmp_path / "bare", [UNDECIDED])
    merge(bare, [source])
    with Store.read(bare) as store:
        assert store.trajectory(TRIAL) is None  # it would tell of another end


def test_another_study_is_refused_before_anything_is_written(tmp_path):
    other = json.dumps({**json.loads(STUDY), "seed": 1})
    first = made(tmp_path / "first", [ROW])
    second = made(tmp_path / "second", [replace(ROW, seed=1)], study=other)
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
    with open_store(source, STUDY):  # but a source may have one
        assert merge(tmp_path / "target", [source]) == MergeReport(1, 0, 0)


def test_a_source_is_added_whole_or_not_at_all(tmp_path, monkeypatch):
    target = made(tmp_path / "target", [ROW])
    trial = replace(TRIAL, seed=1)
    source = made(tmp_path / "source", [replace(ROW, seed=1)], {trial: {"loss": [1.0]}})
    before = (target / FILE).read_bytes()

    def broken(store, key):
        raise ValueError("expected a sound store, got 'a damaged one': restore it from a copy")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "archive", broken)
        with pytest.raises(ValueError, match="a damaged one") as error:
            merge(target, [source])
    one_line(error)
    assert (target / FILE).read_bytes() == before
    assert merge(target, [source]) == MergeReport(1, 0, 0)


def test_sources_of_an_earlier_schema_are_merged_as_they_are(tmp_path):
    source = schema_1(tmp_path / "source")
    before = (source / FILE).read_bytes()
    assert merge(tmp_path / "target", [source, source]) == MergeReport(9, 9, 0)
    assert check(tmp_path / "target") == []
    assert (source / FILE).read_bytes() == before
