"""Is a store sound? Its file, its tables, every trial and every trajectory; nothing is written."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, final

from jaxflow.core.errors import shortened
from jaxflow.core.types import Row
from jaxflow.store import columns
from jaxflow.store.columns import (
    COLUMNS_SQL,
    KEY,
    KEY_SQL,
    MODULUS,
    Record,
    digest,
    digests,
    key,
    named,
    total,
)
from jaxflow.store.file import ELSEWHERE, connect, existing, one_line
from jaxflow.store.identity import StoredDesign, StoredRun
from jaxflow.store.legality import faults
from jaxflow.store.order import in_order
from jaxflow.store.reading import RowReader
from jaxflow.store.store import Store
from jaxflow.store.table import Rows
from jaxflow.store.tables import SUMMED, schema_of, summed

Rule: TypeAlias = Callable[[Row], Iterable[str]]  # what a row says that no trial can
Rules: TypeAlias = Callable[[Store], Rule]  # by a store's designs; ValueError where they are none


def check(folder: str | Path, rules: Rules | None = None) -> list[str]:
    """What is wrong with the store in `folder`, each in one line; nothing if it is sound.

    `rules` says what the designs of the store allow. A writer may be at work meanwhile. Raises
    `ValueError` when there is no store.
    """
    existing(folder)
    findings: list[str] = []
    for part in (_in_file, lambda folder: _in_tables(folder, rules)):
        try:
            findings += part(Path(folder))
        except ValueError as error:
            findings.append(str(error))
    # what keeps both from reading is said once
    return list(dict.fromkeys(map(shortened, findings)))


def gaps(folder: str | Path) -> list[str]:
    """Where seeds are missing below the last one of a point, as after a kill: no fault."""
    names = [name for name in KEY if name != "seed"]
    by = ", ".join(names)
    with Store.read(folder) as store:
        found = store.select(
            f"SELECT {by}, COUNT(*), MAX(seed) + 1 FROM trials GROUP BY {by} "
            f"HAVING COUNT(*) < MAX(seed) + 1 ORDER BY {by}"
        )
    return [f"{named(point, names)}: {count} of {seeds} seeds" for *point, count, seeds in found]


def _in_file(folder: Path) -> list[str]:
    """As it lies on the disk, for a store of an earlier schema is read from a copy."""
    path = existing(folder)
    with one_line(f"a store that can be read in {folder}", ELSEWHERE), connect(path) as connection:
        schema_of(path, connection)
        answers = [str(text) for (text,) in connection.execute("PRAGMA integrity_check")]
    return [f"SQLite: {' '.join(text.split())}" for text in answers if text != "ok"]


@final
class _Sum:
    """How many entries of a table were seen, and the sum of their digests."""

    def __init__(self) -> None:
        self.entries, self.total = 0, 0

    def add(self, digests: Sequence[Any]) -> None:
        """Note entries by their digests."""
        self.entries += len(digests)
        self.total = (self.total + total(digests)) % MODULUS


def _in_tables(folder: Path, rules: Rules | None) -> Iterator[str]:
    found: dict[str, _Sum] = {table: _Sum() for table in SUMMED}
    reader, damage = RowReader(), list[str]()
    with Store.read(folder) as store:
        with store.reading() as connection:  # all at one moment, and no longer
            sums = summed(connection)
            designs, runs = (store.select(f"SELECT * FROM {name}") for name in ("designs", "runs"))
            archives = store.select(f"SELECT {KEY_SQL}, digest FROM trajectories")
            _add_identity(store, designs, found)
            found["runs"].add([digest("runs", values) for values in runs])
            found["trajectories"].add([said for *_, said in archives])
            missing = {tuple(key) for *key, _ in archives}
            for records in store.stream(f"SELECT {COLUMNS_SQL}, digest FROM trials NOT INDEXED"):
                found["trials"].add([said for *_, said in records])
                damage += map(str, reader.add(records))
                missing.difference_update(one[: len(KEY)] for one in records if missing)
            unknown = _add_asked(store, designs, found["asked"])
        yield from _in_designs(designs)
        yield from _in_runs(runs, {hashed for _, hashed, *_ in designs})
        yield from damage
        yield from _in_trials(reader.table(), store, rules)
        yield from (f"{named(key)}: a trajectory of no trial" for key in missing)
        yield from _in_trajectories([key for *key, _ in archives], store)
    for number in unknown:
        yield f"trials are asked for by a design {shortened(number)} that is not there"
    for table in SUMMED:
        entries, wanted = sums[table]
        if entries != found[table].entries:
            yield f"{table}: {found[table].entries} entries, where {entries} were written"
        elif wanted != found[table].total:
            yield f"{table}: an entry is another than the one written"


def _add_identity(store: Store, designs: Sequence[Record], found: Mapping[str, _Sum]) -> None:
    protocol = store.select("SELECT * FROM protocol")
    found["protocol"].add([digest("protocol", values) for values in protocol])
    found["designs"].add([digest("designs", values) for _, *values in designs])


def _add_asked(store: Store, designs: Sequence[Record], found: _Sum) -> set[Any]:
    """Note what designs asked for; gives the numbers of those that are not there."""
    hashes = {number: hashed for number, hashed, *_ in designs}
    unknown: set[Any] = set()
    for records in store.stream("SELECT * FROM asked"):
        found.add(digests("asked", [(hashes.get(number), *key) for number, *key in records]))
        unknown |= {number for number, *_ in records} - hashes.keys()
    return unknown


def _in_designs(designs: Iterable[Record]) -> Iterator[str]:
    for _, *values, _ in designs:
        try:
            StoredDesign(*values)
        except ValueError as error:
            yield str(error)


def _in_runs(runs: Iterable[Record], designs: set[Any]) -> Iterator[str]:
    for values in runs:
        try:
            run = StoredRun(*values)
        except ValueError as error:
            yield str(error)
            continue
        if run.design not in designs:
            yield f"a run of a design {shortened(run.design)} that is not there"


def _in_trials(rows: Rows, store: Store, rules: Rules | None) -> Iterator[str]:
    """What their rows say that they cannot; the rules read the store, at the end."""
    again = Counter(row.trial for row in rows.take(in_order(rows)[1]))
    yield from (f"{named(key(trial))}: kept {k + 1} times" for trial, k in again.items())
    rule: Rule = _allowing_all
    try:
        rule = rules(store) if rules else rule
    except ValueError as error:
        yield str(error)
    for row in rows:
        for fault in (*faults(store.protocol, row), *rule(row)):
            yield f"{named(key(row.trial))}: {fault}"


def _allowing_all(row: Row) -> Iterable[str]:
    return ()


def _in_trajectories(keys: Iterable[Sequence[Any]], store: Store) -> Iterator[str]:
    for values in keys:
        try:
            archive = store.archive(tuple(values))  # which a writer may have replaced by now
            if archive is not None:
                columns.unpack(tuple(values), archive)
        except ValueError as error:
            yield str(error)
