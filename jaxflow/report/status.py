"""Where a study stands, by its store alone."""

import fcntl
from collections import Counter
from pathlib import Path

from rich.table import Table

from jaxflow.report import look
from jaxflow.report.slices import SliceReport, slices
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.store.files import LOCK
from jaxflow.store.finished import FINISHED


def summary(folder: Path) -> str:
    """One line: trials by outcome, slices that are narrow enough, whether a run is at work."""
    found = slices(folder)
    outcomes = Counter(row.outcome for slice in found for row in slice.rows)
    counts = ", ".join(f"{n} {outcome.lower()}" for outcome, n in outcomes.most_common())
    if (folder / FINISHED).exists():
        state = "finished"
    else:
        state = "a run is at work" if _is_locked(folder) else "no run is at work"
    return f"{folder}: {state}; {sum(outcomes.values())} trials: {counts}"


def table(folder: Path) -> Table:
    """One row a slice: its trials and how well its threshold is known at the longest horizon."""
    made = look.table("")
    for column in ("slice", "trials", "threshold", "half-width", "asked for"):
        made.add_column(column, justify="left" if column == "slice" else "right", no_wrap=True)
    for slice in slices(folder):
        made.add_row(slice.title, str(len(slice.rows)), *_knowledge(slice))
    return made


def _knowledge(slice: SliceReport) -> tuple[str, str, str]:
    posterior = slice.posterior()
    asked = ""
    if isinstance(slice.plan, ThresholdPlan):
        asked = f"{100 * slice.plan.relative_half_width:.1f} %"
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
