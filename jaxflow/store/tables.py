"""The tables of a store, and the sums that prove that nothing in them was altered or lost.

`protocol` has one row, `designs` one for each design run, `runs` one for each time that one was,
`trials` one a trial, `trajectories` an archive for each trial recorded, and `asked` says which
trials each design asked for, and how long it allowed them. `sums` has, for each of these, the
number of its entries and the sum of their digests, whatever their order; it changes in the
transaction that changes them.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jaxflow.core.errors import mistake, shortened
from jaxflow.store.columns import COLUMNS, KEY, KEY_SQL, MODULUS, digest, total
from jaxflow.store.file import ELSEWHERE, RESTORE

SCHEMA = 7  # raise it when the fields of Row or the tables change, and add a migration

_KEYS = ", ".join(f"{name} {COLUMNS[name].sql} NOT NULL" for name in KEY)
_REST = ", ".join(f"{name} {column.sql}" for name, column in COLUMNS.items() if name not in KEY)
_END = f"digest BLOB NOT NULL, PRIMARY KEY ({KEY_SQL})"
TABLES = {
    "protocol": "hash TEXT NOT NULL, json TEXT NOT NULL, schema INTEGER NOT NULL, "
    "created TEXT NOT NULL",
    "designs": "number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, json TEXT NOT NULL, "
    "source TEXT NOT NULL, created TEXT NOT NULL, last_run TEXT NOT NULL, turn INTEGER NOT NULL",
    "runs": "key TEXT NOT NULL PRIMARY KEY, design TEXT NOT NULL, began TEXT NOT NULL, "
    "seconds REAL NOT NULL, worker_seconds REAL NOT NULL, workers INTEGER NOT NULL, "
    "trials INTEGER NOT NULL",
    "trials": f"{_KEYS}, {_REST}, {_END}",
    "trajectories": f"{_KEYS}, arrays BLOB NOT NULL, {_END}",
    "asked": f"design INTEGER NOT NULL, {_KEYS}, horizon  NOT NULL, "
    f"PRIMARY KEY (design, {KEY_SQL})",
    "sums": "name TEXT NOT NULL PRIMARY KEY, entries INTEGER NOT NULL, total BLOB NOT NULL",
}
SUMMED = ("protocol", "designs", "runs", "trials", "trajectories", "asked")
OLD_TABLES = ("study", "trials", "trajectories")  # of schemas 1 and 2


def now() -> str:
    """The time, as the store notes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def create(connection: sqlite3.Connection, protocol_hash: str, protocol_json: str) -> None:
    """The tables of a store without trials."""
    for name, body in TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({body})")
    protocol = (protocol_hash, protocol_json, SCHEMA, now())
    connection.execute("INSERT INTO protocol VALUES (?, ?, ?, ?)", protocol)
    nothing = [(name, 0, bytes(16)) for name in SUMMED]
    connection.executemany("INSERT INTO sums VALUES (?, ?, ?)", nothing)
    enter(connection, "protocol", [digest("protocol", protocol)])


def enter(
    connection: sqlite3.Connection,
    table: str,
    added: Iterable[bytes],
    removed: Iterable[bytes] = (),
) -> None:
    """Note in its sum that entries with these digests came to a table, and that others went."""
    came, went = list(added), list(removed)
    if not came and not went:
        return  # so that a transaction that adds nothing writes nothing
    entries, before = _sums(connection).get(table, (None, 0))
    if entries is None:
        raise mistake("a sound store", f"no sum of its {table}", RESTORE)
    after = (before + total(came) - total(went)) % MODULUS
    values = (entries + len(came) - len(went), after.to_bytes(16, "big"), table)
    connection.execute("UPDATE sums SET entries = ?, total = ? WHERE name = ?", values)


def summed(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """For each table, how many entries it must have, and the sum of their digests."""
    sums = _sums(connection)
    ((entries,),) = connection.execute("SELECT count(*) FROM sums")
    if sorted(map(str, sums)) != sorted(SUMMED) or entries != len(SUMMED):
        raise mistake("a sound store", "sums that are not those of its tables", RESTORE)
    return sums


def _sums(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """The sums that are sums."""
    found = connection.execute("SELECT name, entries, total FROM sums").fetchall()
    return {
        name: (entries, total([said]))
        for name, entries, said in found
        if isinstance(entries, int) and isinstance(said, bytes)
    }


def schema_of(path: Any, connection: sqlite3.Connection) -> int:
    """The schema of a store; `ValueError` where it is none, or newer than this version knows.

    Nothing but a store's tables may be in it: a view or a trigger would be run by reading it.
    """
    found = _objects(connection)
    names = {name for kind, name, *_ in found if kind == "table"}
    table = next((name for name in ("protocol", "study") if name in names), None)
    if table is None:
        raise mistake(f"the store of a study at {path}", "another SQLite database", ELSEWHERE)
    rows = connection.execute(f"SELECT schema FROM {table} LIMIT 2").fetchall()
    if len(rows) != 1:
        raise mistake(f"one {table} in the store at {path}", len(rows), RESTORE)
    ((schema,),) = rows
    known = range(3, SCHEMA + 1) if table == "protocol" else range(1, 3)
    if not isinstance(schema, int) or schema not in known:
        remedy = "use the version of jaxflow that made it, or run the study anew elsewhere"
        raise mistake(f"a store of schema {SCHEMA} or lower at {path}", shortened(schema), remedy)
    wrong = found ^ _expected(schema) if table == "protocol" else _foreign(found)
    for kind, name, *_ in sorted(wrong, key=str)[:1]:
        what = shortened(f"another {kind} {name}")
        raise mistake(f"the tables of a store at {path}", what, RESTORE)
    return schema


def _objects(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


@lru_cache
def _expected(schema: int) -> set[tuple[Any, ...]]:
    """What is in a store of a schema from the third on.

    Before the fifth rows told less, before the seventh nothing told of runs.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        create(connection, "", "")
        found = _objects(connection)
    told = ", event_times TEXT, measured TEXT" if schema < 5 else ""
    return {
        (kind, name, table, sql and sql.replace(told, ""))
        for kind, name, table, sql in found
        if schema >= 7 or table != "runs"
    }


def _foreign(found: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """What is in a store of an earlier schema and does not belong there."""
    return {
        (kind, name, table, sql)
        for kind, name, table, sql in found
        if table not in OLD_TABLES
        or (
            not (kind == "index" and sql is None)
            and not (kind == "table" and str(sql).startswith("CREATE TABLE "))
        )
    }
