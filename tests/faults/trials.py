"""Trials that end their process, that raise, that need more memory than there is."""

from pathlib import Path

from jaxflow.core.types import Outcome
from tests.faults.bench import Bench
from tests.faults.processes import coordinator
from tests.faults.site import site
from tests.faults.tables import BRIEF, Table, rows

POISON = """
name = "poison"
event = {{ kind = "below", observable = "loss", value = 0.01 }}
horizon.time = 20.0
[problem]
kind = "poison:Poison"
share = {share}
does = "{does}"
[axes]
d = [3]
p = [1]
[dynamics.flow]
kind = "flow"
[grid]
values = [1]
repetitions = 40
"""
NARROW = 2  # lanes for which the memory of `short_of_memory` is enough
LANES = ("--transform", "vmap", "--chunk", "16", "--width")


def ends_its_process(bench: Bench) -> None:
    """a trial that ends its process has failed, and all others end"""
    _poisoned(bench, "end", "killed")


def raises(bench: Bench) -> None:
    """a trial that raises has failed, and all others end"""
    _poisoned(bench, "raise", "raised")


def _poisoned(bench: Bench, does: str, reason: str) -> None:
    sound = bench.place.folder / f"sound-{does}.toml"
    sound.write_text(POISON.format(share=0.0, does=does))
    study = bench.place.folder / f"poison-{does}.toml"
    study.write_text(POISON.format(share=0.05, does=does))
    tables = []
    for path in (sound, study):
        tables.append(_table(bench, path))
    failed = [row for row in tables[1] if row.outcome is Outcome.FAILED]
    assert 0 < len(failed) < 6 and {row.reason for row in failed} == {reason}, failed
    assert len(tables[0]) == len(tables[1]) == 40
    for row, other in zip(tables[1], tables[0], strict=True):
        assert row in failed or str(row) == str(other), f"{row} instead of {other}"


def _table(bench: Bench, study: Path) -> list:
    out = bench.folder(study.stem)
    bench.ends(coordinator(bench.place, study, out, "--workers", "2"), 0)
    return rows(out)


def short_of_memory(bench: Bench) -> None:
    """workers without memory for a batch run half as many trials at a time"""
    narrow = Table(bench.place, BRIEF, *LANES, NARROW)
    out = bench.folder("memory")
    with site(bench.place, preload="tests.faults.scarcity") as made:
        flags = ("--cluster", made.file, *LANES, "8")
        bench.ends(coordinator(bench.place, narrow.study, out, *flags), 0)
    differs = narrow.differs(out)
    assert not differs, differs


ALL = (ends_its_process, raises, short_of_memory)
