"""Where a study stands, by its store alone."""

import fcntl
from collections import Counter
from pathlib import Path

from rich.table import Table

from jaxflow.report import look
from jaxflow.report.cells import CellReport, cells
from jaxflow.store import FINISHED, LOCK
from jaxflow.sweep import ThresholdPlan


def summary(folder: Path) -> str:
    """One line: trials by outcome, cells that are narrow enough, whether a run is at work."""
    found = cells(folder)
    outcomes = Counter(row.outcome for cell in found for row in cell.rows)
    counts = ", ".join(f"{n} {outcome.lower()}" for outcome, n in outcomes.most_common())
    if (folder / FINISHED).exists():
        state = "finished"
    else:
        state = "a run is at work" if _is_locked(folder) else "no run is at work"
    return f"{folder}: {state}; {sum(outcomes.values())} trials: {counts}"


def table(folder: Path) -> Table:
    """One row a cell: its trials and how well its threshold is known at the longest horizon."""
    made = look.table("")
    for column in ("cell", "trials", "threshold", "half-width", "asked for"):
        made.add_column(column, justify="left" if column == "cell" else "right", no_wrap=True)
    for cell in cells(folder):
        made.add_row(cell.title, str(len(cell.rows)), *_knowledge(cell))
    return made


def _knowledge(cell: CellReport) -> tuple[str, str, str]:
    posterior = cell.posterior()
    asked = ""
    if isinstance(cell.plan, ThresholdPlan):
        asked = f"{100 * cell.plan.relative_half_width:.1f} %"
    return f"{posterior.median:.4g}", f"{100 * posterior.relative_half_width:.1f} %", asked


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
