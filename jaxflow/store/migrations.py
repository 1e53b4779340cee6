"""Stores of earlier schemas brought up to date, one step a schema.

A step says in full what it changes: it must not follow the present columns, which change again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from typing import Any

from jaxflow.store.columns import SCHEMA


def migrate(connection: sqlite3.Connection, schema: int) -> None:
    """Bring a store of that schema up to the present one, in the transaction that is under way."""
    for step in range(schema, SCHEMA):
        STEPS[step](connection)
        connection.execute("UPDATE study SET schema = ?", (step + 1,))


def _from_1(connection: sqlite3.Connection) -> None:
    """Parameters joined the key; horizons became lists, n an axis, and plans name their axis."""
    for table in ("trials", "trajectories"):
        info = connection.execute(f"PRAGMA table_info({table})").fetchall()
        columns = [f"{name} {kind}{' NOT NULL' * said}" for _, name, kind, said, *_ in info]
        columns.insert(4, "parameters TEXT NOT NULL")
        key = "dynamics, d, n, p, parameters, seed, horizon"
        body = ", ".join([*columns, f"PRIMARY KEY ({key})"])
        names = ", ".join(name for _, name, *_ in info)
        connection.execute(f"ALTER TABLE {table} RENAME TO earlier")
        connection.execute(f"CREATE TABLE {table} ({body})")
        connection.execute(
            f"INSERT INTO {table} ({names}, parameters) SELECT {names}, '{{}}' FROM earlier"
        )
        connection.execute("DROP TABLE earlier")
    _change_study(connection, _study_from_1)


def _study_from_1(study: dict[str, Any]) -> None:
    horizon, axes = study["horizon"], study["axes"]
    time = [horizon["time"]] if "time" in horizon else []
    study["horizon"] = {"factor": [] if time else [horizon["factor"]], "time": time}
    study["axes"] = {"d": axes["d"], "n": [], "p": axes["p"], "parameters": {}}
    for plan in ("threshold", "grid"):
        if plan in study:
            study[plan] |= {"along": "n", "rising": False}


def _change_study(connection: sqlite3.Connection, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the study's table in place, and its canonical JSON and hash with it."""
    ((text,),) = connection.execute("SELECT json FROM study")
    study = json.loads(text)
    change(study)
    text = json.dumps(study, sort_keys=True, separators=(",", ":"))
    hashed = hashlib.sha256(text.encode()).hexdigest()
    connection.execute("UPDATE study SET hash = ?, json = ?", (hashed, text))


STEPS = {1: _from_1}
