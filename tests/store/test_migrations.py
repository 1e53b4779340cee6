"""A store of an earlier schema becomes one of the present, with every value that it had."""

import hashlib
import json
import math
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from stores import ROW, bits, execute, one_line, schema_1

from jaxflow.core.types import Point, Trial
from jaxflow.store import migrations
from jaxflow.store.checking import check
from jaxflow.store.columns import SCHEMA, create
from jaxflow.store.files import FILE
from jaxflow.store.store import Store
from jaxflow.study.study import Study

TOML = """
name = "tiny"
success = 1.0
horizon = {time = 60.0}
axes = {d = [3], p = [8]}
dynamics = {control = {kind = "descent"}, flow = {kind = "flow"}}
threshold = {low = 2, high = 40, relative_half_width = 0.25, batch = 4, max_trials = 4}
"""
VALUES = "dynamics, d, n, p, seed, horizon, outcome, reason, flow_time, steps, evaluations"
VALUES += ", rejections, first_loss, last_loss, well_initialized, balancedness_drift, curvature"
VALUES += ", dtype, device, program, versions"


@pytest.fixture
def old(tmp_path):
    return schema_1(tmp_path / "old")


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TOML)
    return Study.load(path)


def values(folder) -> str:
    """All that schema 1 knew, with -0.0 and infinity told apart from their likes."""
    return repr(execute(folder, f"SELECT {VALUES} FROM trials ORDER BY dynamics, n, seed"))


def dump(folder) -> list[str]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return list(connection.iterdump())


def test_every_schema_has_a_step():
    assert list(migrations.STEPS) == list(range(1, SCHEMA))


def test_a_writer_brings_a_store_up_to_date(old, study):
    before = values(old)
    with Store.open(old, study.hash, study.json) as store:
        rows = store.rows()
        assert (store.study_hash, store.study_json) == (study.hash, study.json)
    assert values(old) == before
    assert execute(old, "SELECT hash, json, schema FROM study") == [
        (study.hash, study.json, SCHEMA)
    ]
    assert {row.parameters for row in rows} == {()}
    assert check(old) == []


def test_it_has_the_tables_of_a_new_store(old, study):
    Store.open(old, study.hash, study.json).close()
    with closing(sqlite3.connect(":memory:")) as new:
        create(new, study.hash, study.json)
        wanted = new.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY name")
        wanted = wanted.fetchall()
        columns = [
            new.execute(f"PRAGMA table_info({name})").fetchall()
            for name in ("trials", "trajectories", "study")
        ]
    assert wanted == execute(old, "SELECT type, name, tbl_name FROM sqlite_master ORDER BY name")
    for table, info in zip(("trials", "trajectories", "study"), columns, strict=True):
        assert execute(old, f"PRAGMA table_info({table})") == info


def test_a_reader_reads_it_and_writes_nothing(old, study):
    before = (old / FILE).read_bytes()
    with Store.read(old) as store:
        read = [bits(row) for row in store.rows()]
        assert (store.study_hash, store.study_json) == (study.hash, study.json)
        (found,) = store.trajectories()
        with pytest.raises(ValueError, match="readonly") as error:
            store.insert([ROW])
    one_line(error)
    assert check(old) == []
    assert (old / FILE).read_bytes() == before
    assert len(list(old.iterdir())) == 1
    with Store.open(old, study.hash, study.json) as store:
        assert [bits(row) for row in store.rows()] == read
        (kept,) = store.trajectories()
    for trial, arrays in (found, kept):
        assert trial == Trial("flow", Point(3, 6, 8), 0, 60.0)
        np.testing.assert_array_equal(arrays["time"], [0.0, 4.109508991241455])
        np.testing.assert_array_equal(arrays["loss"], np.array([1.2546624, np.nan], np.float32))


def test_the_strangest_values_are_kept(old):
    with Store.read(old) as store:
        (row,) = (row for row in store.rows() if row.outcome == "FAILED")
    assert row.last_loss == math.inf and math.isnan(row.curvature)
    assert math.copysign(1, row.flow_time) == -1
    assert row.device == 'a "quoted", o\'dd näme'


def test_a_store_up_to_date_is_left_as_it_is(old, study):
    Store.open(old, study.hash, study.json).close()
    before = dump(old)
    Store.open(old, study.hash, study.json).close()
    assert dump(old) == before


def test_a_stop_in_the_middle_leaves_the_earlier_schema(old, study, monkeypatch):
    before = dump(old)

    def stopped(connection):
        migrations._from_1(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(migrations.STEPS, 1, stopped)
        with pytest.raises(KeyboardInterrupt):
            Store.open(old, study.hash, study.json)
    assert dump(old) == before
    Store.open(old, study.hash, study.json).close()
    assert execute(old, "SELECT schema FROM study") == [(SCHEMA,)]


def test_a_refused_writer_leaves_the_earlier_schema(old, study):
    before = dump(old)
    other = json.dumps({**json.loads(study.json), "seed": 1})
    with pytest.raises(ValueError, match="seed = 0") as error:
        Store.open(old, "another", other)
    assert "seed = 1" in one_line(error)
    assert "axes" not in one_line(error)
    assert dump(old) == before


@pytest.mark.parametrize(
    ("horizon", "plan"),
    [
        ({"factor": 1.0}, {"grid": {"repetitions": 3, "values": [16, 8]}}),
        ({"factor": 2.5}, {"grid": {"repetitions": 1, "values": [4]}}),
        ({"factor": 2.0, "time": 7.5}, {"grid": {"repetitions": 1, "values": [4]}}),
        ({"factor": 1.0}, {}),
    ],
)
def test_the_study_is_the_one_that_is_written_today(old, study, horizon, plan):
    ((text,),) = execute(old, "SELECT json FROM study")
    table = {**json.loads(text), "horizon": horizon, **plan}
    if plan:
        del table["threshold"]
    execute(old, "UPDATE study SET json = ?", (json.dumps(table),))
    today = study.table | {"horizon": horizon}
    if plan:
        today = {k: v for k, v in today.items() if k != "threshold"} | plan
    listed = {name: [x] for name, x in horizon.items()}
    wanted = Study.from_table({**today, "horizon": listed})
    with Store.read(old) as store:
        assert store.study_json == wanted.json
        assert store.study_hash == hashlib.sha256(wanted.json.encode()).hexdigest()
        assert Study.from_table(json.loads(store.study_json)) == wanted
