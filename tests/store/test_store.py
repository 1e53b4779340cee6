"""The store against a kill, a full disk, a second writer, another protocol and a wrong file."""

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
from stores import (
    DESIGN,
    OTHER_DESIGN,
    PROTOCOL,
    ROW,
    TRIAL,
    bits,
    execute,
    hash_of,
    key,
    made,
    one_line,
    open_store,
)

from jaxflow.core.types import Outcome, Row
from jaxflow.store.checking import check
from jaxflow.store.file import FILE
from jaxflow.store.identity import StoredRun
from jaxflow.store.store import Store
from jaxflow.store.tables import SCHEMA
from jaxflow.store.writing import Written

integers = st.integers(0, 2**63 - 1)
sizes = st.integers(1, 2**63 - 1)
words = st.text(max_size=8)
numbers_by_name = st.dictionaries(words, st.floats(allow_nan=False), max_size=2).map(
    lambda values: tuple(sorted(values.items()))
)
rows_of_any_kind = st.builds(
    Row,
    dynamics=st.just("flow"),
    dtype=words,
    horizon=st.floats(0, exclude_min=True, allow_infinity=False),
    **{name: numbers_by_name for name in ("parameters", "event_times", "measured")},
    **{name: sizes for name in ("d", "n", "p")},
    **{name: integers for name in ("seed", "steps", "evaluations", "rejections")},
)
UNDECIDED = replace(ROW, outcome=Outcome.UNDECIDED, reason="horizon", flow_time=100.0)
LONGER = replace(ROW, horizon=200.0, flow_time=150.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(rows_of_any_kind, max_size=5, unique_by=key))
def test_rows_come_back_bit_for_bit_and_sorted(rows):
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        assert store.insert(rows) == Written(added=len(rows))
        found = store.rows()
        assert [bits(row) for row in found] == [bits(row) for row in sorted(rows, key=key)]
        assert [type(row.outcome) for row in found] == [Outcome] * len(rows)
        assert {type(row.well_initialized) for row in found} <= {bool}


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
        written = store.insert([replace(ROW, last_loss=7.0), LONGER, replace(ROW, seed=1)])
        assert written == Written(added=1, known=2)
        assert store.rows() == [ROW, replace(ROW, seed=1)]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (UNDECIDED, LONGER, 1),
        (UNDECIDED, replace(UNDECIDED, horizon=200.0, flow_time=200.0), 1),
        (UNDECIDED, replace(UNDECIDED, horizon=100.00001), 0),  # rounding
        (UNDECIDED, replace(UNDECIDED, horizon=50.0), 0),
        (UNDECIDED, replace(ROW, horizon=100.0), 0),
        (ROW, LONGER, 0),
        (replace(ROW, outcome=Outcome.STALLED, reason="stationary"), LONGER, 1),
        (replace(ROW, outcome=Outcome.FAILED, reason="budget"), LONGER, 0),
    ],
)
def test_only_what_a_longer_horizon_may_change_is_replaced_by_it(tmp_path, first, second, kept):
    with open_store(tmp_path) as store:
        store.insert([first])
        assert store.insert([second]) == Written(replaced=kept, known=1 - kept)
        assert store.rows() == [(first, second)[kept]]
    assert check(tmp_path) == []


def test_a_replaced_row_takes_its_trajectory_with_it(tmp_path):
    with open_store(tmp_path) as store:
        store.insert([UNDECIDED], {TRIAL: {"loss": [1.0]}})
        store.insert([UNDECIDED], {TRIAL: {"loss": [2.0]}})
        np.testing.assert_array_equal(store.trajectory(TRIAL)["loss"], [1.0])
        store.insert([LONGER])
        assert store.trajectory(TRIAL) is None
        store.insert([UNDECIDED], {TRIAL: {"loss": [2.0]}})  # it tells of another end
        assert store.trajectory(TRIAL) is None
        store.insert([ROW], {TRIAL: {"loss": [3.0]}})
        np.testing.assert_array_equal(store.trajectory(TRIAL)["loss"], [3.0])
    assert check(tmp_path) == []


