"""Everything that can be wrong with a store is found, and nothing in a sound one."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from stores import ROW, execute, made, one_line, open_store, resealed, sound

from jaxflow.store.checking import check, gaps
from jaxflow.store.file import FILE
from jaxflow.store.store import Store

FLOW = "dynamics = 'flow' AND n = 6"


@pytest.fixture
def folder(tmp_path):
    return sound(tmp_path)


def update(folder, change: str, where: str = FLOW) -> None:
    execute(folder, f"UPDATE trials SET {change} WHERE {where}")


def test_a_sound_store_has_no_findings(folder):
    before = (folder / FILE).read_bytes()
    assert check(folder) == []
    assert gaps(folder) == []
    assert (folder / FILE).read_bytes() == before


def test_it_is_checked_while_a_writer_is_at_work(folder):
    with Store.read(folder) as store:
        protocol = store.protocol
    with Store.open(folder, protocol.hash, protocol.json) as writer:
        assert check(folder) == []
        writer._connection.execute("BEGIN IMMEDIATE")
        writer._connection.execute("UPDATE trials SET seed = 7, steps = -1 WHERE n = 6")
        assert check(folder) == []
        writer._connection.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("outcome = 'UNDECIDED'", "UNDECIDED does not go with the reason 'certificate'"),
        ("reason = 'stationary'", "CONVERGED does not go with the reason 'stationary'"),
        ("reason = 'running'", "CONVERGED does not go with the reason 'running'"),
        ("outcome = 'BORED'", "'BORED' is not a valid Outcome"),
        ("steps = NULL", "steps = None is of another type"),
        ("steps = 'many'", "steps = 'many' is of another type"),
        ("steps = x'00'", "another"),
        ("steps = 1e300", "steps = 1e+300 is of another type"),
        ("d = 9e999", "d = inf is of another type"),
        ("flow_time = 'soon'", "flow_time = 'soon' is of another type"),
        ("curvature = 1", "curvature = 1 is of another type"),
        ("device = NULL", "device = None is of another type"),
        ("parameters = '[1]'", "'[1]' are no numbers by name"),
        ("parameters = '{\"x\": 1.0}'", "are no numbers by name"),
        (f"parameters = '{'[' * 10_000}'", "are no numbers by name"),
        ("d = 0", "positive sizes"),
        ("seed = -1", "positive sizes"),
        ("horizon = 9e999", "a finite horizon"),
        ("horizon = NULL", "a finite horizon"),
        ("flow_time = -1.0", "flow time -1 is outside the horizon"),
        ("flow_time = 70.0", "flow time 70 is outside the horizon"),
        ("flow_time = NULL", "flow time nan is outside the horizon"),
        ("steps = -1", "steps = -1 is negative"),
        ("evaluations = 12", "12 evaluations are too few for 13 steps"),
        ("rejections = -2", "rejections = -2 is negative"),
        ("last_loss = 9e999", "last_loss = inf is no loss"),
        ("last_loss = NULL", "last_loss = nan is no loss"),
        ("first_loss = -1.0", "first_loss = -1.0 is no loss"),
        ("dynamics = 'jump'", "the protocol has no such dynamics"),
        ("dtype = 'float64'", "ran in float64, not in the protocol's float32"),
    ],
)
def test_a_value_that_no_trial_has_is_found_altered_or_as_it_was_written(folder, change, finding):
    execute(folder, "DELETE FROM trajectories")
    execute(folder, "UPDATE sums SET entries = 0, total = zeroblob(16) WHERE name = 'trajectories'")
    update(folder, change)
    (found,) = check(folder)
    assert "its digest is another" in found
    assert "dynamics=" in found and "seed=" in found and "\n" not in found
    with Store.read(folder) as store, pytest.raises(ValueError, match="its digest") as error:
        store.rows()
    assert "jaxflow check" in one_line(error)
    resealed(folder)
    (found,) = check(folder)
    assert finding in found
    assert "dynamics=" in found and "seed=" in found and "\n" not in found and len(found) < 400


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("flow_time = 60.00005", FLOW),  # rounding
        ("flow_time = 60.001", "dynamics = 'control' AND n = 12"),  # less than a step left
        ("horizon = 0.25, flow_time = 1.0, steps = 1", "dynamics = 'control'"),  # one at least
        ("curvature = NULL, balancedness_drift = NULL", FLOW),
        ("flow_time = NULL, first_loss = 9e999", "outcome = 'FAILED'"),
    ],
)
def test_what_a_trial_can_say_is_no_finding(folder, change, where):
    update(folder, change, where)
    resealed(folder)
    assert check(folder) == []


def test_what_the_designs_allow_is_asked_of_the_caller(folder):
    def rules(store):
        (design,) = store.designs
        lengths = design.table["horizon"]["time"]
        return lambda row: (
            [f"horizon {row.horizon:g} is not asked for"] * (row.horizon not in lengths)
        )

    assert check(folder, rules) == []
    update(folder, "horizon = 120.0")
    resealed(folder)
    assert check(folder) == []
    (found,) = check(folder, rules)
    assert found == "dynamics=flow d=3 n=6 p=8 seed=0: horizon 120 is not asked for"

    def none(store):
        raise ValueError("expected a design, got 'another': restore it")

    assert check(folder, none) == ["expected a design, got 'another': restore it"]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("DELETE FROM trials WHERE n = 3", "trials: 7 entries, where 9 were written"),
        ("DELETE FROM asked WHERE n = 3", "asked: 7 entries, where 9 were written"),
        ("UPDATE asked SET seed = 99 WHERE n = 6", "asked: an entry is another"),
        ("UPDATE asked SET design = 2", "a design 2 that is not there"),
        ("DELETE FROM designs", "designs: 0 entries, where 1 were written"),
        ("UPDATE designs SET created = 'then'", "designs: an entry is another"),
        ("UPDATE designs SET turn = 9", "designs: an entry is another"),
        ("UPDATE designs SET created = x'00'", "a text of a design"),
        ("UPDATE designs SET json = '{}'", "the hash of the design's JSON"),
        ("UPDATE protocol SET created = 'then'", "protocol: an entry is another"),
        ("DELETE FROM trajectories", "trajectories: 0 entries, where 1 were written"),
        ("UPDATE trajectories SET arrays = x'00'", "the digest of its trajectory is another"),
        ("UPDATE trajectories SET arrays = 7", "the digest of its trajectory is another"),
        ("UPDATE trajectories SET digest = 7", "the digest of its trajectory is another"),
        ("UPDATE trajectories SET n = 7", "a trajectory of no trial"),
        ("UPDATE sums SET entries = entries + 1 WHERE name = 'trials'", "trials: 9 entries, where"),
        ("UPDATE sums SET total = x'00' WHERE name = 'trials'", "trials: an entry is another"),
        ("DELETE FROM sums", "sums that are not those of its tables"),
        ("UPDATE sums SET total = 'none'", "sums that are not those of its tables"),
        ("UPDATE sums SET entries = 'none'", "sums that are not those of its tables"),
        ("UPDATE trials SET well_initialized = 1 - well_initialized", "its digest is another"),
        ("UPDATE trials SET digest = zeroblob(16)", "its digest is another"),
        ("UPDATE trials SET horizon = 2 * horizon, outcome = 'CONVERGED'", "its digest is another"),
    ],
)
def test_an_entry_altered_added_or_taken_away_is_found(folder, change, finding):
    execute(folder, change)
    found = check(folder)
    assert any(finding in line for line in found)
    assert all("\n" not in line and len(line) < 400 for line in found)


@pytest.mark.parametrize(
    "change",
    ["d = 9e999", "n = 'x'", "parameters = 'x'", "horizon = 'x'", "horizon = 9e999", "seed = -1"],
)
def test_what_a_design_asked_for_is_read_with_care(folder, change):
    execute(folder, f"UPDATE asked SET {change} WHERE n = 6 AND dynamics = 'flow'")
    assert any("asked: an entry is another" in line for line in check(folder))
    with Store.read(folder) as store, pytest.raises(ValueError, match="a sound store") as error:
        store.asked(store.designs[0].hash)
    assert "dynamics=flow" in one_line(error)


def test_an_added_trial_is_found(folder):
    (values,) = execute(folder, f"SELECT * FROM trials WHERE {FLOW}")
    places = ", ".join("?" * len(values))
    execute(folder, f"INSERT INTO trials VALUES ({places})", (*values[:2], 7, *values[3:]))
    assert "trials: 10 entries, where 9 were written" in check(folder)


def test_a_trial_that_is_kept_twice_is_found(folder):
    """As when the index that forbids it was damaged."""
    table = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'trials'"
    index = "FROM sqlite_master WHERE type = 'index' AND tbl_name = 'trials'"
    ((written,),) = execute(folder, table)
    (forbids,) = execute(folder, f"SELECT * {index}")
    write = "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'trials'"
    change_schema(folder, write, (re.sub(r", PRIMARY KEY \(.*?\)", "", str(written)),))
    change_schema(folder, f"DELETE {index}")
    execute(folder, f"INSERT INTO trials SELECT * FROM trials WHERE {FLOW}")
    change_schema(folder, write, (written,))
    change_schema(folder, "INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", forbids)
    found = check(folder)
    assert "dynamics=flow d=3 n=6 p=8 seed=0: kept 2 times" in found
    assert any(line.startswith("SQLite: ") for line in found)
    with Store.read(folder) as store, pytest.raises(ValueError, match="kept twice") as error:
        store.rows()
    one_line(error)


def change_schema(folder, sql: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(sql, values)


def test_a_reader_that_found_damage_keeps_no_writer_waiting(folder):
    with Store.read(folder) as store:
        protocol = store.protocol
    execute(folder, "UPDATE trials SET device = CAST(x'ff' AS TEXT)")
    with Store.read(folder) as store, pytest.raises(ValueError, match="UTF-8") as error:
        store.rows()
    with Store.open(folder, protocol.hash, protocol.json) as store:
        store._connection.execute("PRAGMA busy_timeout = 0")
        store.insert([replace(ROW, d=3)])
    one_line(error)


def test_trajectories_can_be_read(tmp_path):
    folder = made(tmp_path, [ROW], {ROW.trial: {"loss": [1.0, 0.5]}})
    ((packed,),) = execute(folder, "SELECT arrays FROM trajectories")
    damaged = [packed[:k] + bytes([packed[k] ^ 255]) + packed[k + 1 :] for k in range(len(packed))]
    for archive in (b"", b"arrays", b"PK\x03\x04" + 100 * b"x", *damaged[::7]):
        execute(folder, "UPDATE trajectories SET arrays = ?", (archive,))
        found = check(folder)
        assert found == [
            "expected a sound store, got 'dynamics=flow d=2 n=8 p=4 seed=0: the digest of its "
            "trajectory is another': see `jaxflow check`, and restore it from a copy"
        ]


def test_gaps_are_told_apart_from_faults(tmp_path):
    folder = made(tmp_path, [ROW, replace(ROW, seed=2)])
    assert check(folder) == []
    assert gaps(folder) == ["dynamics=flow d=2 n=8 p=4: 2 of 3 seeds"]


def test_a_damaged_file_is_found(folder):
    data = bytearray((folder / FILE).read_bytes())
    middle = len(data) // 2
    data[middle - 2048 : middle + 2048] = bytes(range(256)) * 16
    (folder / FILE).write_bytes(data)
    found = check(folder)
    assert found and all("\n" not in line for line in found)
    (folder / FILE).write_text("a letter\n" * 100)
    (found,) = check(folder)
    assert "not a database" in found


def test_where_there_is_no_store_there_is_nothing_to_check(tmp_path):
    with pytest.raises(ValueError, match="jaxflow run") as error:
        check(tmp_path)
    one_line(error)


def test_a_store_without_trials_is_sound(tmp_path):
    open_store(tmp_path).close()
    assert check(tmp_path) == []
