"""Is a store sound? Its file, its tables, every trial and every trajectory; nothing is written."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from jaxflow.core.errors import shortened
from jaxflow.core.types import Row
from jaxflow.store import columns
from jaxflow.store.columns import AT_ONCE, COLUMNS_SQL, KEY, KEY_SQL, Record, digest, named, total
from jaxflow.store.file import ELSEWHERE, connect, existing, one_line
from jaxflow.store.identity import StoredDesign
from jaxflow.store.legality import faults
from jaxflow.store.store import Store
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


def _in_tables(folder: Path, rules: Rules | None) -> Iterator[str]:
    with Store.read(folder) as store:
        with store.reading() as connection:  # all at one moment, and no longer
            sums = summed(connection)
            protocol = store.select("SELECT * FROM protocol")
            designs = store.select("SELECT * FROM designs")
            trials = store.select(f"SELECT {COLUMNS_SQL}, digest FROM trials NOT INDEXED")
            archives = store.select(f"SELECT {KEY_SQL}, digest FROM trajectories")
            asked = store.select("SELECT * FROM asked")
        yield from _in_designs(designs)
        yield from _in_trials(trials, store, rules)
        yield from _in_trajectories(archives, trials, store)
    hashes = {number: hashed for number, hashed, *_ in designs}
    for number in {number for number, *_ in asked} - hashes.keys():
        yield f"trials are asked for by a design {shortened(number)} that is not there"
    found = {
        "protocol": [digest("protocol", values) for values in protocol],
        "designs": [digest("designs", values) for _, *values in designs],
        "trials": [said for *_, said in trials],
        "trajectories": [said for *_, said in archives],
        "asked": [digest("asked", (hashes.get(number), *key)) for number, *key in asked],
    }
    for table in SUMMED:
        entries, wanted = sums[table]
        if entries != len(found[table]):
            yield f"{table}: {len(found[table])} entries, where {entries} were written"
        elif wanted != total(found[table]):
            yield f"{table}: an entry is another than the one written"


def _in_designs(designs: Iterable[Record]) -> Iterator[str]:
    for _, *values, _ in designs:
        try:
            StoredDesign(*values)
        except ValueError as error:
            yield str(error)


def _in_trials(trials: list[Record], store: Store, rules: Rules | None) -> Iterator[str]:
    counts = Counter(values[: len(KEY)] for values in trials)
    yield from (f"{named(key)}: kept {k} times" for key, k in counts.items() if k > 1)
    rule: Rule = _allowing_all
    try:
        rule = rules(store) if rules else rule
    except ValueError as error:
        yield str(error)
    for i in range(0, len(trials), AT_ONCE):
        yield from _in_rows(trials[i : i + AT_ONCE], store, rule)


def _allowing_all(row: Row) -> Iterable[str]:
    return ()


def _in_rows(trials: list[Record], store: Store, rule: Rule) -> Iterator[str]:
    try:
        rows = columns.rows_of(trials)
    except ValueError as error:
        if len(trials) == 1:
            yield str(error)
        else:  # which of them it is
            for values in trials:
                yield from _in_rows([values], store, rule)
        return
    for values, row in zip(trials, rows, strict=True):
        for fault in (*faults(store.protocol, row), *rule(row)):
            yield f"{named(values)}: {fault}"


def _in_trajectories(archives: list[Record], trials: list[Record], store: Store) -> Iterator[str]:
    known = {values[: len(KEY)] for values in trials}
    for *values, _ in archives:
        key: tuple[Any, ...] = tuple(values)
        if key not in known:
            yield f"{named(key)}: a trajectory of no trial"
        try:
            archive = store.archive(key)  # which a writer may have replaced by now
            if archive is not None:
                columns.unpack(key, archive)
        except ValueError as error:
            yield str(error)
