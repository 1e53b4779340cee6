"""The store itself: one transaction per harvest, known trials left alone.

One row a trial. A row that was undecided is replaced by one of a longer horizon; nothing else ever
replaces a row. What each design asked for is noted, so that a report of one counts its trials only.

The journal is SQLite's rollback journal with `synchronous=FULL`, not a write-ahead log: between
commits the one file is the whole store, to be copied, read from a read-only disk or kept on a
network disk, where a log's shared memory fails. After a kill, at any instant, whoever opens it
next undoes the harvest that was not committed. A log is faster only at many small commits.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Self, final

from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake, printable, shortened
from jaxflow.core.types import Row, Trial
from jaxflow.store import columns
from jaxflow.store.columns import COLUMNS, KEY_SQL, KEY_WHERE, Key, Record
from jaxflow.store.file import (
    ELSEWHERE,
    FILE,
    RESTORE,
    check_writable,
    connect,
    existing,
    is_there,
    one_line,
    writer_lock,
)
from jaxflow.store.identity import StoredDesign, StoredProtocol, StoredRun, other_protocol
from jaxflow.store.migrations import migrate
from jaxflow.store.order import in_order
from jaxflow.store.reading import RowReader, TrialReader
from jaxflow.store.table import AT_ONCE, Rows, Trials
from jaxflow.store.tables import SCHEMA, create, now, schema_of
from jaxflow.store.writing import Written, put, put_asked, put_design, put_run

_COLUMNS = ", ".join(f"trials.{name}" for name in COLUMNS)


@final
class Store:
    """The trials of one protocol; made by `Store.open` to write or `Store.read` to read.

    A context manager; closing it drops the writer's lock.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, resources: ExitStack) -> None:
        """Use `open` or `read`; `resources` is closed with the store."""
        self.path = path
        self.protocol = _protocol(connection)
        self._connection = connection
        self._resources = resources

    @classmethod
    def open(cls, folder: str | Path, protocol_hash: str, protocol_json: str) -> Self:
        """The one writer of the protocol's store, which is made when missing.

        A store of an earlier schema is brought up to date. Raises `ValueError` when the folder
        cannot be written, holds another protocol's store (the keys that differ are named) or
        something else of that name, or has a writer already; what is there is then as it was.
        """
        asked = StoredProtocol.of(protocol_hash, protocol_json)
        path = Path(folder) / FILE
        with ExitStack() as stack, one_line(f"a store that can be written in {folder}", ELSEWHERE):
            stack.enter_context(writer_lock(path.parent))
            if not is_there(path) or path.stat().st_size == 0:
                _make(path, asked)
            check_writable(existing(folder))
            connection = stack.enter_context(connect(path))
            with _transaction(connection):
                schema = schema_of(path, connection)
                if schema < SCHEMA:
                    migrate(connection, schema)
                found = _protocol(connection)
                if found.hash != asked.hash:
                    raise other_protocol(path.parent, found, asked)
            if schema < SCHEMA:
                connection.execute("VACUUM")  # gives back what the earlier tables took
            return cls(path, connection, stack.pop_all())

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """The store in `folder`, to read only; a writer may be at work meanwhile.

        Of a store of an earlier schema, a copy in memory is brought up to date. Raises `ValueError`
        when there is no store, or something else of that name.
        """
        path = existing(folder)
        with ExitStack() as stack, one_line(f"a store that can be read in {folder}", ELSEWHERE):
            connection = stack.enter_context(connect(path))
            schema = schema_of(path, connection)
            if schema < SCHEMA:
                copy = stack.enter_context(connect(":memory:"))
                connection.backup(copy)
                migrate(copy, schema)
                connection = copy
            connection.execute("PRAGMA query_only = ON")
            return cls(path, connection, stack.pop_all())

    def __repr__(self) -> str:
        place = f"Store({str(self.path.parent)!r})"
        try:
            ((trials,),) = self.select("SELECT count(*) FROM trials")
            names = [str(design.table.get("name")) for design in self.designs]
        except ValueError:  # closed, or damaged since it was opened
            return printable(f"{place}: cannot be read")
        held = f"{trials} trials of {', '.join(names) or 'no design'}"
        return printable(f"{place}: {held}, protocol {self.protocol_hash[:12]}")

    def close(self) -> None:
        """Close the file and, for a writer, drop the lock."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def protocol_hash(self) -> str:
        """The hash of the protocol, which is the store's identity."""
        return self.protocol.hash

    @property
    def protocol_json(self) -> str:
        """The protocol as canonical JSON."""
        return self.protocol.json

    @property
    def designs(self) -> tuple[StoredDesign, ...]:
        """Those run on the store, the one run last at the end."""
        sql = "SELECT hash, json, source, created, last_run FROM designs ORDER BY turn"
        return tuple(StoredDesign(*values) for values in self.select(sql))

    @property
    def runs(self) -> tuple[StoredRun, ...]:
        """Those of its designs, by when they began; runs into earlier schemas left no note."""
        found = self.select("SELECT * FROM runs ORDER BY began, key")
        return tuple(StoredRun(*values) for values in found)

    def note(self, run: StoredRun) -> None:
        """Note what a run has taken by now."""
        with self.writing() as connection:
            put_run(connection, run)

    def begin(self, design_hash: str, design_json: str, source: str = "") -> None:
        """Note a design as the one that is run now; `source` tells the study file it came from."""
        design = StoredDesign(design_hash, design_json, source, now(), now())
        with self.writing() as connection:
            put_design(connection, design, is_last=True)

    def ask(self, design_hash: str, trials: Iterable[Trial]) -> None:
        """Note that a design asked for these trials; `ValueError` where it did not begin."""
        with self.writing() as connection:
            put_asked(connection, design_hash, ((columns.key(t), t.horizon) for t in trials))

    def asked(self, design_hash: str) -> list[Trial]:
        """The trials that a design asked for, with the flow time it allows each, sorted."""
        return list(self.asked_table(design_hash))

    def asked_table(self, design_hash: str) -> Trials:
        """The same, by column."""
        sql = f"SELECT {KEY_SQL}, horizon FROM asked WHERE design = ?"
        return self._trials(sql, (self._number(design_hash),))

    def asked_in_turn(self, design_hash: str) -> Trials:
        """The same, in the order in which they were asked for."""
        sql = f"SELECT {KEY_SQL}, horizon FROM asked WHERE design = ? ORDER BY rowid"
        return self._unsorted(sql, (self._number(design_hash),))

    def insert(
        self,
        rows: Iterable[Row],
        trajectories: Mapping[Trial, Mapping[str, ArrayLike]] | None = None,
    ) -> Written:
        """Add a harvest in one transaction, all of it or none; known trials stay as they are.

        `trajectories` are named arrays by trial. Raises `ValueError` when it cannot be written, as
        on a full disk; what earlier calls added is kept.
        """
        harvest = list(rows)
        self._check_own({row.dynamics for row in harvest})
        archives = [(columns.key(t), columns.pack(a)) for t, a in (trajectories or {}).items()]
        with self.writing() as connection:
            return put(connection, harvest, archives)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all that is written in it, here or deeper, is kept, or nothing of it."""
        if self._connection.in_transaction:
            yield self._connection
            return
        remedy = "fix that and run again; earlier trials are kept"
        sound = one_line(f"rows that can be added to {self.path}", remedy)
        with sound, _transaction(self._connection):
            yield self._connection

    def rows(self, design_hash: str | None = None) -> list[Row]:
        """The rows of all trials, or of those that a design asked for.

        Sorted by dynamics, d, n, p, parameters and seed. Raises `ValueError`, naming the trial,
        where one is not as it was written.
        """
        return list(self.table(design_hash))

    def table(self, design_hash: str | None = None) -> Rows:
        """The same, by column; `ValueError` where a row is not as it was written."""
        sql, values = f"SELECT {_COLUMNS}, digest FROM trials", list[int]()
        if design_hash is not None:
            sql += f" WHERE ({KEY_SQL}) IN (SELECT {KEY_SQL} FROM asked WHERE design = ?)"
            values.append(self._number(design_hash))
        reader = RowReader()
        for records in self.stream(sql, tuple(values)):
            for error in reader.add(records):
                raise error
        found = reader.table()
        self._check_own(found.words("dynamics").words)
        order, repeated = in_order(found)
        if len(repeated):
            raise mistake(f"a sound store at {self.path}", "a trial that is kept twice", RESTORE)
        return found.take(order)  # in SQL, 10.0 of a parameter is before 2.0

    def trajectory(self, trial: Trial) -> dict[str, NDArray[Any]] | None:
        """The named arrays kept for `trial`, or None; `ValueError` where they are damaged."""
        key = columns.key(trial)
        archive = self.archive(key)
        return None if archive is None else columns.unpack(key, archive)

    def trajectories(self) -> Iterator[tuple[Trial, dict[str, NDArray[Any]]]]:
        """Every trial with arrays and these, in the order of `rows`, one in memory at a time."""
        sql = f"SELECT {KEY_SQL}, horizon FROM trajectories JOIN trials USING ({KEY_SQL})"
        for trial in self._trials(sql):
            arrays = self.trajectory(trial)  # between two of them a writer may commit
            if arrays is not None:
                yield trial, arrays

    def archive(self, key: Key) -> bytes | None:
        """The trajectory of a trial as it is kept, or None; `ValueError` where it is damaged."""
        found = self.select(f"SELECT arrays, digest FROM trajectories WHERE {KEY_WHERE}", key)
        for arrays, said in found:
            if not isinstance(arrays, bytes) or columns.digest("trajectories", key, arrays) != said:
                raise columns.damaged(key, "the digest of its trajectory is another")
            return arrays
        return None

    def select(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """What SQLite answers."""
        with self._sound():
            return self._connection.execute(sql, values).fetchall()

    def stream(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[list[Record]]:
        """The same, many records at a time; a writer waits until the last."""
        with self._sound(), closing(self._connection.execute(sql, values)) as cursor:
            while records := cursor.fetchmany(AT_ONCE):
                yield records

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What is read in it is of one moment; a writer waits until it ends."""
        with self._sound():
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("COMMIT")

    def _trials(self, sql: str, values: tuple[Any, ...] = ()) -> Trials:
        """Trials that SQLite gives by keys and horizons, sorted."""
        found = self._unsorted(sql, values)
        return found.take(in_order(found)[0])

    def _unsorted(self, sql: str, values: tuple[Any, ...]) -> Trials:
        reader = TrialReader()
        for records in self.stream(sql, values):
            for error in reader.add(records):
                raise error
        return reader.table()

    def _check_own(self, dynamics: Iterable[str]) -> None:
        """Raise `ValueError` for a dynamics that is none of the protocol's."""
        for name in set(dynamics) - set(self.protocol.dynamics):
            expected = f"trials of {', '.join(self.protocol.dynamics)} at {self.path}"
            raise mistake(expected, f"some of {shortened(name)}", RESTORE)

    def _number(self, design_hash: str) -> int:
        found = self.select("SELECT number FROM designs WHERE hash = ?", (design_hash,))
        if not found:
            raise mistake(f"a design run on {self.path}", design_hash, "run it first")
        return int(found[0][0])

    def _sound(self) -> AbstractContextManager[None]:
        return one_line(f"a sound store at {self.path}", RESTORE)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def _protocol(connection: sqlite3.Connection) -> StoredProtocol:
    (found,) = connection.execute("SELECT hash, json FROM protocol").fetchall()
    return StoredProtocol.of(*found)


def _make(path: Path, protocol: StoredProtocol) -> None:
    """A store without trials, whole from the first moment: no journal ever lies beside half of one.

    Its number tells its journals from those of other stores.
    """
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with connect(new) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        with _transaction(connection):
            create(connection, protocol.hash, protocol.json)
            connection.execute(f"PRAGMA user_version = {secrets.randbits(31)}")
    os.replace(new, path)
