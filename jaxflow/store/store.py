"""The store itself: one transaction per harvest, known trials left alone.

The journal is SQLite's rollback journal with `synchronous=FULL`, not a write-ahead log: between
commits the one file is the whole store, to be copied, read from a read-only disk or kept on a
network disk, where a log's shared memory fails. After a kill, at any instant, whoever opens it
next undoes the harvest that was not committed. A log is faster only at many small commits.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Self, final

from numpy.typing import ArrayLike, NDArray

from jaxflow.core.types import Row, Trial
from jaxflow.store import columns
from jaxflow.store.columns import COLUMNS, KEY, KEY_SQL, SCHEMA
from jaxflow.store.files import (
    ELSEWHERE,
    FILE,
    check_writable,
    connect,
    existing,
    one_line,
    writer_lock,
)
from jaxflow.store.identity import other_study, schema_of, study_of, tables
from jaxflow.store.migrations import migrate

_AT_ONCE = 1000  # records turned into rows together: of more, the collector of garbage slows it


@final
class Store:
    """The trials of one study; made by `Store.open` to write or `Store.read` to read.

    A context manager; closing it drops the writer's lock.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, resources: ExitStack) -> None:
        """Use `open` or `read`; `resources` is closed with the store."""
        self.path = path
        self.study_hash, self.study_json = study_of(connection)
        self._connection = connection
        self._resources = resources

    @classmethod
    def open(cls, folder: Path, study_hash: str, study_json: str) -> Self:
        """The one writer of the study's store, which is made when missing.

        A store of an earlier schema is brought up to date. Raises `ValueError` when the folder
        cannot be written, holds another study's store (the keys that differ are named) or something
        else of that name, or has a writer already; what is there is then as it was.
        """
        path = folder / FILE
        with ExitStack() as stack, one_line(f"a store that can be written in {folder}", ELSEWHERE):
            stack.enter_context(writer_lock(folder))
            check_writable(path)
            connection = stack.enter_context(connect(path))
            connection.execute("PRAGMA synchronous = FULL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if tables(connection):
                    migrate(connection, schema_of(path, connection))
                else:
                    columns.create(connection, study_hash, study_json)
                found_hash, found_json = study_of(connection)
                if found_hash != study_hash:
                    raise other_study(folder, found_json, study_json)
            return cls(path, connection, stack.pop_all())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The store in `folder`, to read only; a writer may be at work meanwhile.

        Of a store of an earlier schema, a copy in memory is brought up to date. Raises `ValueError`
        when there is no store, or something else of that name.
        """
        path = existing(folder)
        with ExitStack() as stack, one_line(f"a store that can be read in {folder}", ELSEWHERE):
            connection = stack.enter_context(connect(path))
            if schema_of(path, connection) < SCHEMA:
                copy = stack.enter_context(connect(":memory:"))
                connection.backup(copy)
                migrate(copy, schema_of(path, copy))
                connection = copy
            connection.execute("PRAGMA query_only = ON")
            return cls(path, connection, stack.pop_all())

    def close(self) -> None:
        """Close the file and, for a writer, drop the lock."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def insert(
        self,
        rows: Iterable[Row],
        trajectories: Mapping[Trial, Mapping[str, ArrayLike]] | None = None,
    ) -> None:
        """Add a harvest in one transaction, all of it or none; known trials stay as they are.

        `trajectories` are named arrays by trial. Raises `ValueError` when it cannot be written, as
        on a full disk; what earlier calls added is kept.
        """
        archives = ((columns.key(t), columns.pack(a)) for t, a in (trajectories or {}).items())
        self.add([columns.record(row) for row in rows], [(*key, blob) for key, blob in archives])

    def add(self, records: Iterable[tuple[Any, ...]], archives: Iterable[tuple[Any, ...]]) -> None:
        """The same of trials and trajectories as `jaxflow.store.columns` makes them."""
        remedy = "fix that and run again; earlier trials are kept"
        with one_line(f"rows that can be added to {self.path}", remedy), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(columns.insert_sql("trials", COLUMNS), records)
            sql = columns.insert_sql("trajectories", (*KEY, "arrays"))
            self._connection.executemany(sql, archives)

    def rows(self) -> list[Row]:
        """Every trial's row, sorted by dynamics, d, n, p, parameters, seed and horizon."""
        sql = f"SELECT {', '.join(COLUMNS)} FROM trials ORDER BY {KEY_SQL}"
        found: list[Row] = []
        with self._sound():
            cursor = self._connection.execute(sql)
            while records := cursor.fetchmany(_AT_ONCE):
                found += columns.rows(records)
        return sorted(found, key=columns.key_of_row)  # in SQL, 10.0 of a parameter is before 2.0

    def done(self) -> set[Trial]:
        """The trials that need not be run again."""
        return set(map(columns.trial, self.select(f"SELECT {KEY_SQL} FROM trials")))

    def trajectory(self, trial: Trial) -> dict[str, NDArray[Any]] | None:
        """The named arrays kept for `trial`, or None."""
        archive = self.archive(columns.key(trial))
        return None if archive is None else columns.unpack(archive)

    def trajectories(self) -> Iterator[tuple[Trial, dict[str, NDArray[Any]]]]:
        """Every trial with arrays and these, in the order of `rows`, one in memory at a time."""
        keys = self.select(f"SELECT {KEY_SQL} FROM trajectories")
        for trial in sorted(map(columns.trial, keys), key=columns.key_of_trial):
            arrays = self.trajectory(trial)  # between two of them a writer may commit
            if arrays is not None:
                yield trial, arrays

    def archive(self, key: tuple[Any, ...]) -> bytes | None:
        """The trajectory of a trial as it is kept, or None."""
        where = " AND ".join(f"{name} = ?" for name in KEY)
        found = self.select(f"SELECT arrays FROM trajectories WHERE {where}", key)
        return found[0][0] if found else None

    def select(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """What SQLite answers."""
        with self._sound():
            return self._connection.execute(sql, values).fetchall()

    def _sound(self) -> AbstractContextManager[None]:
        return one_line(f"a sound store at {self.path}", "restore it from a copy")
