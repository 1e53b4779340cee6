"""Mutations of what a store's tables hold and of their schema.

Tables and columns are looked up in the file, so that stores of every schema will do.
"""

import contextlib
import hashlib
import json
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.archives import spoiled
from tests.fuzz.seeds import STORE, Seed
from tests.fuzz.values import NUMBERS, TEXTS, shown, texts_of_json, weird

FORGED = " (forged)"  # ends the word of a mutation whose digests are those of what is there now


@contextlib.contextmanager
def connected(folder: Path):
    with contextlib.closing(sqlite3.connect(folder / STORE, isolation_level=None)) as connection:
        yield connection


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [name for (name,) in found if not name.startswith("sqlite_")]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _change(folder: Path, dice: Random, sql: str, values: tuple[Any, ...] = ()) -> str:
    """Do something that the constraints of a table may forbid; how it was done.

    The tables keep their words if need be, for whose sake alone a store may be refused.
    """
    with connected(folder) as connection:
        try:
            connection.execute(sql, values)
        except sqlite3.IntegrityError:
            pass
        else:
            return ""
        kept = connection.execute("SELECT * FROM sqlite_master").fetchall()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE type = 'index'")
        for table in _tables(connection):
            names = ", ".join(f'"{name}"' for name in _columns(connection, table))
            loose = f'CREATE TABLE "{table}" ({names})'
            connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (loose, table))
    with connected(folder) as connection:
        connection.execute(sql, values)
        if dice.random() < 0.3:
            return " (no constraints left)"
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("BEGIN")
        connection.execute("DELETE FROM sqlite_master")
        connection.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", kept)
        connection.execute("COMMIT")
    return " (against the constraints)"


def _forged(folder: Path, dice: Random) -> str:
    """Now and then, make the digests and sums of a store those of what is in it now."""
    with connected(folder) as connection:
        if dice.random() < 0.6 or "sums" not in _tables(connection):
            return ""
        from jaxflow.store.columns import digest

        digests = {}
        for table, kept in (("trials", "digest"), ("trajectories", "digest")):
            names = [name for name in _columns(connection, table) if name not in (kept, "arrays")]
            blob = "arrays" if table == "trajectories" else "x''"
            sql = f"SELECT rowid, {blob}, {', '.join(names)} FROM {table}"
            found = {
                rowid: digest(table, record, arrays if isinstance(arrays, bytes) else b"")
                for rowid, arrays, *record in connection.execute(sql)
            }
            update = f"UPDATE {table} SET digest = ? WHERE rowid = ?"
            connection.executemany(update, [(said, rowid) for rowid, said in found.items()])
            digests[table] = list(found.values())
        selections = {
            "protocol": "SELECT hash, json, schema, created FROM protocol",
            "designs": "SELECT hash, json, source, created, last_run, turn FROM designs",
            "asked": "SELECT designs.hash, asked.* FROM asked JOIN designs ON design = number",
        }
        if "runs" in _tables(connection):
            selections["runs"] = "SELECT * FROM runs"
        for table, sql in selections.items():
            records = connection.execute(sql).fetchall()
            chosen = [[r[0], *r[2:]] if table == "asked" else r for r in records]
            digests[table] = [digest(table, record) for record in chosen]
        for table, found in digests.items():
            total = sum(int.from_bytes(said, "big") for said in found) % (1 << 128)
            values = (len(found), total.to_bytes(16, "big"), table)
            connection.execute("UPDATE sums SET entries = ?, total = ? WHERE name = ?", values)
    return FORGED


def _sql_value(dice: Random) -> Any:
    value = dice.choice(
        [
            lambda: None,
            lambda: dice.choice(NUMBERS),
            lambda: dice.choice(NUMBERS),
            lambda: dice.choice(TEXTS),
            lambda: dice.randbytes(dice.choice([0, 1, 8, 5000])),
            lambda: json.dumps(weird(dice)) if dice.random() < 0.9 else "x" * 10**6,
            lambda: dice.choice(["{}", '{"a":1}', "[1]", "null", '{"a":"b"}', '{"a":1e999}']),
        ]
    )
    try:
        made = value()
    except ValueError:
        made = "9" * 5000
    is_huge = isinstance(made, int) and not -(2**63) <= made < 2**63
    return float("inf") if is_huge else made


def value(folder: Path, dice: Random, seed: Seed) -> str:
    """Another value in one column, of one row or of all."""
    with connected(folder) as connection:
        tables = _tables(connection)
        table = "trials" if dice.random() < 0.5 else dice.choice(tables)
        column, found = dice.choice(_columns(connection, table)), _sql_value(dice)
        where = dice.choice(["", f"WHERE rowid = {_rowid(connection, table, dice)}"])
    how = _change(folder, dice, f'UPDATE "{table}" SET "{column}" = ? {where}', (found,))
    return f"{table}.{column} = {shown(found)} {where}{how}{_forged(folder, dice)}"


