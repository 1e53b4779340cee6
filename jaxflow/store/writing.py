"""What may be written into a store, inside a transaction: trials, trajectories, designs.

Each entry comes with its digest, and its table's sum changes with it.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from jaxflow.core.errors import mistake
from jaxflow.core.types import Row
from jaxflow.store.columns import (
    COLUMNS,
    COLUMNS_SQL,
    KEY,
    KEY_SQL,
    KEY_WHERE,
    Key,
    Record,
    damaged,
    digest,
    record,
)
from jaxflow.store.identity import StoredDesign, StoredRun
from jaxflow.store.reading import rows_of
from jaxflow.store.tables import enter

_KEY_PLACES = ", ".join("?" * len(KEY))
_INSERT = f"INSERT OR REPLACE INTO trials VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
_KEPT = f"SELECT {COLUMNS_SQL}, digest FROM trials WHERE {KEY_WHERE}"
_OUTCOME = list(COLUMNS).index("outcome")


@dataclass(frozen=True)
class Written:
    """What became of the trials and trajectories that were handed over."""

    added: int = 0
    replaced: int = 0  # undecided before, and now of a longer horizon
    known: int = 0  # left alone
    trajectories: int = 0


def put(
    connection: sqlite3.Connection, rows: Iterable[Row], archives: Iterable[tuple[Key, bytes]]
) -> Written:
    """Add trials and trajectories.

    A known trial is left alone, unless it was undecided and the new row's horizon is longer. With
    a row goes its trajectory. That of a known trial is added where there is none and the row that
    comes with it ends alike. Raises `ValueError` for the trajectory of no trial.
    """
    came: list[bytes] = []
    went: list[bytes] = []
    other_end: set[Key] = set()
    known = 0
    for row in rows:
        new = record(row)
        key = new[: len(KEY)]
        kept = connection.execute(_KEPT, key).fetchall()
        is_known = kept and (kept[0][:-1] == new or rows_of(kept)[0].answers(row.horizon))
        if is_known:
            known += 1
            if kept[0][_OUTCOME] != new[_OUTCOME]:
                other_end.add(key)
            continue
        came.append(_insert(connection, new))
        other_end.discard(key)
        if kept:
            went.append(kept[0][-1])
            _drop_trajectory(connection, key)
    enter(connection, "trials", came, went)
    added = _put_archives(connection, ((k, blob) for k, blob in archives if k not in other_end))
    return Written(len(came) - len(went), len(went), known, added)


def _insert(connection: sqlite3.Connection, new: Record) -> bytes:
    said = digest("trials", new)
    connection.execute(_INSERT, (*new, said))
    return said


def _drop_trajectory(connection: sqlite3.Connection, key: Key) -> None:
    sql = f"DELETE FROM trajectories WHERE {KEY_WHERE} RETURNING digest"
    gone = [said for (said,) in connection.execute(sql, key)]
    enter(connection, "trajectories", [], gone)


def _put_archives(connection: sqlite3.Connection, archives: Iterable[tuple[Key, bytes]]) -> int:
    sql = (
        f"INSERT INTO trajectories VALUES ({_KEY_PLACES}, ?, ?) "
        f"ON CONFLICT ({KEY_SQL}) DO NOTHING RETURNING digest"
    )
    came: list[bytes] = []
    for key, archive in archives:
        if connection.execute(_KEPT, key).fetchone() is None:
            raise damaged(key, "a trajectory of no trial")
        values = (*key, archive, digest("trajectories", key, archive))
        came += [said for (said,) in connection.execute(sql, values)]
    enter(connection, "trajectories", came)
    return len(came)


def put_design(connection: sqlite3.Connection, design: StoredDesign, *, is_last: bool) -> bool:
    """Note a design as the one run last, or as the one run first; whether it is new.

    One that is known is moved only if it is run last, and keeps the time at which it was created.
    """
    sql = "SELECT number, hash, json, source, created, last_run, turn FROM designs WHERE hash = ?"
    kept = connection.execute(sql, (design.hash,)).fetchone()
    if kept is not None and not is_last:
        return False
    turn = "MAX(turn), 0) + 1" if is_last else "MIN(turn), 0) - 1"
    ((turn,),) = connection.execute(f"SELECT COALESCE({turn} FROM designs").fetchall()
    number, created = (kept[0], kept[4]) if kept else (None, design.created)
    values = (design.hash, design.json, design.source, created, design.last_run, turn)
    connection.execute(
        "INSERT OR REPLACE INTO designs VALUES (?, ?, ?, ?, ?, ?, ?)", (number, *values)
    )
    went = [digest("designs", kept[1:])] if kept else []
    enter(connection, "designs", [digest("designs", values)], went)
    return kept is None


def put_run(connection: sqlite3.Connection, run: StoredRun) -> None:
    """Note what a run has taken by now, in place of what it had before, which was less."""
    kept = connection.execute("SELECT * FROM runs WHERE key = ?", (run.key,)).fetchall()
    if kept and StoredRun(*kept[0]).seconds > run.seconds:
        return
    values = astuple(run)
    connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    went = [digest("runs", one) for one in kept]
    enter(connection, "runs", [digest("runs", values)], went)


def put_asked(
    connection: sqlite3.Connection, design_hash: str, asked: Iterable[tuple[Key, float]]
) -> int:
    """Note that a design, which is there, asked for trials, and how long it allows each.

    Gives of how many it was not known.
    """
    found = connection.execute("SELECT number FROM designs WHERE hash = ?", (design_hash,))
    (number,) = found.fetchone() or (None,)
    if number is None:
        raise mistake("a design that was begun", design_hash, "begin it before it asks for trials")
    sql = f"INSERT OR IGNORE INTO asked VALUES (?, {_KEY_PLACES}, ?)"
    records = [(*key, horizon) for key, horizon in asked]
    came = [one for one in records if connection.execute(sql, (number, *one)).rowcount]
    enter(connection, "asked", [digest("asked", (design_hash, *one)) for one in came])
    return len(came)
