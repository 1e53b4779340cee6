"""The trials that were observed on their way."""

from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from jaxflow.core.errors import mistake
from jaxflow.core.types import Row, Trial
from jaxflow.store.store import Store


class Recorded(NamedTuple):
    """A trial's row, and its observables by name, arrays (k,) with "time" first."""

    row: Row
    found: dict[str, NDArray[Any]]


def recorded(folder: str | Path) -> list[Recorded]:
    """The recorded trials of the study in a folder; `ValueError` where there are none."""
    with Store.read(folder) as store:
        rows = {row.trial: row for row in store.rows()}
        found = [Recorded(rows[trial], arrays) for trial, arrays in store.trajectories()]
    if not found:
        raise mistake("a store with trajectories", str(folder), "give the study a table [record]")
    return found


def last_values(folder: str | Path, observable: str) -> dict[Trial, float]:
    """Where an observable of every recorded trial ended; `ValueError` if it was not recorded."""
    trials = recorded(folder)
    known = list(trials[0].found)
    if observable not in known:
        raise mistake(f"{observable} in {known}", "none", "name it in the study's table [record]")
    return {trial.row.trial: float(trial.found[observable][-1]) for trial in trials}