def _rowid(connection: sqlite3.Connection, table: str, dice: Random) -> int:
    rows = connection.execute(f'SELECT rowid FROM "{table}"').fetchall()
    return dice.choice(rows)[0] if rows else 0


ALTERED = (
    "horizon = horizon * 2, outcome = 'CONVERGED', reason = 'certificate'",
    "horizon = horizon * 2",
    "horizon = horizon / 2",
    "outcome = 'CONVERGED', reason = 'certificate', last_loss = 0.0",
    "outcome = 'STALLED', reason = 'stationary'",
    "outcome = 'UNDECIDED', reason = 'horizon', flow_time = horizon",
    "outcome = 'FAILED', reason = 'not_finite'",
    "well_initialized = 1 - well_initialized",
    "last_loss = last_loss * 1.5",
    "first_loss = first_loss * 1.0000001",
    "flow_time = flow_time / 2",
    "steps = steps + 1, evaluations = evaluations + 2",
    "seed = seed + 1000",
    "n = n + 1",
    "d = d + 1",
    "p = 4, n = 5",
    "dynamics = 'descent'",
    "dtype = 'float64'",
    "device = 'another'",
    "program = 'another'",
    "versions = 'another'",
    "curvature = NULL",
    "balancedness_drift = -1.0",
    "rejections = 10",
    "parameters = '{}'",
)


def altered(folder: Path, dice: Random, seed: Seed) -> str:
    """What would pass for a trial."""
    change = dice.choice(ALTERED)
    with connected(folder) as connection:
        where = f"rowid = {_rowid(connection, 'trials', dice)}"
        where = dice.choice([where, where, "1", "seed % 2 = 0", "rowid % 3 = 0"])
        known = _columns(connection, "trials")
        parts = [part for part in change.split(", ") if part.split(" = ")[0] in known]
        if not parts:
            parts = ["seed = seed + 1000"]
        sql = f"UPDATE OR REPLACE trials SET {', '.join(parts)} WHERE {where}"
        connection.execute(sql)
    return sql + _forged(folder, dice)


def swapped(folder: Path, dice: Random, seed: Seed) -> str:
    """Two rows exchange what they have in one column."""
    with connected(folder) as connection:
        table = dice.choice(["trials", "trials", *_tables(connection)])
        column = dice.choice(_columns(connection, table))
        one, other = (_rowid(connection, table, dice) for _ in range(2))
        found = connection.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall()
    first, second = dict(found).get(one), dict(found).get(other)
    sql = f'UPDATE "{table}" SET "{column}" = CASE rowid WHEN {one} THEN ? ELSE ? END '
    how = _change(folder, dice, f"{sql} WHERE rowid IN ({one}, {other})", (second, first))
    return f"{table}.{column} of rows {one} and {other}{how}"


def deleted(folder: Path, dice: Random, seed: Seed) -> str:
    """Rows taken away: one, some, all."""
    with connected(folder) as connection:
        table = dice.choice(["trials", "trials", "trials", *_tables(connection)])
        one = _rowid(connection, table, dice)
        where = dice.choice([f"rowid = {one}", f"rowid = {one}", f"rowid > {one}", "1"])
        connection.execute(f'DELETE FROM "{table}" WHERE {where}')
    return f"{table} where {where}{_forged(folder, dice)}"


def doubled(folder: Path, dice: Random, seed: Seed) -> str:
    """Rows added: the same twice, or of other seeds, or of another trial."""
    with connected(folder) as connection:
        table = dice.choice(["trials", "trials", *_tables(connection)])
        columns = _columns(connection, table)
        names = ", ".join(f'"{name}"' for name in columns)
        other = dice.choice([None, *columns])
        taken = names if other is None else names.replace(f'"{other}"', f'"{other}" + 100')
        where = dice.choice([f"rowid = {_rowid(connection, table, dice)}", "1"])
    sql = f'INSERT INTO "{table}" ({names}) SELECT {taken} FROM "{table}" WHERE {where}'
    how = _change(folder, dice, sql) + _forged(folder, dice)
    return f"{table} where {where}, {other or 'nothing'} changed{how}"


def study(folder: Path, dice: Random, seed: Seed) -> str:
    """The JSON of the study, half of the time with its hash."""
    with connected(folder) as connection:
        spots = [
            (table, column, rowid, text)
            for table in _tables(connection)
            if table != "trials"
            for column in _columns(connection, table)
            for rowid, text in connection.execute(f'SELECT rowid, "{column}" FROM "{table}"')
            if isinstance(text, str) and text.startswith("{")
        ]
        if not spots:
            connection.execute("DROP TABLE trials")
            return "no JSON: trials dropped"
        table, column, rowid, text = dice.choice(spots)
        made, said = texts_of_json(text, dice)
        where = f"WHERE rowid = {rowid}"
        connection.execute(f'UPDATE OR REPLACE "{table}" SET "{column}" = ? {where}', (made,))
        rehashed = dice.random() < 0.5
        before, after = (
            hashlib.sha256(x.encode("utf-8", "replace")).hexdigest() for x in (text, made)
        )
        for name in _columns(connection, table) if rehashed else []:
            connection.execute(
                f'UPDATE "{table}" SET "{name}" = ? {where} AND "{name}" = ?', (after, before)
            )
    how = _forged(folder, dice)
    return f"{table}.{column}: {said}{', hash and all' if rehashed else ''}{how}"


