"""Where a study stands, by its store alone."""

import fcntl
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jaxflow.core.types import Outcome
from jaxflow.report.slices import SliceReport, slices
from jaxflow.store.files import LOCK
from jaxflow.store.finished import FINISHED


@dataclass(frozen=True)
class Status:
    """The slices of a store, and whether anything is left to run or a run is at work."""

    folder: Path
    finished: bool
    running: bool
    slices: tuple[SliceReport, ...]

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many trials ended how."""
        return Counter(row.outcome for slice in self.slices for row in slice.rows)

    def __str__(self) -> str:
        state = "finished" if self.finished else f"{'a' if self.running else 'no'} run is at work"
        counts = ", ".join(f"{n} {outcome.lower()}" for outcome, n in self.outcomes.most_common())
        return f"{self.folder}: {state}; {self.outcomes.total()} trials: {counts}"


def status(folder: Path) -> Status:
    """Where the study in a folder stands; `ValueError` where it has no trials."""
    finished = (folder / FINISHED).exists()
    return Status(folder, finished, _is_locked(folder), tuple(slices(folder)))


def _is_locked(folder: Path) -> bool:
    """Whether a writer holds the store's lock."""
    try:
        with (folder / LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no lock file, or none to be read: nobody has written here
        return False
    return False
