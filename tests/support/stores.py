"""Stores to test with, and what is asked of every error."""

import hashlib
import json
import math
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from numpy.typing import ArrayLike

from jaxflow.core.types import Outcome, Point, Row, Trial
from jaxflow.store.columns import COLUMNS, digest, total
from jaxflow.store.file import FILE
from jaxflow.store.store import Store

PROTOCOL = json.dumps(
    {
        "dynamics": {"flow": {"kind": "flow", "rtol": 0.1}},
        "problem": {"inputs": {"law": "sphere"}},
        "precision": "float32",
        "seed": 0,
        "event": {"square": 1.0},
    }
)
DESIGN = json.dumps({"axes": {"d": [2], "p": [4]}, "horizon": {"time": [100.0]}, "name": "first"})
OTHER_DESIGN = json.dumps({**json.loads(DESIGN), "name": "second"})

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
    event_times=(),
    measured=(),
    dtype="float32",
    device="cpu",
    program="(2, 8, 4) map 1",
    versions="jaxflow 0.1.0",
)
TRIAL = Trial("flow", Point(2, 8, 4), 0, 100.0)


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def open_store(folder: Path, protocol: str = PROTOCOL) -> Store:
    return Store.open(folder, hash_of(protocol), protocol)


def made(
    folder: Path,
    rows: Iterable[Row],
    trajectories: Mapping[Trial, Mapping[str, ArrayLike]] | None = None,
    protocol: str = PROTOCOL,
    design: str = DESIGN,
) -> Path:
    """A store of rows that a design asked for."""
    rows = list(rows)
    with open_store(folder, protocol) as store:
        store.begin(hash_of(design), design)
        store.ask(hash_of(design), [row.trial for row in rows])
        store.insert(rows, trajectories)
    return folder


def bits(row: Row) -> tuple[object, ...]:
    """The values of a row, floats by their bits, all NaN alike."""
    values = (getattr(row, field.name) for field in fields(row))
    return tuple(_bits(x) if isinstance(x, float) else x for x in values)


def _bits(x: float) -> bytes:
    return struct.pack("d", math.nan if math.isnan(x) else x)


def key(row: Row) -> tuple[object, ...]:
    return (row.dynamics, row.d, row.n, row.p, row.parameters, row.seed)


def one_line(error: pytest.ExceptionInfo[ValueError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("expected ")
    return text


def earlier(folder: Path, schema: int | str) -> Path:
    """A folder with a small store as that schema had it.

    That of schema 1 has two dynamics and one trajectory, those of 2 and later a finished study, of
    which a parameter of the problem is an axis; "5-sizes" is one whose axes are sizes.
    """
    folder.mkdir(exist_ok=True)
    sql = (Path(__file__).parent / "reference" / f"store-schema-{schema}.sql").read_text("utf-8")
    with closing(sqlite3.connect(folder / FILE)) as connection:
        connection.executescript(sql)
    return folder


def sound(folder: Path, schema: int = 1) -> Path:
    """The same store of the present schema."""
    with Store.read(earlier(folder, schema)) as store:
        protocol = store.protocol
    Store.open(folder, protocol.hash, protocol.json).close()
    return folder


def execute(folder: Path, sql: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Do something to a store behind its back."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        return connection.execute(sql, values).fetchall()


def resealed(folder: Path) -> None:
    """Digests and sums made anew, as by one who wants what was altered to pass."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.create_function("digest", -1, lambda *values: digest("trials", values))
        connection.execute(f"UPDATE trials SET digest = digest({', '.join(COLUMNS)})")
        said = [said for (said,) in connection.execute("SELECT digest FROM trials")]
        values = (len(said), total(said).to_bytes(16, "big"))
        connection.execute("UPDATE sums SET entries = ?, total = ? WHERE name = 'trials'", values)
