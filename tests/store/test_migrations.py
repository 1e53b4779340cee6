"""A store of an earlier schema becomes one of the present, with every value that it had."""

import hashlib
import json
import math
import sqlite3
import tomllib
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from stores import ROW, bits, earlier, execute, one_line

from jaxflow import report
from jaxflow.core.types import Point, Trial
from jaxflow.store import migrations
from jaxflow.store.checking import check
from jaxflow.store.file import FILE
from jaxflow.store.store import Store
from jaxflow.store.tables import SCHEMA, TABLES, create
from jaxflow.study.study import Study

VALUES = "dynamics, d, n, p, seed, horizon, outcome, reason, flow_time, steps, evaluations"
VALUES += ", rejections, first_loss, last_loss, well_initialized, balancedness_drift, curvature"
VALUES += ", dtype, device, program, versions"
TOML = {
    1: """
name = "tiny"
event.square = 1.0
horizon = {time = 60.0}
axes = {d = [3], p = [8]}
dynamics = {control = {kind = "descent"}, flow = {kind = "flow"}}
threshold = {low = 2, high = 40, relative_half_width = 0.25, batch = 4, max_trials = 4}
""",
    2: """
name = "small"
event.square = 1.0
seed = 3
horizon = {time = [40.0, 60.0]}
axes = {d = [3], p = [8], parameters = {"problem.initialization.shrink" = [0.5, 1.0]}}
dynamics = {flow = {kind = "flow"}}
threshold = {low = 2, high = 40, relative_half_width = 0.25, batch = 4, max_trials = 8}
record = {trials = 1, points = 6, first = 1.0, observables = ["loss"]}
""",
}
TOML[3] = TOML[4] = TOML[5] = TOML[6] = TOML[2]
SHRINK = "problem.initialization.shrink"
OLD_SHRINK = "ensemble.initialization.shrink"
TABLE = {1: "study", 2: "study"} | dict.fromkeys(range(3, SCHEMA), "protocol")  # says the schema

schemas = pytest.mark.parametrize("schema", range(1, SCHEMA))


@pytest.fixture
def old(tmp_path, schema):
    return earlier(tmp_path / "old", schema)


def protocol_of(folder):
    with Store.read(folder) as store:
        return store.protocol_hash, store.protocol_json


def with_its_draws(study) -> str:
    """The JSON of a study's protocol, of which parameters of the problem are axes in a store."""
    return json.dumps(
        json.loads(study.protocol.json) | {"draws": "by sizes"},
        sort_keys=True,
        separators=(",", ":"),
    )


def values(folder) -> str:
    """All that schema 1 knew, with -0.0 and infinity told apart from their likes."""
    return repr(execute(folder, f"SELECT {VALUES} FROM trials ORDER BY 1, 2, 3, 4, 5, 12"))


def dump(folder) -> list[str]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return list(connection.iterdump())


def change_study(folder, **changes) -> None:
    ((text,),) = execute(folder, "SELECT json FROM study")
    write_study(folder, {**json.loads(text), **changes})


def write_study(folder, table) -> None:
    text = json.dumps(table)
    hashed = hashlib.sha256(text.encode()).hexdigest()
    execute(folder, "UPDATE study SET json = ?, hash = ?", (text, hashed))


def test_every_schema_has_a_step():
    assert list(migrations.STEPS) == list(range(1, SCHEMA))


@schemas
def test_a_writer_brings_a_store_up_to_date(old):
    before, protocol = values(old), protocol_of(old)
    with Store.open(old, *protocol) as store:
        rows = store.rows()
        (design,) = store.designs
        assert list(map(bits, store.rows(design.hash))) == list(map(bits, rows))
    assert values(old) == before
    assert execute(old, "SELECT hash, json, schema FROM protocol") == [(*protocol, SCHEMA)]
    assert check(old) == []


@schemas
def test_the_study_becomes_the_protocol_and_the_design_that_are_written_today(old, schema):
    ((created,),) = execute(old, f"SELECT created FROM {TABLE[schema]}")
    sources = execute(old, "SELECT source FROM designs") if schema > 2 else [("",)]
    study = Study.from_table(tomllib.loads(TOML[schema]))
    with Store.read(old) as store:
        protocol, (design,) = store.protocol, store.designs
    assert protocol.json == (study.protocol.json if schema == 1 else with_its_draws(study))
    assert (design.json, design.hash) == (study.design.json, study.design.hash)
    assert (design.created, design.last_run) == (created, created)
    assert sources == [(design.source,)]


