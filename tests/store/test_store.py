"""The store against a kill, a full disk, a second writer, another study and a wrong file."""

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import ROW, STUDY, TRIAL, bits, key, one_line, open_store

from jaxflow.core.types import Outcome, Point, Row, Trial
from jaxflow.store.columns import SCHEMA
from jaxflow.store.files import FILE
from jaxflow.store.store import Store

integers = st.integers(0, 2**63 - 1)
words = st.text(max_size=8)
rows_of_any_kind = st.builds(
    Row,
    dynamics=words,
    horizon=st.floats(allow_nan=False),
    parameters=st.dictionaries(words, st.floats(allow_nan=False), max_size=2).map(
        lambda values: tuple(sorted(values.items()))
    ),
    **{name: integers for name in ("d", "n", "p", "seed", "steps", "evaluations", "rejections")},
)


@settings(max_examples=30, deadline=None)
@given(st.lists(rows_of_any_kind, max_size=5, unique_by=key))
def test_rows_come_back_bit_for_bit_and_sorted(rows):
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        store.insert(rows)
        found = store.rows()
        assert [bits(row) for row in found] == [bits(row) for row in sorted(rows, key=key)]
        assert [type(row.outcome) for row in found] == [Outcome] * len(rows)
        assert {type(row.well_initialized) for row in found} <= {bool}
        assert store.done() == {
            Trial(r.dynamics, Point(r.d, r.n, r.p, r.parameters), r.seed, r.horizon) for r in rows
        }


def test_numpy_scalars_are_kept_as_numbers(tmp_path):
    row = replace(ROW, n=np.int32(8), last_loss=np.float32(0.1), well_initialized=np.True_)
    with open_store(tmp_path) as store:
        store.insert([row])
        (found,) = store.rows()
    assert found == row
    assert isinstance(found.n, int)


def test_a_known_trial_is_left_alone(tmp_path):
    with open_store(tmp_path) as store:
        store.insert([ROW])
        store.insert([replace(ROW, last_loss=7.0), replace(ROW, seed=1)])
        assert store.rows() == [ROW, replace(ROW, seed=1)]


def test_a_harvest_is_kept_whole_or_not_at_all(tmp_path):
    with open_store(tmp_path) as store:
        with pytest.raises(ValueError, match="NOT NULL") as error:
            store.insert([ROW, replace(ROW, horizon=math.nan)])
        one_line(error)
        assert store.rows() == []


def test_rows_are_there_when_opened_again(tmp_path):
    with open_store(tmp_path / "runs" / "demo") as store:
        store.insert([ROW])
    with open_store(tmp_path / "runs" / "demo") as store:
        assert store.rows() == [ROW]
        assert store.study_json == STUDY


def test_trajectories_come_back(tmp_path):
    arrays = {"time": np.linspace(0, 1, 5), "loss": np.array([1, 0.5, np.nan], np.float32)}
    with open_store(tmp_path) as store:
        store.insert([ROW], {TRIAL: arrays})
        store.insert([], {TRIAL: {"time": [0.0]}})
        found = store.trajectory(TRIAL)
        assert store.trajectory(replace(TRIAL, seed=1)) is None
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_trajectories_come_one_after_another_while_a_writer_writes(tmp_path):
    trials = [replace(TRIAL, seed=seed) for seed in (2, 0, 1)]
    with open_store(tmp_path) as writer:
        writer.insert([], {trial: {"seed": [trial.seed]} for trial in trials})
        with Store.read(tmp_path) as reader:
            found = []
            for trial, arrays in reader.trajectories():
                writer.insert([], {replace(TRIAL, seed=10 + trial.seed): {}})
                found.append((trial, arrays["seed"].tolist()))
        assert found == [(replace(TRIAL, seed=seed), [seed]) for seed in range(3)]
        assert len(list(writer.trajectories())) == 6


def test_parameters_are_part_of_a_trial_and_sorted_as_numbers(tmp_path):
    values = [(("shrink", x), ("time", 1.0)) for x in (0.5, 2.0, 10.0, 1e300)]
    rows = [replace(ROW, parameters=parameters) for parameters in [(), *values]]
    with open_store(tmp_path) as store:
        store.insert(reversed(rows))
        store.insert([replace(rows[1], parameters=(("shrink", np.float64(0.5)), ("time", 1)))])
        assert store.rows() == rows
        assert store.done() == {row.trial for row in rows}
        store.insert([], {rows[2].trial: {"loss": [1.0]}})
        assert [trial for trial, _ in store.trajectories()] == [rows[2].trial]


