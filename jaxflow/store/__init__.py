"""The store of a study: its trials in one SQLite file, written by one writer at a time.

`Store` writes and reads it, `check` looks for what is wrong in one, `merge` joins those of several
machines. A store made by an earlier version is brought up to date when it is opened.
"""

from jaxflow.store.checking import check, gaps
from jaxflow.store.columns import SCHEMA
from jaxflow.store.files import FILE, LOCK
from jaxflow.store.finished import FINISHED, is_finished, mark_finished
from jaxflow.store.merging import MergeReport, merge
from jaxflow.store.store import Store

__all__ = [
    "FILE",
    "FINISHED",
    "LOCK",
    "SCHEMA",
    "MergeReport",
    "Store",
    "check",
    "gaps",
    "is_finished",
    "mark_finished",
    "merge",
]