@pytest.mark.parametrize("schema", [1])
@pytest.mark.parametrize(
    ("horizon", "plan"),
    [
        ({"factor": 1.0}, {"grid": {"repetitions": 3, "values": [16, 8]}}),
        ({"factor": 2.5}, {"grid": {"repetitions": 1, "values": [4]}}),
        ({"time": 7.5}, {}),
    ],
)
def test_so_do_horizons_and_plans_of_every_kind(old, horizon, plan):
    study = tomllib.loads(TOML[1]) | {"horizon": horizon} | plan
    if plan:
        del study["threshold"]
    ((text,),) = execute(old, "SELECT json FROM study")
    table = json.loads(text) | {"horizon": {"factor": 1.0, **horizon}} | plan
    if plan:
        del table["threshold"]
    write_study(old, table)
    with Store.read(old) as store:
        (design,) = store.designs
    assert design.json == Study.from_table(study).design.json


@pytest.mark.parametrize("schema", [2])
@pytest.mark.parametrize(
    ("kept", "today"),
    [
        ({"failure": [0.05]}, {"p": {"rule": "well_initialized", "failure": [0.05]}}),
        ({"alpha": [0.75, 0.8]}, {"p": {"rule": "groups", "alpha": [0.75, 0.8]}}),
    ],
)
def test_so_do_widths_that_follow_the_samples(old, kept, today):
    scan = {"low": 0.1, "high": 2.0, "rising": False}
    ((text,),) = execute(old, "SELECT json FROM study")
    table = json.loads(text)
    axes = {"d": [3], "n": [16], "p": [], "parameters": {}}
    plan = table["threshold"] | scan
    old_plan = plan | {"along": OLD_SHRINK}
    write_study(old, table | {"axes": axes | kept, "threshold": old_plan})
    with Store.read(old) as store:
        (design,) = store.designs
    plan |= {"along": SHRINK}
    study = tomllib.loads(TOML[2]) | {"axes": {"d": [3], "n": [16]} | today, "threshold": plan}
    assert design.json == Study.from_table(study).design.json


@schemas
def test_it_has_the_tables_of_a_new_store(old):
    Store.open(old, *protocol_of(old)).close()
    objects = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
    with closing(sqlite3.connect(":memory:")) as new:
        create(new, "", "")
        wanted = new.execute(objects).fetchall()
        assert execute(old, objects) == wanted
        for table in TABLES:
            info = f"PRAGMA table_info({table})"
            assert execute(old, info) == new.execute(info).fetchall()


@schemas
def test_a_reader_reads_it_and_writes_nothing(old, schema):
    before = (old / FILE).read_bytes()
    with Store.read(old) as store:
        read = [bits(row) for row in store.rows()]
        found = list(store.trajectories())
        with pytest.raises(ValueError, match="readonly") as error:
            store.insert([ROW])
    one_line(error)
    assert check(old) == []
    assert (old / FILE).read_bytes() == before
    assert len(list(old.iterdir())) == 1
    with Store.open(old, *protocol_of(old)) as store:
        assert [bits(row) for row in store.rows()] == read
        kept = list(store.trajectories())
    assert len(found) == len(kept) == {1: 1}.get(schema, 8)
    for (trial, arrays), (same, others) in zip(found, kept, strict=True):
        assert (trial, trial.horizon) == (same, same.horizon) and trial.horizon == 60.0
        for name in ("time", "loss"):
            np.testing.assert_array_equal(arrays[name], others[name])


@pytest.mark.parametrize("schema", [1])
def test_the_strangest_values_are_kept(old):
    with Store.read(old) as store:
        (row,) = (row for row in store.rows() if row.outcome == "FAILED")
        ((trial, arrays),) = store.trajectories()
    assert row.last_loss == math.inf and math.isnan(row.curvature)
    assert math.copysign(1, row.flow_time) == -1
    assert row.device == 'a "quoted", o\'dd näme'
    assert {row.parameters} == {()}
    assert trial == Trial("flow", Point(3, 6, 8), 0, 60.0)
    np.testing.assert_array_equal(arrays["time"], [0.0, 4.109508991241455])
    np.testing.assert_array_equal(arrays["loss"], np.array([1.2546624, np.nan], np.float32))


@schemas
def test_it_goes_on_growing(old):
    with Store.open(old, *protocol_of(old)) as store:
        rows = store.rows()
        (first,) = store.designs
        wider = json.dumps({**first.table, "name": "wider"})
        hashed = hashlib.sha256(wider.encode()).hexdigest()
        undecided = next(row for row in rows if not row.answers(120.0))
        longer = replace(undecided, horizon=120.0, flow_time=120.0)
        new = replace(undecided, p=16)
        store.begin(hashed, wider)
        store.ask(hashed, [longer.trial, new.trial])
        written = store.insert([*rows, longer, new])
        assert (written.added, written.replaced, written.known) == (1, 1, len(rows))
        assert [bits(row) for row in store.rows(hashed)] == [bits(longer), bits(new)]
        assert len(store.rows(first.hash)) == len(rows) == len(store.rows()) - 1
        assert [design.hash for design in store.designs] == [first.hash, hashed]
    assert check(old) == []


