"""The files of a store, the writer's lock, and errors in one line.

The one writer holds a lock on `trials.lock` beside the file; the kernel drops it when the process
ends, however it ends. Readers take no part in it.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from errno import EACCES
from pathlib import Path

from jaxflow.core.errors import mistake

FILE = "trials.sqlite"
LOCK = "trials.lock"
ELSEWHERE = "choose another folder (--out)"
_WAIT = 60.0  # seconds a commit waits for readers, and a reader for a commit


def existing(folder: Path) -> Path:
    """The file of the store in `folder`; `ValueError` where there is none."""
    path = folder / FILE
    with one_line(f"a store that can be read in {folder}", ELSEWHERE):
        if not path.exists():
            raise mistake("a folder with a store", str(folder), "make one with `jaxflow run`")
    return path


@contextmanager
def connect(path: Path | str) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit mode: transactions are begun by hand."""
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as connection:
        yield connection


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Make the folder and hold its lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait for the first to end, or choose another --out"
            raise mistake(f"one writer at a time in {folder}", "a second", remedy) from None
        yield


def check_writable(path: Path) -> None:
    """Raise `OSError` for a read-only file, of which SQLite complains at the first trial only."""
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(EACCES, "a read-only file")


@contextmanager
def one_line(expected: str, remedy: str) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a one-line `ValueError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise mistake(expected, _said(error), remedy) from error
    except OSError as error:
        raise mistake(expected, error.strerror, remedy) from error


def _said(error: sqlite3.Error) -> str:
    """What SQLite said. A write that the system refuses is mostly one too many for the disk."""
    is_write = getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_WRITE"
    return f"{error} (is it full?)" if is_write else str(error)
