"""The store of a study: one SQLite file, one writer, one transaction per harvest.

Three tables: `study`, one row that says whose trials these are; `trials`, a `Row` each; and
`trajectories`, a compressed archive of arrays each. The key of the last two is the trial, and a
trial that is already there is left alone: with the study, it is the whole identity of a result.

The journal is SQLite's rollback journal with `synchronous=FULL`, not a write-ahead log: between
commits the one file is the whole store, to be copied, read from a read-only disk or kept on a
network disk, where a log's shared memory fails. After a kill, at any instant, whoever opens it
next undoes the harvest that was not committed. A log is faster only at many small commits.

The one writer holds a lock on `trials.lock` beside the file; the kernel drops it when the process
ends, however it ends. Readers take no part in it and may read meanwhile.
"""

import fcntl
import hashlib
import io
import json
import operator
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple, Self, final, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow._errors import mistake
from jaxflow._types import Outcome, Point, Row, Trial
from jaxflow._versions import package_version

FILE = "trials.sqlite"
LOCK = "trials.lock"
FINISHED = "finished"  # says which study file needs no further trials; safe to delete
SCHEMA = 1  # raise it when the fields of Row change
_ELSEWHERE = "choose another folder (--out)"
_WAIT = 60.0  # seconds a commit waits for readers, and a reader for a commit