def schema(folder: Path, dice: Random, seed: Seed) -> str:
    """Triggers, views, tables, columns, pragmas."""
    with connected(folder) as connection:
        table = dice.choice(["trials", "trials", *_tables(connection)])
        columns = _columns(connection, table)
        column = dice.choice(columns)
        rest = ", ".join(f'"{x}"' for x in columns)
        script = dice.choice(
            [
                f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END",
                f"CREATE TRIGGER t BEFORE INSERT ON {table} BEGIN SELECT RAISE(IGNORE); END",
                f"CREATE TRIGGER t BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'a\nb'); END",
                f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN "
                f"UPDATE {table} SET {column} = NULL; END",
                f"ALTER TABLE {table} RENAME TO other; CREATE VIEW {table} AS SELECT * FROM other",
                f"ALTER TABLE {table} RENAME TO other; "
                f"CREATE VIEW {table} AS SELECT * FROM other UNION ALL SELECT * FROM other",
                f"ALTER TABLE {table} RENAME TO other; CREATE VIEW {table} AS WITH RECURSIVE "
                f"c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10000000000) "
                f"SELECT other.* FROM other, c",
                f"CREATE VIEW v AS SELECT * FROM {table}",
                "CREATE TABLE extra (a, b); INSERT INTO extra VALUES (1, 2)",
                f"DROP TABLE {table}",
                f"DROP TABLE {table}; CREATE TABLE {table} (x)",
                f"ALTER TABLE {table} ADD COLUMN extra TEXT DEFAULT 'x'",
                f'ALTER TABLE {table} RENAME COLUMN "{column}" TO other',
                f"CREATE TABLE o AS SELECT {rest} FROM {table}; DROP TABLE {table}; "
                f"ALTER TABLE o RENAME TO {table}",
                f"CREATE TABLE o AS SELECT {', '.join(reversed(columns))} FROM {table}; "
                f"DROP TABLE {table}; ALTER TABLE o RENAME TO {table}",
                f"DELETE FROM {table}; ALTER TABLE {table} ADD COLUMN g AS (1 / 0)",
                f"CREATE UNIQUE INDEX i ON {table} ({column})"
                if table != "trials"
                else "CREATE INDEX i ON trials (seed)",
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE nonsense'",
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 1",
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET type = 'view'",
                "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE type = 'index'",
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = "
                "(SELECT MAX(rootpage) FROM sqlite_master) + 1 - rootpage",
                "PRAGMA user_version = 7; PRAGMA application_id = 7",
                "PRAGMA page_size = 512; VACUUM",
                "PRAGMA auto_vacuum = 1; VACUUM",
                f"CREATE VIRTUAL TABLE fts USING fts5(a); ALTER TABLE {table} RENAME TO fts2",
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL",
            ]
        )
        try:
            connection.executescript(script)
        except sqlite3.Error as error:
            return f"{script[:70]} (in part: {error})"
    return script


def numbers(folder: Path, dice: Random, seed: Seed) -> str:
    """Another schema number."""
    said = "no column of that name"
    number = dice.choice([0, 1, 2, 3, 4, 5, 99, -1, 2.5, "2", "x", None, b"\x02", 2**62, 1e308])
    with connected(folder) as connection:
        for table in _tables(connection):
            if "schema" in _columns(connection, table):
                with contextlib.suppress(sqlite3.IntegrityError):  # one that the table refuses
                    connection.execute(f'UPDATE "{table}" SET schema = ?', (number,))
                said = f"{table}.schema = {number!r}"
        if said[0] == "n" or dice.random() < 0.2:
            number = dice.choice([0, 1, 2, 3, 4, 99])
            connection.execute(f"PRAGMA user_version = {number}")
            said += f", user_version = {number}"
    return said


def archive(folder: Path, dice: Random, seed: Seed) -> str:
    """The archive of a trajectory."""
    with connected(folder) as connection:
        rows = connection.execute("SELECT rowid, arrays FROM trajectories").fetchall()
        if not rows:
            return deleted(folder, dice, seed)
        rowid, packed = dice.choice(rows)
        said, made = spoiled(packed, dice)
        where = dice.choice([f"WHERE rowid = {rowid}", f"WHERE rowid = {rowid}", ""])
        connection.execute(f"UPDATE trajectories SET arrays = ? {where}", (made,))
    return f"{said} {where}{_forged(folder, dice)}"
