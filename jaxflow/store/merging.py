"""Stores of one protocol from several machines, joined into one.

A trial's numbers are a function of the trial and of the compiled program, so two machines may
disagree in the last bits, and about the outcome of a trial that ends near its horizon; and two
programs, which pad it otherwise, about that of any trial whose dynamics is chaotic. The row that is
there first is kept, and with it only its own trajectory. Every other disagreement about an outcome
is a contradiction, and nothing is joined.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from jaxflow.core.errors import mistake
from jaxflow.core.types import ROUNDING, Outcome, Row, Trial
from jaxflow.store import columns
from jaxflow.store.checking import Rules, check
from jaxflow.store.columns import KEY_SQL, named
from jaxflow.store.file import FILE, is_there
from jaxflow.store.identity import other_protocol
from jaxflow.store.store import Store
from jaxflow.store.writing import put, put_asked, put_design, put_run

NEAR = 0.9  # of a horizon: what one machine decides after that, another may leave undecided
_NAMED = 3  # faults or contradictions that a message tells


@dataclass(frozen=True)
class MergeReport:
    """What became of the sources' trials, trajectories and designs."""

    added: int
    replaced: int  # undecided before, and now of a longer horizon
    known: int  # in the target, or in a source before, and left alone
    differing: int  # decided near a horizon in one store alone, or otherwise by another program
    trajectories: int
    designs: int


def merge(
    target: str | Path, sources: Iterable[str | Path], rules: Rules | None = None
) -> MergeReport:
    """Add what the stores in `sources` hold to the one in `target`, all of it or nothing.

    The target is made when missing; the design run last on it stays the last. Of those that come
    to it no study file is noted: the source may be a part of what that says. Raises `ValueError`,
    and leaves the target as it was, where a store is of another protocol, where `check` finds a
    source unsound, where two stores contradict each other about a trial, and where one cannot be
    read or written.
    """
    folders = [Path(folder) for folder in sources]
    if not folders:
        raise mistake("stores to merge", "none", "name their folders")
    for folder in folders:
        _check_sound(folder, rules)
    is_new = not is_there(Path(target) / FILE)
    with ExitStack() as stack:
        others = [folder for folder in folders if is_new or not folder.samefile(target)]
        stores = [stack.enter_context(Store.read(folder)) for folder in others]
        known: dict[Trial, Row] = {}
        if is_new:
            _check_protocols(stores)
        else:
            with Store.read(target) as there:
                _check_protocols([there, *stores])
                known = {row.trial: row for row in there.rows()}
        read = [(store, store.rows()) for store in stores]
        differing = sum(_differing(known, *source) for source in read)
        return _joined(Path(target), read, differing)


def _check_sound(folder: Path, rules: Rules | None) -> None:
    findings = check(folder, rules)
    if findings:
        raise mistake(f"a sound store in {folder}", _first(findings), "leave it out, or restore it")


def _check_protocols(stores: list[Store]) -> None:
    first = stores[0]
    for store in stores:
        if store.protocol_hash != first.protocol_hash:
            raise other_protocol(first.path.parent, first.protocol, store.protocol)


def _differing(known: dict[Trial, Row], store: Store, rows: list[Row]) -> int:
    """In how many outcomes a store differs from the rows known, to which it adds its own.

    Raises `ValueError` for contradictions.
    """
    differing, contradictions = 0, []
    for row in rows:
        there = known.get(row.trial, row)
        if not _agree(there, row):
            differing += 1
            if there.program == row.program and not _agree(there, row, NEAR):
                key = columns.key(row.trial)
                contradictions.append(f"{named(key)}: {_end(there)}, and {_end(row)}")
        if not there.answers(row.horizon):
            there = row
        known[row.trial] = there
    if contradictions:
        expected = f"a store that agrees with the others in {store.path.parent}"
        raise mistake(expected, _first(contradictions), "find out which is wrong, and leave it out")
    return differing


_OPEN = {Outcome.UNDECIDED, Outcome.STALLED}


def _agree(first: Row, second: Row, within: float = 1 + ROUNDING) -> bool:
    """Whether both can be true, if one that ended after `within` of a horizon was undecided there.

    One that stalled by its horizon may end otherwise by a longer one.
    """
    if first.outcome is second.outcome or {first.outcome, second.outcome} <= _OPEN:
        return True
    ended, stopped = (second, first) if first.outcome in _OPEN else (first, second)
    if stopped.outcome is Outcome.UNDECIDED:
        return ended.flow_time > within * stopped.horizon
    went_on = ended.horizon > stopped.horizon and ended.flow_time >= stopped.flow_time
    return stopped.outcome is Outcome.STALLED and went_on


def _end(row: Row) -> str:
    at = row.horizon if row.outcome is Outcome.UNDECIDED else row.flow_time
    return f"{row.outcome} at {at:g}"


def _first(findings: list[str]) -> str:
    rest = len(findings) - _NAMED
    return "; ".join(findings[:_NAMED]) + (f"; and {rest} more" if rest > 0 else "")


def _joined(target: Path, sources: list[tuple[Store, list[Row]]], differing: int) -> MergeReport:
    """All of it in one transaction."""
    if not sources:
        return MergeReport(0, 0, 0, 0, 0, 0)
    protocol, written, designs = sources[0][0].protocol, [], 0
    with (
        Store.open(target, protocol.hash, protocol.json) as into,
        into.writing() as connection,
    ):
        for store, rows in sources:
            keys = store.select(f"SELECT {KEY_SQL} FROM trajectories")
            archives = ((key, store.archive(key)) for key in keys)
            kept = ((key, archive) for key, archive in archives if archive is not None)
            written.append(put(connection, rows, kept))
            for design in reversed(store.designs):
                designs += put_design(connection, replace(design, source=""), is_last=False)
                asked = ((columns.key(t), t.horizon) for t in store.asked(design.hash))
                put_asked(connection, design.hash, asked)
            for run in store.runs:
                put_run(connection, run)
    counts = zip(*map(astuple, written), strict=True)
    added, replaced, known, trajectories = map(sum, counts)
    return MergeReport(added, replaced, known, differing, trajectories, designs)