def test_a_trajectory_of_no_trial_is_refused(tmp_path):
    with open_store(tmp_path) as store:
        with pytest.raises(ValueError, match="of no trial") as error:
            store.insert([replace(ROW, seed=1)], {TRIAL: {"loss": [1.0]}})
        one_line(error)
        assert store.rows() == []
    assert check(tmp_path) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (replace(ROW, seed=1, horizon=math.nan), "a finite horizon"),
        (replace(ROW, n=0), "positive sizes"),
        (replace(ROW, dynamics="adam"), "trials of flow"),
        (replace(ROW, n=2**63), "too large"),
    ],
)
def test_a_harvest_is_kept_whole_or_not_at_all(tmp_path, broken, said):
    with open_store(tmp_path) as store:
        with pytest.raises(ValueError, match=said) as error:
            store.insert([ROW, broken])
        one_line(error)
        assert store.rows() == []
    assert check(tmp_path) == []


def test_rows_are_there_when_opened_again(tmp_path):
    with open_store(tmp_path / "runs" / "demo") as store:
        store.insert([ROW])
    with open_store(tmp_path / "runs" / "demo") as store:
        assert store.rows() == [ROW]
        assert store.protocol_json == PROTOCOL
        assert (store.protocol.dynamics, store.protocol.precision) == (("flow",), "float32")


def test_a_path_may_be_a_text(tmp_path):
    folder = str(made(tmp_path, [ROW]))
    with Store.read(folder) as store:
        assert store.rows() == [ROW]
    with Store.open(folder, hash_of(PROTOCOL), PROTOCOL) as store:
        assert store.rows() == [ROW]
    assert check(folder) == []


def test_designs_are_listed_and_each_has_the_trials_it_asked_for(tmp_path):
    rows = [replace(ROW, seed=seed) for seed in range(4)]
    first, second = hash_of(DESIGN), hash_of(OTHER_DESIGN)
    with open_store(tmp_path) as store:
        assert store.designs == ()
        store.begin(first, DESIGN)
        store.ask(first, [row.trial for row in rows[:3]])
        store.insert(rows[:2])
        store.begin(second, OTHER_DESIGN)
        store.ask(second, [row.trial for row in rows[1:]])
        store.ask(second, [replace(row.trial, horizon=7.0) for row in rows[1:]])
        store.insert(rows)
        assert [design.hash for design in store.designs] == [first, second]
        assert store.rows(first) == rows[:3]
        assert store.rows(second) == rows[1:]
        assert store.asked(second) == [row.trial for row in rows[1:]]
        assert {trial.horizon for trial in store.asked(second)} == {100.0}
        created = store.designs[0].created
        store.begin(first, DESIGN)
        assert [design.json for design in store.designs] == [OTHER_DESIGN, DESIGN]
        assert store.designs[1].created == created
        assert store.designs[1].table["name"] == "first"
        assert store.rows() == rows
    assert check(tmp_path) == []


RUN = StoredRun("abc", hash_of(DESIGN), "2026-01-01T00:00:00+00:00", 2.0, 3.0, 2, 7)


def noted(folder, *runs):
    with open_store(folder) as store:
        store.begin(hash_of(DESIGN), DESIGN)
        for run in runs:
            store.note(run)
        return store.runs


def test_a_run_is_noted_once_with_the_most_that_it_took(tmp_path):
    longer, other = replace(RUN, seconds=5.0, trials=9), replace(RUN, key="other", began="2025")
    assert noted(tmp_path, RUN, longer, other, RUN) == (other, longer)
    assert check(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("DELETE FROM runs", "runs: 0 entries, where 1 were written"),
        ("UPDATE runs SET trials = 8", "runs: an entry is another"),
        ("UPDATE runs SET seconds = -1.0", "a run of a design"),
        ("UPDATE runs SET seconds = 9e999", "a run of a design"),
        ("UPDATE runs SET workers = 'x'", "a run of a design"),
        ("UPDATE runs SET began = x'00'", "a run of a design"),
        ("UPDATE runs SET design = 'none'", "a run of a design none that is not there"),
    ],
)
def test_a_note_that_was_altered_is_found(tmp_path, change, finding):
    noted(tmp_path, RUN)
    execute(tmp_path, change)
    assert any(finding in line for line in check(tmp_path))


