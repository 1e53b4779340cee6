"""Is a store sound? Its file, its study, every trial and every trajectory; nothing is written."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxflow.store import columns
from jaxflow.store.columns import COLUMNS, KEY, KEY_SQL
from jaxflow.store.files import ELSEWHERE, connect, existing, one_line
from jaxflow.store.identity import schema_of, study_of
from jaxflow.store.legality import faults
from jaxflow.store.store import Store

_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError)
_BROKEN_ARCHIVE = (*_UNREADABLE, OSError, EOFError, zipfile.BadZipFile, zlib.error)


def check(folder: Path) -> list[str]:
    """What is wrong with the store in `folder`, a line each; nothing if it is sound.

    A writer may be at work meanwhile. Raises `ValueError` when there is no store.
    """
    existing(folder)
    findings: list[str] = []
    for look in (_file, _trials, _trajectories):
        try:
            findings += look(folder)
        except ValueError as error:
            findings.append(str(error))
    return list(dict.fromkeys(findings))  # what keeps all three from reading is said once


def gaps(folder: Path) -> list[str]:
    """Where seeds are missing below the last one of a point, as after a kill: no fault."""
    names = [name for name in KEY if name != "seed"]
    by = ", ".join(names)
    with Store.read(folder) as store:
        found = store.select(
            f"SELECT {by}, COUNT(*), MAX(seed) + 1 FROM trials GROUP BY {by} "
            f"HAVING COUNT(*) < MAX(seed) + 1 ORDER BY {by}"
        )
    return [f"{_named(names, point)}: {count} of {seeds} seeds" for *point, count, seeds in found]


def _file(folder: Path) -> list[str]:
    """As it lies on the disk, for a store of an earlier schema is read from a copy."""
    path = existing(folder)
    with one_line(f"a store that can be read in {folder}", ELSEWHERE), connect(path) as connection:
        schema_of(path, connection)
        study_hash, study_json = study_of(connection)
        answers = [str(text) for (text,) in connection.execute("PRAGMA integrity_check")]
    findings = [f"SQLite: {' '.join(text.split())}" for text in answers if text != "ok"]
    if hashlib.sha256(study_json.encode()).hexdigest() != study_hash:
        findings.append("the study's hash is not that of its JSON")
    return findings


def _trials(folder: Path) -> list[str]:
    with Store.read(folder) as store:
        records = store.select(f"SELECT {', '.join(COLUMNS)} FROM trials ORDER BY {KEY_SQL}")
        study = json.loads(store.study_json)
    try:
        return [
            f"{_named(KEY, record)}: {fault}"
            for record in records
            for fault in _faults(study, record)
        ]
    except _UNREADABLE as error:
        return [f"the study's JSON is no study: {error!r}"]


def _faults(study: dict[str, Any], record: tuple[Any, ...]) -> Iterator[str]:
    try:
        (row,) = columns.rows([record])
    except _UNREADABLE as error:
        return iter([f"cannot be read: {error}"])
    return faults(study, row)


def _trajectories(folder: Path) -> list[str]:
    with Store.read(folder) as store:
        every = f"SELECT {KEY_SQL} FROM trajectories"
        orphans = store.select(f"{every} WHERE ({KEY_SQL}) NOT IN (SELECT {KEY_SQL} FROM trials)")
        findings = [f"{_named(KEY, key)}: a trajectory of no trial" for key in orphans]
        for key in store.select(every):
            archive = store.archive(key)
            try:
                columns.unpack(archive or b"")
            except _BROKEN_ARCHIVE as error:
                findings.append(f"{_named(KEY, key)}: a trajectory that cannot be read, {error}")
    return findings


def _named(names: Any, values: Any) -> str:
    """A trial, or a point, in a line of text."""
    return " ".join(f"{name}={x}" for name, x in zip(names, values, strict=False) if x != "{}")
