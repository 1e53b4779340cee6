"""The note beside a store that its study asks for no further trials; safe to delete."""

import hashlib
import json
from pathlib import Path

from jaxflow.core.machine import package_version
from jaxflow.store.files import ELSEWHERE, FILE, one_line
from jaxflow.store.store import Store

FINISHED = "finished"  # says which study file needs no further trials


def mark_finished(folder: Path, source: str, trials: int) -> None:
    """Note that the study with this source text asks for nothing beyond the trials there are."""
    with one_line(f"a note that can be written in {folder}", ELSEWHERE):
        (folder / FINISHED).write_text(_finished(source, trials))


def is_finished(folder: Path, source: str) -> bool:
    """Whether that was noted for this text by this version, and the store still has the trials.

    Asking needs none of the laws and solvers that the study names, and so no time to load them.
    """
    note = folder / FINISHED
    if not (note.exists() and (folder / FILE).exists()):
        return False
    with Store.read(folder) as store:
        ((trials,),) = store.select("SELECT COUNT(*) FROM trials")
    return note.read_text() == _finished(source, trials)


def _finished(source: str, trials: int) -> str:
    said = json.dumps([source, trials, package_version("jaxflow")])
    return hashlib.sha256(said.encode()).hexdigest() + "\n"
