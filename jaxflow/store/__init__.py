"""The store of a protocol: its trials in one SQLite file, written by one writer at a time.

`Store` writes and reads it, `check` looks for what is wrong in one, `merge` joins those of several
machines. A store made by an earlier version is brought up to date when it is opened.
"""

from jaxflow.store.file import FILE, LOCK, is_locked
from jaxflow.store.identity import StoredDesign, StoredProtocol, StoredRun
from jaxflow.store.store import Store
from jaxflow.store.tables import SCHEMA
from jaxflow.store.writing import Written

__all__ = [
    "FILE",
    "LOCK",
    "SCHEMA",
    "Store",
    "StoredDesign",
    "StoredProtocol",
    "StoredRun",
    "Written",
    "is_locked",
]
