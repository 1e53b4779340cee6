"""How a trial is kept: the columns of the tables, and the way there and back.

Three tables: `study`, one row that says whose trials these are; `trials`, a `Row` each; and
`trajectories`, a compressed archive of arrays each. The key of the last two is the trial.
"""

import io
import json
import operator
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.types import Outcome, ParameterValues, Point, Row, Trial

SCHEMA = 2  # raise it when the fields of Row or the study's JSON change, and add a migration


class Column(NamedTuple):
    """How a field is kept: its type in SQLite, and the way there and back."""

    sql: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _write_parameters(values: ParameterValues) -> str:
    """As canonical JSON; a shorter way to write a number is not another number."""
    table = {name: float(x) for name, x in values}
    return json.dumps(table, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=4096)
def _read_parameters(text: str) -> ParameterValues:
    """What `_write_parameters` wrote; few are distinct."""
    return tuple(sorted((name, float(x)) for name, x in json.loads(text).items()))


def _read_float(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return float("nan") if value is None else float(value)


_COLUMN_OF_TYPE: dict[Any, Column] = {
    int: Column("INTEGER", operator.index, int),
    bool: Column("INTEGER", bool, bool),
    float: Column("", float, _read_float),  # no declared type: REAL would turn -0.0 into 0.0
    str: Column("TEXT", str, str),
    Outcome: Column("TEXT", str, lru_cache(Outcome)),
    ParameterValues: Column("TEXT", _write_parameters, _read_parameters),
}
COLUMNS = {name: _COLUMN_OF_TYPE[kind] for name, kind in get_type_hints(Row).items()}
KEY = ("dynamics", "d", "n", "p", "parameters", "seed", "horizon")  # the first fields of Row
KEY_SQL = ", ".join(KEY)
key_of_row = operator.attrgetter(*KEY)
key_of_trial = operator.attrgetter(
    *(f"point.{name}" if name in ("d", "n", "p", "parameters") else name for name in KEY)
)


def record(row: Row) -> tuple[Any, ...]:
    """A row as SQLite keeps it; its first entries are the key."""
    return tuple(column.write(getattr(row, name)) for name, column in COLUMNS.items())


def rows(records: Iterable[tuple[Any, ...]]) -> list[Row]:
    """What `record` made, read back; `ValueError` or `TypeError` where that is no row."""
    columns = zip(COLUMNS.values(), zip(*records, strict=True), strict=False)
    read = [map(column.read, values) for column, values in columns]
    return [Row(*values) for values in zip(*read, strict=True)]


def key(trial: Trial) -> tuple[Any, ...]:
    """A trial as SQLite keeps it."""
    values = zip(KEY, key_of_trial(trial), strict=True)
    return tuple(COLUMNS[name].write(x) for name, x in values)


def trial(key: tuple[Any, ...]) -> Trial:
    """What `key` made, read back."""
    values = (COLUMNS[name].read(x) for name, x in zip(KEY, key, strict=True))
    dynamics, d, n, p, parameters, seed, horizon = values
    return Trial(dynamics, Point(d, n, p, parameters), seed, horizon)


def pack(arrays: Mapping[str, ArrayLike]) -> bytes:
    """Named arrays as one compressed archive."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(archive: bytes) -> dict[str, NDArray[Any]]:
    """What `pack` made, read back."""
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        return dict(arrays)


def insert_sql(table: str, columns: Collection[str]) -> str:
    """Known keys are left alone; unlike OR IGNORE, a broken constraint is still an error."""
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT ({KEY_SQL}) DO NOTHING"


def create(connection: sqlite3.Connection, study_hash: str, study_json: str) -> None:
    """The tables of a study without trials."""
    keys = [f"{name} {COLUMNS[name].sql} NOT NULL" for name in KEY]
    rest = [f"{name} {column.sql}" for name, column in COLUMNS.items() if name not in KEY]
    for table, columns in (("trials", rest), ("trajectories", ["arrays BLOB NOT NULL"])):
        body = ", ".join([*keys, *columns, f"PRIMARY KEY ({KEY_SQL})"])
        connection.execute(f"CREATE TABLE {table} ({body})")
    connection.execute("CREATE TABLE study (hash TEXT, json TEXT, schema INTEGER, created TEXT)")
    created = datetime.now(UTC).isoformat(timespec="seconds")
    study = (study_hash, study_json, SCHEMA, created)
    connection.execute("INSERT INTO study VALUES (?, ?, ?, ?)", study)
