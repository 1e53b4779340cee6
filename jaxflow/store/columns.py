"""How a trial is kept: the columns of the tables, and the way there and back.

A trial's key is its dynamics, its point and its seed: one row a trial, whatever the horizon. Every
row and every trajectory has a digest, BLAKE2b of what is kept: JSON tells apart every two numbers,
-0.0 and 0.0 and integers and floats included.
"""

import hashlib
import io
import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from math import inf, nan
from typing import Any, NamedTuple, TypeAlias, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake, shortened
from jaxflow.core.types import NamedNumbers, Outcome, Row, Trial
from jaxflow.store.file import RESTORE

WIDTH = 40  # characters of a value in a message

Key: TypeAlias = tuple[Any, ...]  # of a trial, as SQLite keeps it
Record: TypeAlias = tuple[Any, ...]  # a row, as SQLite keeps it; its first entries are the key


class Column(NamedTuple):
    """How a field is kept: its type in SQLite, the Python types found there, there and back."""

    sql: str
    kinds: frozenset[type]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _write_numbers(values: NamedNumbers) -> str:
    """As canonical JSON; a shorter way to write a number is not another number."""
    table = {name: float(x) for name, x in values}
    return json.dumps(table, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=4096)
def _read_numbers(text: str) -> NamedNumbers:
    """What `_write_numbers` wrote, which is the one way to write it; few are distinct."""
    try:
        values = tuple(sorted((name, float(x)) for name, x in json.loads(text).items()))
        is_canonical = _write_numbers(values) == text
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        is_canonical = False
    if not is_canonical:
        raise ValueError(f"{shortened(repr(text), WIDTH)} are no numbers by name")
    return values


def _write_float(value: float) -> float | None:
    """SQLite keeps NaN as NULL."""
    number = float(value)
    return None if number != number else number


def _read_float(value: float | None) -> float:
    return nan if value is None else value


_INTEGER, _TEXT = frozenset({int}), frozenset({str})
_COLUMN_OF_TYPE: dict[Any, Column] = {
    int: Column("INTEGER", _INTEGER, operator.index, int),
    bool: Column("INTEGER", _INTEGER, int, bool),
    # no declared type: REAL would turn -0.0 into 0.0
    float: Column("", frozenset({float, type(None)}), _write_float, _read_float),
    str: Column("TEXT", _TEXT, str, str),
    Outcome: Column("TEXT", _TEXT, str, lru_cache(Outcome)),
    NamedNumbers: Column("TEXT", _TEXT, _write_numbers, _read_numbers),
}
COLUMNS = {name: _COLUMN_OF_TYPE[kind] for name, kind in get_type_hints(Row).items()}
KEY = ("dynamics", "d", "n", "p", "parameters", "seed")  # the first fields of Row
KEY_SQL = ", ".join(KEY)
KEY_WHERE = " AND ".join(f"{name} = ?" for name in KEY)
COLUMNS_SQL = ", ".join(COLUMNS)


def record(row: Row) -> Record:
    """A row as SQLite keeps it; `ValueError` where it is that of no trial."""
    if min(row.d, row.n, row.p) < 1 or row.seed < 0 or not 0 < row.horizon < inf:
        raise _placeless(row.d, row.n, row.p, row.seed, row.horizon)
    return tuple(column.write(getattr(row, name)) for name, column in COLUMNS.items())


def typed(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """The values of a field, if SQLite keeps all of them as it keeps that; else `ValueError`."""
    kinds = COLUMNS[name].kinds
    if not kinds.issuperset(map(type, values)):
        wrong = next(x for x in values if type(x) not in kinds)
        raise ValueError(f"{name} = {shortened(repr(wrong), WIDTH)} is of another type")
    return values


def check_places(columns: Mapping[str, ArrayLike]) -> None:
    """Raise `ValueError` where sizes, a seed or a horizon, all (m,), are those of no trial."""
    names = ("d", "n", "p", "seed", "horizon")
    d, n, p, seed, horizon = (np.asarray(columns[name]) for name in names)
    sound = (np.minimum(np.minimum(d, n), p) >= 1) & (seed >= 0) & (horizon > 0) & (horizon < inf)
    if not sound.all():
        i = np.argmin(sound)
        raise _placeless(d[i], n[i], p[i], seed[i], horizon[i])


def _placeless(d: int, n: int, p: int, seed: int, horizon: float) -> ValueError:
    place = f"d = {d}, n = {n}, p = {p}, seed {seed}, horizon {horizon:g}"
    return mistake("positive sizes and a finite horizon", place, "correct the trial")


def key(trial: Trial) -> Key:
    """A trial as SQLite keeps it."""
    point = trial.point
    values = (trial.dynamics, point.d, point.n, point.p, point.parameters, trial.seed)
    return tuple(COLUMNS[name].write(x) for name, x in zip(KEY, values, strict=True))


def named(values: Iterable[Any], names: Iterable[str] = KEY) -> str:
    """A trial, or a point, in a line of text."""
    pairs = zip(names, values, strict=False)
    texts = ((name, str(x) if str(x).isprintable() else repr(x)) for name, x in pairs)
    return " ".join(f"{name}={shortened(text, WIDTH)}" for name, text in texts if text != "{}")


def damaged(key: Iterable[Any], fault: str) -> ValueError:
    """The error for a trial that is not as it was written."""
    return mistake("a sound store", f"{named(key)}: {fault}", RESTORE)


_DIGEST_SIZE = 16  # bytes
_encoded = json.JSONEncoder(separators=(",", ":")).encode


def digest(table: str, record: Iterable[Any], blob: Any = b"") -> bytes:
    """What proves that a record of a table, and the bytes that belong to it, are as written.

    Nothing proves it of a damaged record, in which bytes and numbers are in each other's place.
    """
    try:
        said = _encoded([table, *record]).encode() + blob
    except TypeError:
        return b""
    return hashlib.blake2b(said, digest_size=_DIGEST_SIZE).digest()


def digests(table: str, records: Sequence[Record]) -> list[bytes]:
    """The digest of every record, whose texts are made all at once.

    Where one ends and the next begins stands nowhere else: in a text every quote is escaped.
    """
    start = _encoded([table])[:-1] + ","
    try:
        said = _encoded([(table, *record) for record in records])
    except TypeError:
        return [digest(table, record) for record in records]
    texts = said[len(start) + 1 : -2].split(f"],{start}") if records else []
    made = (f"{start}{text}]".encode() for text in texts)
    return [hashlib.blake2b(text, digest_size=_DIGEST_SIZE).digest() for text in made]


def total(digests: Iterable[Any]) -> int:
    """The sum of digests; of a value that is none, a number that belongs to no sum."""
    return sum(int.from_bytes(x, "big") if isinstance(x, bytes) else 1 for x in digests) % MODULUS


MODULUS = 1 << (8 * _DIGEST_SIZE)


def pack(arrays: Mapping[str, ArrayLike]) -> bytes:
    """Named arrays as one compressed archive."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(key: Key, archive: Any) -> dict[str, NDArray[Any]]:
    """What `pack` made, read back; `ValueError` where a damaged archive cannot be."""
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            found = dict(arrays)
    except Exception as error:  # of zipfile, zlib, struct and NumPy, anything
        raise damaged(key, f"a trajectory that cannot be read, {shortened(error)}") from error
    if not all(isinstance(array, np.ndarray) for array in found.values()):
        raise damaged(key, "a trajectory that is not of arrays")
    return found
