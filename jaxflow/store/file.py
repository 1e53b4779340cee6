"""The files of a store, the writer's lock, and errors in one line.

The one writer holds a lock on `trials.lock` beside the file, in which it says who it is; the kernel
drops it when the process ends, however it ends. Readers take no part in it. Whatever lies where a
store's file, its journal or its lock belongs is opened only if it is a regular file: a pipe would
wait for ever.
"""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from errno import EACCES
from pathlib import Path
from typing import BinaryIO

from jaxflow.core.errors import mistake, shortened

FILE = "trials.sqlite"
LOCK = "trials.lock"
ELSEWHERE = "choose another folder (--out)"
RESTORE = "see `jaxflow check`, and restore it from a copy"
_WAIT = 60.0  # seconds a commit waits for readers, and a reader for a commit
_BESIDE = ("-journal", "-wal", "-shm")  # what SQLite opens with a file
_JOURNAL = bytes.fromhex("d9d505f920a163d7")  # sqlite.org/fileformat2.html#the_rollback_journal
_HEADER = 28  # bytes of it
_MARKS = slice(56, 72)  # of a database's header: encoding, user_version, vacuum, application_id


def existing(folder: str | Path) -> Path:
    """The file of the store in `folder`, fit to be opened; `ValueError` where there is none."""
    path = Path(folder) / FILE
    with one_line(f"a store that can be read in {folder}", ELSEWHERE):
        if not is_there(path):
            raise mistake("a folder with a store", str(folder), "make one with `jaxflow run`")
        for end in _BESIDE:
            is_there(Path(f"{path}{end}"))
        _check_header(path)
        _check_journal(path, Path(f"{path}{_BESIDE[0]}"))
    return path


def is_there(path: Path) -> bool:
    """Whether the file is there; `ValueError` where something else is in its place."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise _irregular(path) from None
        return False
    if not stat.S_ISREG(mode):
        raise _irregular(path)
    return True


@contextmanager
def connect(path: Path | str) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit mode: transactions are begun by hand."""
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = FULL")
        yield connection


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Make the folder and hold its lock."""
    folder.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(folder / LOCK, flags, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            raise _irregular(folder / LOCK)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            first = shortened(os.read(lock, 200).decode(errors="replace")) or "the first"
            remedy = f"wait for {first} to end, or choose another --out"
            raise mistake(f"one writer at a time in {folder}", "a second", remedy) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {os.uname().nodename}\n".encode())
        yield
    finally:
        os.close(lock)


def is_locked(folder: str | Path) -> bool:
    """Whether a writer is at work in `folder`; nothing is made there."""
    try:
        lock = os.open(Path(folder) / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no file that can be locked
        return False
    finally:
        os.close(lock)
    return False


def check_writable(path: Path) -> None:
    """Raise `OSError` for a read-only file, of which SQLite complains at the first trial only."""
    if not os.access(path, os.W_OK):
        raise PermissionError(EACCES, "a read-only file")


@contextmanager
def one_line(expected: str, remedy: str) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a one-line `ValueError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise mistake(expected, shortened(_said(error)), remedy) from error
    except OSError as error:
        raise mistake(expected, error.strerror or str(error), remedy) from error
    except (OverflowError, UnicodeError) as error:
        raise mistake(expected, shortened(error), remedy) from error


def _said(error: sqlite3.Error) -> str:
    """What SQLite said. A write that the system refuses is mostly one too many for the disk."""
    is_write = getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_WRITE"
    return f"{error} (is it full?)" if is_write else str(error)


def _irregular(path: Path) -> ValueError:
    return mistake(f"a regular file at {path}", "something else", "move that away")


def _check_header(path: Path) -> None:
    """A store has a rollback journal; a file marked otherwise would be given a write-ahead log."""
    with path.open("rb") as file:
        header = file.read(20)
    if header.startswith(b"SQLite format 3\0") and header[18:20] != b"\1\1":
        raise mistake(f"a store with a rollback journal at {path}", "a write-ahead log", RESTORE)


def _check_journal(path: Path, journal: Path) -> None:
    """SQLite would roll back a journal left by another database, and overwrite the store with it.

    A store is never created beside a journal, and each has a number of its own in its first page.
    A journal that ends as it begins names another, of several databases, which SQLite would delete.
    """
    try:
        with path.open("rb") as file, journal.open("rb") as log:
            marks, header = file.read(100)[_MARKS], log.read(_HEADER)
            is_short = len(header) < _HEADER
            log.seek(0 if is_short else -len(_JOURNAL), os.SEEK_END)
            names_another = log.read() == _JOURNAL
            if not names_another and (is_short or not header.startswith(_JOURNAL)):
                return
            pages, sector, size = (int.from_bytes(header[i : i + 4], "big") for i in (16, 20, 24))
            first = _first_page(log, sector, size)
    except FileNotFoundError:  # a writer that has ended has taken it away
        return
    if names_another or pages == 0 or (first and first[_MARKS] != marks):
        raise mistake(f"the journal of {path} beside it", "another's", f"move {journal.name} away")


def _first_page(log: BinaryIO, place: int, size: int) -> bytes:
    """The database's first page as a journal keeps it; nothing if it does not."""
    while size and place < os.fstat(log.fileno()).st_size:
        log.seek(place)
        if int.from_bytes(log.read(4), "big") == 1:
            page = log.read(size)
            return page if len(page) == size else b""
        place += size + 8
    return b""
