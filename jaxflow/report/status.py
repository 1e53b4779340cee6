"""Where a study stands, by its store alone."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxflow.core.types import Outcome, Outline
from jaxflow.report.slices import SliceReport, slices_of
from jaxflow.sampling.design import Board, Design
from jaxflow.store.file import FILE, is_locked
from jaxflow.store.order import Index
from jaxflow.store.store import Store
from jaxflow.store.table import Rows


@dataclass(frozen=True)
class Status:
    """The slices of a store, what the design last run asks for still, whether a run is at work."""

    folder: Path
    missing: int | None  # trials asked for by now and not ended; None where a user's rule says
    running: bool
    slices: tuple[SliceReport, ...]

    @property
    def finished(self) -> bool:
        """Whether the design asks for nothing beyond the trials there are."""
        return self.missing == 0

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many trials ended how, each once: by the last of several events."""
        counts: Counter[Outcome] = Counter()
        for slice in {(slice.dynamics, slice.base): slice for slice in self.slices}.values():
            counts += slice.columns.outcomes
        return counts

    def __str__(self) -> str:
        asked = "run it to see" if self.missing is None else f"{self.missing} trials are asked for"
        state = "finished" if self.finished else asked
        state += "; a run is at work" if self.running else ""
        outcomes = self.outcomes
        counts = ", ".join(f"{n} {outcome.lower()}" for outcome, n in outcomes.most_common())
        return f"{self.folder}: {state}; {outcomes.total()} trials: {counts}"


def status(folder: str | Path) -> Status:
    """Where the study in a folder stands; `ValueError` where it has no trials."""
    with Store.read(folder) as store:
        rows = store.table()
        found = tuple(slices_of(store, rows))
        design = Design.from_json(store.designs[-1].json)
        outline = Outline.of(store.protocol.table)
        missing = None if design.unloaded else left(design, outline, rows)
    return Status(Path(folder), missing, is_locked(folder), found)


def is_finished(folder: str | Path, fingerprint: str) -> bool:
    """Whether the study file with that fingerprint was run last in a folder, and asks for no more.

    Asking needs none of the laws and solvers that the study names, and so no time to load them.
    """
    if not fingerprint or not (Path(folder) / FILE).exists():
        return False
    with Store.read(folder) as store:
        last = store.designs[-1:]
        if not last or last[0].source != fingerprint:
            return False
        design = Design.from_json(last[0].json)
        return left(design, Outline.of(store.protocol.table), store.table()) == 0


def left(design: Design, outline: Outline, rows: Rows) -> int:
    """How many trials a design asks for by now that are not among the rows; 0 if it is finished.

    The rows are sorted, and only those that it asks for are made, round after round.
    """
    board, place = Board(design.searches(outline)), Index(rows)
    while asked := board.propose():
        places = [place(trial.dynamics, trial.point, trial.seed) for trial in asked]
        board.tell(rows.take(np.array([k for k in places if k is not None], np.int64)))
    return sum(len(search.missing) for search in board.searches)
