"""Stores of one study from several machines, joined into one.

A trial's numbers are a function of the trial and of the compiled program, so two machines may
disagree about a trial near its horizon. The result that is there first is kept, and with it only
its own trajectory.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from jaxflow.core.errors import mistake
from jaxflow.store.columns import COLUMNS, KEY, KEY_SQL
from jaxflow.store.identity import other_study
from jaxflow.store.store import Store


@dataclass(frozen=True)
class MergeReport:
    """What became of the trials of the sources."""

    added: int
    already_there: int  # in the target, or in a source before
    differing: int  # of these, those whose outcome is another


def merge(target: Path, sources: Iterable[Path]) -> MergeReport:
    """Add the trials and trajectories of the stores in `sources` to the one in `target`.

    The target is made when missing. Each source is added whole or not at all, and nothing of the
    target is changed. Raises `ValueError` where a store is of another study, before anything is
    written, and where one cannot be read or written.
    """
    folders = list(sources)
    if not folders:
        raise mistake("stores to merge", "none", "name their folders")
    with ExitStack() as stack:
        stores = [stack.enter_context(Store.read(folder)) for folder in folders]
        first = stores[0]
        for store in stores:
            if store.study_hash != first.study_hash:
                raise other_study(folders[0], first.study_json, store.study_json)
        into = stack.enter_context(Store.open(target, first.study_hash, first.study_json))
        reports = [_add(into, store) for store in stores]
    counts = ((report.added, report.already_there, report.differing) for report in reports)
    return MergeReport(*map(sum, zip(*counts, strict=True)))


def _add(into: Store, store: Store) -> MergeReport:
    """Add one source in one transaction."""
    size, outcome = len(KEY), list(COLUMNS).index("outcome")
    found = into.select(f"SELECT {KEY_SQL}, outcome FROM trials")
    known = {record[:size]: record[size] for record in found}
    records = store.select(f"SELECT {', '.join(COLUMNS)} FROM trials")
    new = [record for record in records if record[:size] not in known]
    there = [record for record in records if record[:size] in known]
    keys = {record[:size] for record in new}
    kept = [key for key in store.select(f"SELECT {KEY_SQL} FROM trajectories") if key in keys]
    into.add(new, ((*key, store.archive(key)) for key in kept))
    differing = sum(known[record[:size]] != record[outcome] for record in there)
    return MergeReport(len(new), len(there), differing)