def test_a_design_that_did_not_begin_asks_for_nothing(tmp_path):
    with open_store(tmp_path) as store:
        for attempt in (lambda: store.ask(hash_of(DESIGN), [TRIAL]), lambda: store.rows("x")):
            with pytest.raises(ValueError, match="design") as error:
                attempt()
            one_line(error)
        with pytest.raises(ValueError, match="the hash of the design's JSON"):
            store.begin(hash_of(DESIGN), OTHER_DESIGN)
        assert store.designs == ()


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
    rows = [replace(ROW, seed=seed) for seed in (2, 0, 1)]
    with open_store(tmp_path) as writer:
        writer.insert(rows, {row.trial: {"seed": [row.seed]} for row in rows})
        with Store.read(tmp_path) as reader:
            found = []
            for trial, arrays in reader.trajectories():
                new = replace(ROW, seed=10 + trial.seed)
                writer.insert([new], {new.trial: {"seed": [0]}})
                found.append((trial, trial.horizon, arrays["seed"].tolist()))
        assert found == [(replace(TRIAL, seed=seed), 100.0, [seed]) for seed in range(3)]
        assert len(list(writer.trajectories())) == 6


def test_parameters_are_part_of_a_trial_and_sorted_as_numbers(tmp_path):
    values = [(("shrink", x), ("time", 1.0)) for x in (0.5, 2.0, 10.0, 1e300)]
    rows = [replace(ROW, parameters=parameters) for parameters in [(), *values]]
    with open_store(tmp_path) as store:
        store.insert(reversed(rows))
        store.insert([replace(rows[1], parameters=(("shrink", np.float64(0.5)), ("time", 1)))])
        assert store.rows() == rows
        store.insert([], {rows[2].trial: {"loss": [1.0]}})
        assert [trial for trial, _ in store.trajectories()] == [rows[2].trial]


def test_another_protocol_is_refused_and_the_difference_named(tmp_path):
    open_store(tmp_path).close()
    other = json.loads(PROTOCOL)
    other["dynamics"]["flow"]["rtol"] = 0.2
    with pytest.raises(ValueError, match="--out") as error:
        open_store(tmp_path, json.dumps(other))
    text = one_line(error)
    assert "dynamics.flow.rtol = 0.1" in text
    assert "dynamics.flow.rtol = 0.2" in text
    assert "seed" not in text
    open_store(tmp_path).close()  # the refused writer holds no lock


def test_a_key_of_one_protocol_only_is_named(tmp_path):
    open_store(tmp_path).close()
    other = {**json.loads(PROTOCOL), "problem": {}}
    with pytest.raises(ValueError, match=r"inputs\.law = absent") as error:
        open_store(tmp_path, json.dumps(other))
    assert 'problem.inputs.law = "sphere"' in one_line(error)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        "7",
        '{"dynamics": {}, "precision": "float32"}',
        '{"dynamics": {"flow": {}}, "precision": "float16"}',
        '{"a":' * 200 + "1" + "}" * 200,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"a":' + "9" * 10_000 + "}",
    ],
)
def test_what_is_no_protocol_is_refused(tmp_path, text):
    for hashed in (hash_of(text), "another"):
        with pytest.raises(ValueError, match="got") as error:
            Store.open(tmp_path / "store", hashed, text)
        assert len(one_line(error)) < 600
    assert not (tmp_path / "store").exists()


def test_a_store_of_another_schema_is_refused(tmp_path):
    for schema in (SCHEMA + 1, 2, 0, -1, 3.0, "3", "x" * 10**6, b"3"):
        folder = made(tmp_path / "store", [])
        execute(folder, "UPDATE protocol SET schema = ?", (schema,))
        if schema != "3" and schema != 3.0:  # which SQLite keeps as the integer
            for attempt in (open_store, Store.read):
                with pytest.raises(ValueError, match="schema") as error:
                    attempt(folder)
                assert len(one_line(error)) < 600
        (folder / FILE).unlink()


def test_the_schema_is_numbered_anew_when_rows_change():
    """If this fails, raise SCHEMA, write the new fields here and add a migration."""
    names = (
        "dynamics d n p parameters seed horizon outcome reason flow_time steps evaluations "
        "rejections first_loss last_loss well_initialized balancedness_drift curvature "
        "event_times measured dtype device program versions"
    )
    assert (SCHEMA, [field.name for field in fields(Row)]) == (7, names.split())


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
    assert check(tmp_path) == []


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from stores import ROW, open_store
store = open_store(Path(sys.argv[1]))
start = len(store.rows())
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
        assert check(tmp_path) == []
        assert seeds == list(range(len(seeds)))
        assert len(seeds) >= kept
        assert len(seeds) % 50 == 0


def test_a_store_tells_what_it_holds_and_when_it_is_closed(tmp_path):
    with Store.read(made(tmp_path, [ROW])) as store:
        said = repr(store)
    assert "1 trials of first, protocol " in said and store.protocol_hash[:12] in said
    assert "cannot be read" in repr(store)
