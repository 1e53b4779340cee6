"""Whose store it is: the study, the schema, and what differs from another study."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten
from typing import Any

from jaxflow.core.errors import mistake
from jaxflow.store.columns import SCHEMA
from jaxflow.store.files import ELSEWHERE


def tables(connection: sqlite3.Connection) -> set[str]:
    """The names of the tables and indices in a file."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def schema_of(path: Path, connection: sqlite3.Connection) -> int:
    """The schema of a store; `ValueError` where it is none, or newer than this version knows."""
    if "study" not in tables(connection):
        raise mistake(f"the store of a study at {path}", "another SQLite database", ELSEWHERE)
    ((schema,),) = connection.execute("SELECT schema FROM study")
    if schema not in range(1, SCHEMA + 1):
        remedy = "use the version of jaxflow that made it, or run the study anew elsewhere"
        raise mistake(f"a store of schema {SCHEMA} or lower at {path}", schema, remedy)
    return int(schema)


def study_of(connection: sqlite3.Connection) -> tuple[str, str]:
    """The hash and the canonical JSON of the study whose store this is."""
    study: tuple[str, str]
    (study,) = connection.execute("SELECT hash, json FROM study")
    return study


def other_study(folder: Path, found_json: str, study_json: str) -> ValueError:
    """The error that names what differs between the study of a store and the one to run."""
    found, study = (dict(_leaves(json.loads(text))) for text in (found_json, study_json))
    names = sorted(name for name in found | study if found.get(name) != study.get(name))[:3]

    def values(leaves: dict[str, str]) -> str:
        return ", ".join(f"{name} = {shorten(leaves.get(name, 'absent'), 60)}" for name in names)

    return mistake(f"the study of {folder}, {values(found)}", values(study), ELSEWHERE)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON document by dotted name; a list is a leaf."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, json.dumps(value)
