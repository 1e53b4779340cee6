"""A large store, small: what is counted by column is what every row says, read one by one."""

from collections import Counter

import pytest
from large import LONGEST, large

from jaxflow import report
from jaxflow.core.types import Trial
from jaxflow.store.order import Index
from jaxflow.store.store import Store

PLACES = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return large(tmp_path_factory.mktemp("large"), slices=10, trials=60, places=PLACES)


def test_counts_are_those_of_the_rows_of_the_slice(folder):
    with Store.read(folder) as store:
        rows = store.rows()
    found = report.slices(folder)
    assert sum(len(slice.rows) for slice in found) == len(rows) == 600
    for slice in found:
        here = [row for row in rows if row.point.moved("n", 0) == slice.base]
        assert list(slice.rows) == here
        for h, time in enumerate((LONGEST / 2, LONGEST)):
            counts = Counter(row.n for row in here if row.converged_by(time))
            assert {t.x: t.converged for t in slice.tallies(h)} == {
                n: counts[n] for n in sorted({row.n for row in here})
            }
            outcomes = Counter(str(row.outcome_by(time)) for row in here)
            assert +Counter(slice.as_dict(h)["outcomes"]) == outcomes


def test_a_table_has_what_is_asked_of_a_list(folder):
    with Store.read(folder) as store:
        rows, table = store.rows(), store.table()
        asked = store.asked(store.designs[0].hash)
    assert len(table) == len(rows) and table[-1] == rows[-1]
    assert list(table[3:9]) == rows[3:9]
    assert asked == [row.trial for row in rows]
    place = Index(table)
    assert [place(t.dynamics, t.point, t.seed) for t in asked] == list(range(len(rows)))
    last = max(row.seed for row in rows)
    assert place("flow", rows[0].point, last + 1) is None
    assert place("descent", rows[0].point, 0) is None
    assert place("flow", rows[0].point.moved("n", 7), 0) is None


def test_a_seed_that_is_missing_is_not_in_the_index(folder):
    with Store.read(folder) as store:
        rows = store.table()
    kept = rows.take(rows.array("seed") != 1)
    place = Index(kept)
    for k, row in enumerate(kept):
        trial: Trial = row.trial
        assert place(trial.dynamics, trial.point, trial.seed) == k
        assert place(trial.dynamics, trial.point, 1) is None
