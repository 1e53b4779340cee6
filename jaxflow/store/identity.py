"""Whose store it is: the protocol, the designs run on it, and what differs from another protocol.

Of their JSON the store asks only what it needs; everything else is read where the studies are.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from math import inf
from pathlib import Path
from textwrap import shorten
from typing import Any

from jaxflow.core.errors import mistake, shortened
from jaxflow.core.values import is_deeper
from jaxflow.store.file import ELSEWHERE, RESTORE

PRECISIONS = ("float32", "float64")
DEEPEST = 50  # tables within tables


@dataclass(frozen=True)
class StoredProtocol:
    """What decides the number in every row: problem, dynamics, event, seed, precision."""

    hash: str  # SHA-256 of the JSON
    json: str
    table: Mapping[str, Any]
    dynamics: tuple[str, ...]  # their names
    precision: str

    @classmethod
    def of(cls, hashed: Any, text: Any) -> "StoredProtocol":
        """The protocol with that hash and JSON; `ValueError` where they are none."""
        table = hashed_table("protocol", hashed, text)
        dynamics, precision = table.get("dynamics"), table.get("precision")
        if not isinstance(dynamics, dict) or not dynamics or not _are_tables(dynamics):
            raise mistake("a protocol with dynamics", dynamics, RESTORE)
        if precision not in PRECISIONS:
            raise mistake(f"a precision in {PRECISIONS}", precision, RESTORE)
        return cls(hashed, text, table, tuple(dynamics), precision)


@dataclass(frozen=True)
class StoredDesign:
    """What was to be run on a store, and when (ISO 8601, UTC)."""

    hash: str  # SHA-256 of the JSON
    json: str
    source: str  # what tells the study file that it came from; nothing if that is not known
    created: str
    last_run: str

    def __post_init__(self) -> None:
        hashed_table("design", self.hash, self.json)
        for text in (self.source, self.created, self.last_run):
            if not isinstance(text, str):
                raise mistake("a text of a design", text, RESTORE)

    @property
    def table(self) -> dict[str, Any]:
        """Its JSON as a table."""
        return hashed_table("design", self.hash, self.json)


@dataclass(frozen=True)
class StoredRun:
    """One run of a design on a store, and what it took by the last trials that it added.

    `seconds` are of the clock; `worker_seconds` those in which programs were compiled or ran,
    summed over workers: threads, devices, or the processes of a cluster.
    """

    key: str  # drawn at random
    design: str  # its hash
    began: str  # ISO 8601, UTC
    seconds: float = 0.0
    worker_seconds: float = 0.0
    workers: int = 1  # at most at a time
    trials: int = 0  # that it added

    def __post_init__(self) -> None:
        texts, times = (self.key, self.design, self.began), (self.seconds, self.worker_seconds)
        is_sound = (
            all(isinstance(text, str) for text in texts)
            and all(isinstance(x, float) and 0 <= x < inf for x in times)
            and all(isinstance(count, int) and count >= 0 for count in (self.workers, self.trials))
        )
        if not is_sound:
            raise mistake("a run of a design", shortened(astuple(self)), RESTORE)


def _are_tables(values: dict[str, Any]) -> bool:
    return all(isinstance(value, dict) for value in values.values())


def hashed_table(what: str, hashed: Any, text: Any) -> dict[str, Any]:
    """The table that a JSON text stands for, if its SHA-256 is `hashed`; else `ValueError`."""
    if not isinstance(text, str) or not isinstance(hashed, str):
        raise mistake(f"the JSON of a {what}", text, RESTORE)
    if hashlib.sha256(text.encode()).hexdigest() != hashed:
        raise mistake(f"the hash of the {what}'s JSON", shortened(hashed), RESTORE)
    return table_of(what, text)


def table_of(what: str, text: str) -> dict[str, Any]:
    """The table that a JSON text stands for; `ValueError` where it is none."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise mistake(f"the JSON of a {what}", shortened(error), RESTORE) from error
    if not isinstance(table, dict):
        raise mistake(f"the JSON of a {what}", shortened(text), RESTORE)
    if is_deeper(table, DEEPEST):
        raise mistake(f"the JSON of a {what}, at most {DEEPEST} deep", shortened(text), RESTORE)
    return table


def differing(protocols: Sequence[StoredProtocol]) -> dict[str, tuple[str, ...]]:
    """What protocols do not share: by dotted name the value of each, as JSON or "absent"."""
    leaves = [dict(_leaves(protocol.table)) for protocol in protocols]
    named = {
        name: tuple(of_one.get(name, "absent") for of_one in leaves)
        for name in sorted(set().union(*leaves))
    }
    return {name: values for name, values in named.items() if len(set(values)) > 1}


def other_protocol(folder: Path, found: StoredProtocol, asked: StoredProtocol) -> ValueError:
    """The error that names what differs between the protocol of a store and the one to run."""
    named = list(differing([found, asked]).items())[:3]
    theirs, ours = (
        ", ".join(f"{name} = {shorten(values[k], 60)}" for name, values in named) for k in range(2)
    )
    return mistake(f"the protocol of {folder} ({theirs})", ours, ELSEWHERE)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON document by dotted name; a list is a leaf."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, json.dumps(value)