def test_another_study_is_refused_and_the_difference_named(tmp_path):
    open_store(tmp_path).close()
    other = json.dumps({"axes": {"d": [2], "n": [8, 32]}, "seed": 0})
    with pytest.raises(ValueError, match="--out") as error:
        open_store(tmp_path, other)
    text = one_line(error)
    assert "axes.n = [8, 16]" in text
    assert "axes.n = [8, 32]" in text
    assert "seed" not in text
    open_store(tmp_path).close()  # the refused writer holds no lock


def test_a_key_of_one_study_only_is_named(tmp_path):
    open_store(tmp_path).close()
    with pytest.raises(ValueError, match="precision = absent") as error:
        open_store(tmp_path, json.dumps({**json.loads(STUDY), "precision": "float64"}))
    assert 'precision = "float64"' in one_line(error)


def test_a_store_of_another_schema_is_refused(tmp_path):
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("UPDATE study SET schema = ?", (SCHEMA + 1,))
    connection.close()
    for attempt in (open_store, Store.read):
        with pytest.raises(ValueError, match="schema") as error:
            attempt(tmp_path)
        one_line(error)


def test_the_schema_is_numbered_anew_when_rows_change():
    """If this fails, raise SCHEMA, write the new fields here and add a migration."""
    names = (
        "dynamics d n p parameters seed horizon outcome reason flow_time steps evaluations "
        "rejections first_loss last_loss well_initialized balancedness_drift curvature dtype "
        "device program versions"
    )
    assert (SCHEMA, [field.name for field in fields(Row)]) == (2, names.split())


def test_a_second_writer_is_refused_until_the_first_closes(tmp_path):
    with open_store(tmp_path):
        with pytest.raises(ValueError, match="one writer") as error:
            open_store(tmp_path)
        one_line(error)
    open_store(tmp_path).close()


def test_a_reader_reads_while_a_writer_writes(tmp_path):
    with open_store(tmp_path) as writer, Store.read(tmp_path) as reader:
        assert reader.rows() == []
        writer.insert([ROW])
        assert reader.rows() == [ROW]
        with pytest.raises(ValueError, match="readonly") as error:
            reader.insert([ROW])
        one_line(error)


def test_reading_where_nothing_is_says_how_to_make_it(tmp_path):
    with pytest.raises(ValueError, match="jaxflow run") as error:
        Store.read(tmp_path)
    one_line(error)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="Not a directory") as error:
        open_store(tmp_path / "file" / "runs")
    one_line(error)


@pytest.mark.parametrize("attempt", [open_store, Store.read])
def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path, attempt):
    (tmp_path / FILE).write_text("a letter\n" * 100)
    with pytest.raises(ValueError, match="not a database") as error:
        attempt(tmp_path)
    one_line(error)
    assert (tmp_path / FILE).read_text() == "a letter\n" * 100


@pytest.mark.parametrize("attempt", [open_store, Store.read])
def test_the_database_of_another_program_is_refused_and_kept(tmp_path, attempt):
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("CREATE TABLE letters (body TEXT)")
    connection.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ValueError, match="another SQLite database") as error:
        attempt(tmp_path)
    one_line(error)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_full_disk_loses_one_harvest_only(tmp_path):
    with open_store(tmp_path) as store:
        store.insert([ROW])
        store._connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size
        with pytest.raises(ValueError, match="full") as error:
            store.insert([replace(ROW, seed=seed) for seed in range(1, 1000)])
        one_line(error)
        assert store.rows() == [ROW]
        store._connection.execute("PRAGMA max_page_count = 100000")
        store.insert([replace(ROW, seed=1)])
        assert len(store.rows()) == 2


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from stores import ROW, open_store
store = open_store(Path(sys.argv[1]))
start = len(store.done())
for first in range(start, start + 10**6, 50):
    store.insert([replace(ROW, seed=seed) for seed in range(first, first + 50)])
    print(first + 50, flush=True)
"""


def write_until_killed(folder: Path, harvests: int) -> int:
    """Kill a writer some time after so many harvests; how many rows it said it had kept."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1] / "support"), *sys.path]),
    }
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        for _ in range(harvests):
            kept = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    return kept


def test_a_killed_writer_leaves_whole_harvests_and_no_lock(tmp_path):
    for harvests in (1, 3, 10):
        kept = write_until_killed(tmp_path, harvests)
        with Store.read(tmp_path) as store:
            seeds = [row.seed for row in store.rows()]
            (sound,) = store._connection.execute("PRAGMA integrity_check").fetchone()
        assert sound == "ok"
        assert seeds == list(range(len(seeds)))
        assert len(seeds) >= kept
        assert len(seeds) % 50 == 0