@pytest.mark.parametrize("schema", [2])
@pytest.mark.parametrize(
    ("ended", "horizon", "kept", "trajectories"),
    [
        ("UNDECIDED", 30.0, 60.0, 8),
        ("UNDECIDED", 90.0, 90.0, 7),  # whose trajectory was that of the other
        ("CONVERGED", 90.0, 60.0, 8),
    ],
)
def test_of_rows_of_one_trial_the_decided_or_else_the_longest_is_kept(
    old, ended, horizon, kept, trajectories
):
    names = [name for _, name, *_ in execute(old, "PRAGMA table_info(trials)")]
    new = {"horizon": f"{horizon}", "outcome": "'UNDECIDED'", "reason": "'horizon'"}
    others = ", ".join(new.get(name, name) for name in names)
    one = f"SELECT rowid FROM trials WHERE outcome = '{ended}' AND seed = 0 LIMIT 1"
    execute(old, f"INSERT INTO trials SELECT {others} FROM trials WHERE rowid = ({one})")
    ((key),) = execute(old, f"SELECT parameters, n, seed FROM trials WHERE rowid = ({one})")
    with Store.read(old) as store:
        rows = store.rows()
        (found,) = (row for row in rows if (row.parameters[0][1], row.n, row.seed) == place(key))
        assert len(rows) == 16
        assert (found.outcome, found.horizon) == (ended, kept)
        assert len(list(store.trajectories())) == trajectories


def place(key):
    return json.loads(key[0])[OLD_SHRINK], *key[1:]


@schemas
def test_a_store_up_to_date_is_left_as_it_is(old):
    protocol = protocol_of(old)
    Store.open(old, *protocol).close()
    before = dump(old)
    Store.open(old, *protocol).close()
    assert dump(old) == before


@schemas
def test_a_stop_in_the_middle_leaves_the_earlier_schema(old, schema, monkeypatch):
    before, protocol, step = dump(old), protocol_of(old), migrations.STEPS[schema]

    def stopped(connection):
        step(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(migrations.STEPS, schema, stopped)
        with pytest.raises(KeyboardInterrupt):
            Store.open(old, *protocol)
    assert dump(old) == before
    Store.open(old, *protocol).close()
    assert execute(old, "SELECT schema FROM protocol") == [(SCHEMA,)]


@schemas
def test_a_refused_writer_leaves_the_earlier_schema(old):
    before = (old / FILE).read_bytes()
    other = json.dumps({**json.loads(protocol_of(old)[1]), "seed": 99})
    with pytest.raises(ValueError, match="seed = 99") as error:
        Store.open(old, hashlib.sha256(other.encode()).hexdigest(), other)
    assert "axes" not in one_line(error)
    assert (old / FILE).read_bytes() == before


@schemas
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE study SET json = replace(json, '\"seed\":', '\"seed\":1')",
        "UPDATE study SET json = NULL",
        "UPDATE study SET json = x'00'",
        "DELETE FROM study",
        "INSERT INTO study SELECT * FROM study",
        "CREATE TRIGGER one AFTER INSERT ON trials BEGIN DELETE FROM trials; END",
        "CREATE VIEW other AS SELECT 1",
        "DROP TABLE trials",
        "ALTER TABLE trials DROP COLUMN curvature",
        "UPDATE study SET schema = -1",
        "UPDATE study SET schema = NULL",
    ],
)
def test_damage_is_named_and_nothing_is_changed(old, schema, damage):
    protocol = protocol_of(old)
    if schema > 2:  # where no NULL can be
        damage = damage.replace("NULL", "''")
    execute(old, damage.replace("study", TABLE[schema]))
    before = (old / FILE).read_bytes()
    for attempt in (lambda: Store.open(old, *protocol), lambda: Store.read(old)):
        with pytest.raises(ValueError, match="got") as error:
            attempt()
        assert len(one_line(error)) < 600
    assert check(old) and all("\n" not in line for line in check(old))
    assert (old / FILE).read_bytes() == before


@pytest.mark.parametrize("schema", [1])
@pytest.mark.parametrize("names", [{"axes": None}, {"dynamics": []}, {"horizon": 3}, {"new": 1}])
def test_a_study_that_is_none_is_named(old, names):
    change_study(old, **names)
    (found,) = check(old)
    assert found.startswith("expected ") and "\n" not in found


