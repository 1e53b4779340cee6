"""Stores to test with, and what is asked of every error."""

import json
import math
import sqlite3
import struct
import zlib
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from jaxflow.core.types import Outcome, Point, Row, Trial
from jaxflow.store.files import FILE
from jaxflow.store.store import Store

STUDY = json.dumps({"axes": {"d": [2], "n": [8, 16]}, "seed": 0})

ROW = Row(
    dynamics="flow",
    d=2,
    n=8,
    p=4,
    parameters=(),
    seed=0,
    horizon=100.0,
    outcome=Outcome.CONVERGED,
    reason="certificate",
    flow_time=1.5,
    steps=10,
    evaluations=50,
    rejections=1,
    first_loss=1.0,
    last_loss=1e-9,
    well_initialized=True,
    balancedness_drift=1e-3,
    curvature=0.1,
    dtype="float32",
    device="cpu",
    program="(2, 8, 4) map 1",
    versions="jaxflow 0.1.0",
)
TRIAL = Trial("flow", Point(2, 8, 4), 0, 100.0)


def open_store(folder: Path, study: str = STUDY) -> Store:
    return Store.open(folder, study_hash=f"{zlib.crc32(study.encode()):x}", study_json=study)


def bits(row: Row) -> tuple[object, ...]:
    """The values of a row, floats by their bits, all NaN alike."""
    values = (getattr(row, field.name) for field in fields(row))
    return tuple(_bits(x) if isinstance(x, float) else x for x in values)


def _bits(x: float) -> bytes:
    return struct.pack("d", math.nan if math.isnan(x) else x)


def key(row: Row) -> tuple[object, ...]:
    return (row.dynamics, row.d, row.n, row.p, row.parameters, row.seed, row.horizon)


def one_line(error: pytest.ExceptionInfo[ValueError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("expected ")
    return text


def schema_1(folder: Path) -> Path:
    """A folder with a small store, two dynamics and one trajectory, as schema 1 had it."""
    folder.mkdir(exist_ok=True)
    sql = (Path(__file__).parent / "reference" / "store-schema-1.sql").read_text("utf-8")
    with closing(sqlite3.connect(folder / FILE)) as connection:
        connection.executescript(sql)
    return folder


def sound(folder: Path) -> Path:
    """The same store of the present schema."""
    with Store.read(schema_1(folder)) as store:
        study = store.study_hash, store.study_json
    Store.open(folder, *study).close()
    return folder


def execute(folder: Path, sql: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Do something to a store behind its back."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        return connection.execute(sql, values).fetchall()
