"""What every single fault is tried with: a place, the table that is right, runs under way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.processes import Place, Process, coordinator, wait_for, wrong_end
from tests.faults.tables import Table, rows

SECONDS = 120.0  # that a run may take to its end


class Bench:
    """Runs of a study under way, and what has to come of them."""

    def __init__(self, place: Place, table: Table) -> None:
        self.place, self.table = place, table

    def folder(self, name: str) -> Path:
        """A folder for a store, of a name of its own."""
        return self.place.folder / f"{name}-{time.monotonic_ns()}"

    @contextmanager
    def under_way(self, out: Path, *flags: object, **options: object) -> Iterator[Process]:
        """A run that has stored rows."""
        process = coordinator(self.place, self.table.study, out, *flags, **options)
        try:
            wait_for(lambda: rows(out) or process.code is not None, 60, f"rows in {out}")
            assert process.code is None, f"the study was over at {len(rows(out))} rows"
            yield process
        finally:
            process.end()

    def ends(self, process: Process, *codes: int, seconds: float = SECONDS) -> int:
        """How a run ends: with one of these codes, or as it may at any time."""
        code = process.wait(seconds)
        assert not wrong_end(process), wrong_end(process)
        assert code in codes, f"ended with {code}, not {codes}: {process.said[-1000:]}"
        return code

    def same(self, out: Path, *flags: object) -> None:
        """Run to the end: the table is that of an undisturbed run."""
        self.ends(coordinator(self.place, self.table.study, out, *flags), 0)
        self.ended_same(out)

    def ended_same(self, out: Path) -> None:
        """The table of a run that has ended is that of an undisturbed one."""
        differs = self.table.differs(out)
        assert not differs, differs


def line(process: Process) -> str:
    """The last that was said."""
    return process.said.strip().splitlines()[-1]