class _Column(NamedTuple):
    """How a field is kept: its type in SQLite, and the way there and back."""

    sql: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _read_float(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return float("nan") if value is None else value


_COLUMN_OF_TYPE: dict[type, _Column] = {
    int: _Column("INTEGER", operator.index, int),
    bool: _Column("INTEGER", bool, bool),
    float: _Column("", float, _read_float),  # no declared type: REAL would turn -0.0 into 0.0
    str: _Column("TEXT", str, str),
    Outcome: _Column("TEXT", str, Outcome),
}
_COLUMNS = {name: _COLUMN_OF_TYPE[kind] for name, kind in get_type_hints(Row).items()}
_KEY = ("dynamics", "d", "n", "p", "seed", "horizon")
_KEY_SQL = ", ".join(_KEY)


@final
class Store:
    """The trials of one study; made by `Store.open` to write or `Store.read` to read.

    A context manager; closing it drops the writer's lock.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, resources: ExitStack) -> None:
        """Use `open` or `read`; `resources` is closed with the store."""
        self.path = path
        self.study_hash, self.study_json = _study(path, connection)
        self._connection = connection
        self._resources = resources

    @classmethod
    def open(cls, folder: Path, study_hash: str, study_json: str) -> Self:
        """The one writer of the study's store, which is made when missing.

        Raises `ValueError` when the folder cannot be written, holds another study's store (the keys
        that differ are named) or something else of that name, or has a writer already.
        """
        path = folder / FILE
        with ExitStack() as stack, _plain(f"a store that can be written in {folder}", _ELSEWHERE):
            stack.enter_context(_writer_lock(folder))
            connection = stack.enter_context(_connect(path))
            connection.execute("PRAGMA synchronous = FULL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if not _tables(connection):
                    _create(connection, study_hash, study_json)
            found_hash, found_json = _study(path, connection)
            if found_hash != study_hash:
                raise _other_study(folder, found_json, study_json)
            return cls(path, connection, stack.pop_all())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The store in `folder`, to read only; a writer may be at work meanwhile.

        Raises `ValueError` when there is no store, or something else of that name.
        """
        path = folder / FILE
        if not path.exists():
            raise mistake("a folder with a store", str(folder), "make one with `jaxflow run`")
        with ExitStack() as stack, _plain(f"a store that can be read in {folder}", _ELSEWHERE):
            connection = stack.enter_context(_connect(path))
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
        records = [[c.write(getattr(row, name)) for name, c in _COLUMNS.items()] for row in rows]
        archives = [(*_key(trial), _pack(arrays)) for trial, arrays in (trajectories or {}).items()]
        remedy = "mend that and run again; earlier trials are kept"
        with _plain(f"rows that can be added to {self.path}", remedy), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_insert_sql("trials", _COLUMNS), records)
            self._connection.executemany(_insert_sql("trajectories", (*_KEY, "arrays")), archives)

    def rows(self) -> list[Row]:
        """Every trial's row, sorted by dynamics, d, n, p, seed and horizon."""
        found = self._select(f"SELECT {', '.join(_COLUMNS)} FROM trials ORDER BY {_KEY_SQL}")
        reads = [column.read for column in _COLUMNS.values()]
        return [Row(*(read(x) for read, x in zip(reads, record, strict=True))) for record in found]

    def done(self) -> set[Trial]:
        """The trials that need not be run again."""
        found = self._select(f"SELECT {_KEY_SQL} FROM trials")
        return {Trial(name, Point(d, n, p), seed, T) for name, d, n, p, seed, T in found}

    def trajectory(self, trial: Trial) -> dict[str, NDArray[Any]] | None:
        """The named arrays kept for `trial`, or None."""
        where = " AND ".join(f"{name} = ?" for name in _KEY)
        found = self._select(f"SELECT arrays FROM trajectories WHERE {where}", _key(trial))
        return _unpack(found[0][0]) if found else None

    def _select(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with _plain(f"a sound store at {self.path}", "restore it from a copy"):
            return self._connection.execute(sql, values).fetchall()


def mark_finished(folder: Path, source: str, trials: int) -> None:
    """Note that the study with this source text asks for nothing beyond the trials there are."""
    with _plain(f"a note that can be written in {folder}", _ELSEWHERE):
        (folder / FINISHED).write_text(_finished(source, trials))


def is_finished(folder: Path, source: str) -> bool:
    """Whether that was noted for this text by this version, and the store still has the trials.

    Asking needs none of the laws and solvers that the study names, and so no time to load them.
    """
    note = folder / FINISHED
    if not (note.exists() and (folder / FILE).exists()):
        return False
    with Store.read(folder) as store:
        return note.read_text() == _finished(source, len(store.done()))


def _finished(source: str, trials: int) -> str:
    said = json.dumps([source, trials, package_version("jaxflow")])
    return hashlib.sha256(said.encode()).hexdigest() + "\n"


def _key(trial: Trial) -> tuple[Any, ...]:
    point = trial.point
    values = (trial.dynamics, point.d, point.n, point.p, trial.seed, trial.horizon)
    return tuple(_COLUMNS[name].write(x) for name, x in zip(_KEY, values, strict=True))


def _pack(arrays: Mapping[str, ArrayLike]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpack(archive: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        return dict(arrays)


def _insert_sql(table: str, columns: Collection[str]) -> str:
    """Known keys are left alone; unlike OR IGNORE, a broken constraint is still an error."""
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT ({_KEY_SQL}) DO NOTHING"


def _create(connection: sqlite3.Connection, study_hash: str, study_json: str) -> None:
    key = [f"{name} {_COLUMNS[name].sql} NOT NULL" for name in _KEY]
    rest = [f"{name} {column.sql}" for name, column in _COLUMNS.items() if name not in _KEY]
    for table, columns in (("trials", rest), ("trajectories", ["arrays BLOB NOT NULL"])):
        body = ", ".join([*key, *columns, f"PRIMARY KEY ({_KEY_SQL})"])
        connection.execute(f"CREATE TABLE {table} ({body})")
    connection.execute("CREATE TABLE study (hash TEXT, json TEXT, schema INTEGER, created TEXT)")
    created = datetime.now(UTC).isoformat(timespec="seconds")
    study = (study_hash, study_json, SCHEMA, created)
    connection.execute("INSERT INTO study VALUES (?, ?, ?, ?)", study)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def _study(path: Path, connection: sqlite3.Connection) -> tuple[str, str]:
    """The hash and the canonical JSON of the study whose store this is."""
    if "study" not in _tables(connection):
        raise mistake(f"the store of a study at {path}", "another SQLite database", _ELSEWHERE)
    study: tuple[str, str, int]
    (study,) = connection.execute("SELECT hash, json, schema FROM study")
    if study[2] != SCHEMA:
        remedy = "use the version of jaxflow that made it, or run the study anew elsewhere"
        raise mistake(f"a store of schema {SCHEMA} at {path}", study[2], remedy)
    return study[:2]


def _other_study(folder: Path, found_json: str, study_json: str) -> ValueError:
    """The error that names what differs between the study of a store and the one to run."""
    found, study = (dict(_leaves(json.loads(text))) for text in (found_json, study_json))
    names = sorted(name for name in found | study if found.get(name) != study.get(name))[:3]

    def values(leaves: dict[str, str]) -> str:
        return ", ".join(f"{name} = {shorten(leaves.get(name, 'absent'), 60)}" for name in names)

    return mistake(f"the study of {folder}, {values(found)}", values(study), _ELSEWHERE)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON document by dotted name; a list is a leaf."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, json.dumps(value)


@contextmanager
def _connect(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit mode: transactions are begun by hand."""
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as connection:
        yield connection


@contextmanager
def _writer_lock(folder: Path) -> Iterator[None]:
    """Make the folder and hold its lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait for the first to end, or choose another --out"
            raise mistake(f"one writer at a time in {folder}", "a second", remedy) from None
        yield


@contextmanager
def _plain(expected: str, remedy: str) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a one-line `ValueError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise mistake(expected, str(error), remedy) from error
    except OSError as error:
        raise mistake(expected, error.strerror, remedy) from error
