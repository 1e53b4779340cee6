"""Where a study stands, by its store alone."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jaxflow.core.types import Outcome, Outline, Trial
from jaxflow.report.compute import Compute, compute
from jaxflow.report.slices import SliceReport, slices_of
from jaxflow.sampling.design import Board, Design, resumed
from jaxflow.sampling.part import Part
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
    part: Part = Part()  # that the design was last run as
    compute: Compute = Compute()

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

    def as_dict(self) -> dict[str, Any]:
        """As printed by `jaxflow status --json`; the slices at the longest horizon."""
        return {
            "folder": str(self.folder),
            "finished": self.finished,
            "missing": self.missing,
            "running": self.running,
            "part": str(self.part),
            "trials": self.outcomes.total(),
            "outcomes": {str(outcome): self.outcomes[outcome] for outcome in Outcome},
            "compute": self.compute._asdict(),
            "slices": [slice.as_dict() for slice in self.slices],
        }

    def __str__(self) -> str:
        state = "finished" if self.finished else f"{self.missing} more trials asked for so far"
        state = "run it to see" if self.missing is None else state
        state = f"part {self.part}, {state}" if self.part.of > 1 else state
        state += "; a run is at work" if self.running else ""
        outcomes = self.outcomes
        counts = ", ".join(f"{n} {outcome.lower()}" for outcome, n in outcomes.most_common())
        return f"{self.folder}: {state}; {outcomes.total()} trials: {counts}"


def status(folder: str | Path) -> Status:
    """Where the study in a folder stands; `ValueError` where it has no trials."""
    with Store.read(folder) as store:
        rows = store.table()
        found = tuple(slices_of(store, rows))
        last = store.designs[-1]
        design = Design.from_json(last.json)
        outline = Outline.of(store.protocol.table)
        part, asked = Part.of_source(last.source), partial(store.asked, last.hash)
        missing = None if design.unloaded else left(design, outline, rows, asked, part)
        spent = compute(store)
    return Status(Path(folder), missing, is_locked(folder), found, part, spent)


def is_finished(folder: str | Path, fingerprint: str, part: Part = Part()) -> bool:
    """Whether the study file with that fingerprint was run last in a folder, and asks for no more.

    Or that part of it. Asking needs none of the laws and solvers that the study names, and so no
    time to load them.
    """
    if not fingerprint or not (Path(folder) / FILE).exists():
        return False
    with Store.read(folder) as store:
        last = store.designs[-1:]
        if not last or last[0].source != part.source(fingerprint):
            return False
        design, outline = Design.from_json(last[0].json), Outline.of(store.protocol.table)
        asked = partial(store.asked, last[0].hash)
        return left(design, outline, store.table(), asked, part) == 0


def left(
    design: Design,
    outline: Outline,
    rows: Rows,
    asked: Callable[[], Sequence[Trial]],
    part: Part = Part(),
) -> int:
    """How many trials a design, or its part, asks for by now that are not among the sorted rows.

    `asked` gives those it has asked for before; 0 if it is finished. As long as it proposes every
    one of the rows, these alone are made, round after round.
    """
    board, place = Board(design, outline, part), Index(rows)
    while proposed := board.propose():
        places = [place(trial.dynamics, trial.point, trial.seed) for trial in proposed]
        board.tell(rows.take(np.array([k for k in places if k is not None], np.int64)))
    if board.ended < len(rows):
        board, proposed = resumed(design, outline, rows, asked, part)
        return len(board.missing(proposed))
    return sum(len(search.missing) for search in board.searches)