@pytest.mark.parametrize("schema", [3])
def test_names_of_parameters_follow_the_problem(old):
    tables = ("trials", "trajectories", "asked")
    before = [execute(old, f"SELECT parameters, seed, n FROM {name}") for name in tables]
    assert {name for rows in before for text, *_ in rows for name in json.loads(text)} == {
        OLD_SHRINK
    }
    Store.open(old, *protocol_of(old)).close()
    for name, rows in zip(tables, before, strict=True):
        new = [(text.replace(OLD_SHRINK, SHRINK), *rest) for text, *rest in rows]
        assert execute(old, f"SELECT parameters, seed, n FROM {name}") == new
    with Store.read(old) as store:
        assert {row.parameters for row in store.rows()} == {((SHRINK, x),) for x in (0.5, 1.0)}


def test_they_stay_sorted_beside_other_names():
    old, new = {OLD_SHRINK: 0.5, "of_flow": 3.0}, {"of_flow": 3.0, SHRINK: 0.5}
    texts = [json.dumps(table, separators=(",", ":")) for table in (old, new)]
    assert migrations._parameters_from_3(texts[0]) == texts[1]


@pytest.mark.parametrize("schema", [3])
@pytest.mark.parametrize("success", [1.0, 0.25, "signs"])
def test_success_becomes_an_event(old, success):
    ((text,),) = execute(old, "SELECT json FROM protocol")
    text = json.dumps(json.loads(text) | {"success": success}, sort_keys=True)
    values = (text, hashlib.sha256(text.encode()).hexdigest())
    execute(old, "UPDATE protocol SET json = ?, hash = ?", values)
    table = tomllib.loads(TOML[3])
    table["event"] = {"kind": "certificate"} | ({} if success == "signs" else {"square": success})
    assert protocol_of(old)[1] == with_its_draws(Study.from_table(table))


@pytest.mark.parametrize("schema", [3])
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE trials SET steps = steps + 1 WHERE rowid = 3",
        "UPDATE trials SET parameters = '{}' WHERE rowid = 3",
        "UPDATE trials SET parameters = replace(parameters, ':', ': ') WHERE rowid = 3",
        "UPDATE trials SET parameters = x'00' WHERE rowid = 3",
        "UPDATE trials SET digest = x'' WHERE rowid = 3",
        "DELETE FROM trials WHERE rowid = 3",
        "UPDATE trajectories SET arrays = x'00' WHERE rowid = 2",
        "UPDATE trajectories SET arrays = 'none' WHERE rowid = 2",
        "DELETE FROM trajectories WHERE rowid = 2",
        "UPDATE asked SET horizon = 41.0 WHERE rowid = 5",
        "UPDATE asked SET design = 7 WHERE rowid = 5",
        "DELETE FROM asked WHERE rowid = 5",
        "UPDATE designs SET turn = 9",
        "UPDATE designs SET json = 'none'",
        "DELETE FROM designs",
        "UPDATE protocol SET created = 'today'",
        "UPDATE sums SET entries = entries + 1 WHERE name = 'asked'",
        "UPDATE sums SET total = x'00' WHERE name = 'trials'",
    ],
)
def test_no_damage_is_sealed(old, damage):
    protocol = protocol_of(old)
    execute(old, damage)
    found = check(old)
    assert found
    try:
        Store.open(old, *protocol).close()
    except ValueError as error:
        assert str(error) in found
    assert check(old) == found


class Damaged:
    """A connection whose index of trials lists a row that is not there."""

    def __init__(self, connection):
        self.connection = connection

    def execute(self, sql, *values):
        found = "SELECT 999999" if sql == "SELECT rowid FROM trials" else sql
        return self.connection.execute(found, *values)


def test_an_index_that_lists_what_is_not_there_is_damage():
    with closing(sqlite3.connect(":memory:")) as connection:
        create(connection, "hash", "{}")
        with pytest.raises(ValueError, match=r"index lists.*no row 999999"):
            migrations._trials_from_3(Damaged(connection), "trials", "horizon", lambda key: b"")


@pytest.mark.parametrize("schema", [5])
def test_trials_of_parameters_that_were_drawn_by_sizes_are_not_gone_on_with(old):
    """They are read, but new ones at the same points are of other draws."""
    study = Study.from_table(tomllib.loads(TOML[5]))
    with pytest.raises(ValueError, match=r'draws = "by sizes".*got .*absent.*--out'):
        Store.open(old, study.protocol.hash, study.protocol.json)
    assert Study.load(old) == study
    assert len(report.thresholds(old)) == 4  # of two values, by two horizons


@pytest.mark.parametrize("schema", [1])
def test_where_no_parameter_is_an_axis_the_draws_are_the_same(old):
    study = Study.from_table(tomllib.loads(TOML[1]))
    assert protocol_of(old) == (study.protocol.hash, study.protocol.json)
