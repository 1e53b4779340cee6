"""Tables made of what SQLite gives, of which every record is looked at."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from math import nan
from typing import Any, final, get_type_hints

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.types import Row
from jaxflow.store.columns import (
    COLUMNS,
    KEY,
    Record,
    check_places,
    damaged,
    digests,
    record,
    typed,
)
from jaxflow.store.table import Column, Named, Rows, Trials, Words

TRIAL = (*KEY, "horizon")  # the fields of a trial
NAMED = ("event_times", "measured")
_KINDS = get_type_hints(Row)
_NUMBERS = {int: np.int64, float: np.float64, bool: np.bool_}


class _Growing(ABC):
    """A column that grows by parts, each of what SQLite gives."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parts: list[Any] = []

    @abstractmethod
    def part(self, values: Sequence[Any]) -> Any:
        """Values of the right types, as a part; `ValueError` where one is none."""

    @abstractmethod
    def whole(self) -> Column:
        """The column of its parts."""


@final
class _GrowingNumbers(_Growing):
    """SQLite's NULL is NaN."""

    def part(self, values: Sequence[Any]) -> NDArray[Any]:
        return np.array(values, _NUMBERS[_KINDS[self.name]])

    def whole(self) -> Column:
        return np.concatenate([self.part([]), *self.parts])


@final
class _GrowingWords(_Growing):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._words: list[Any] = []
        self._places: dict[Any, int] = {}  # by what SQLite keeps

    def part(self, values: Sequence[Any]) -> NDArray[np.int32]:
        for new in set(values) - self._places.keys():
            self._words.append(COLUMNS[self.name].read(new))
            self._places[new] = len(self._places)
        return np.array(list(map(self._places.__getitem__, values)), np.int32)

    def whole(self) -> Column:
        return Words(np.concatenate([self.part([]), *self.parts]), tuple(self._words))


@final
class _GrowingNamed(_Growing):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._names: dict[tuple[str, ...], int] = {}

    def part(self, values: Sequence[Any]) -> Named:
        read = {value: dict(COLUMNS[self.name].read(value)) for value in set(values)}
        known = {
            value: self._names.setdefault(tuple(one), len(self._names))
            for value, one in read.items()
        }
        numbers = {
            name: np.array([read[value].get(name, nan) for value in values])
            for name in {name for one in read.values() for name in one}
        }
        return Named(Words(np.array(list(map(known.__getitem__, values)), np.int32), ()), numbers)

    def whole(self) -> Column:
        parts: list[Named] = [self.part([]), *self.parts]
        absent = [np.full(len(part.names.places), nan) for part in parts]
        numbers = {
            name: np.concatenate(
                [p.numbers.get(name, none) for p, none in zip(parts, absent, strict=True)]
            )
            for name in sorted({name for names in self._names for name in names})
        }
        places = np.concatenate([part.names.places for part in parts])
        return Named(Words(places, tuple(self._names)), numbers)


def _growing(name: str) -> _Growing:
    if _KINDS[name] in _NUMBERS:
        return _GrowingNumbers(name)
    return _GrowingNamed(name) if name in NAMED else _GrowingWords(name)


class _Reader:
    """The columns of records, which end with their digests if they are of rows."""

    def __init__(self, names: Iterable[str]) -> None:
        self._columns = [_growing(name) for name in names]

    def add(self, records: Sequence[Record]) -> Iterator[ValueError]:
        """Read records; gives an error for each that is damaged, and leaves it out."""
        try:
            self._check(records)
            parts = self._parts(records)
        except ValueError as error:
            if len(records) == 1:
                yield damaged(records[0], str(error))
            else:  # which of them it is
                for one in records:
                    yield from self.add([one])
            return
        for column, part in zip(self._columns, parts, strict=True):
            column.parts.append(part)

    def _check(self, records: Sequence[Record]) -> None:
        """Raise `ValueError` where one is not as it was written, if that can be told."""

    def _parts(self, records: Sequence[Record]) -> list[Any]:
        values = zip(*records, strict=True)
        parts = [
            column.part(typed(column.name, those))
            for column, those in zip(self._columns, values, strict=False)
        ]
        check_places(dict(zip((c.name for c in self._columns), parts, strict=True)))
        return parts

    def columns(self) -> dict[str, Column]:
        """All that was read since the last time."""
        found = {}
        for column in self._columns:
            found[column.name] = column.whole()
            column.parts.clear()
        return found


@final
class TrialReader(_Reader):
    """Reads the keys of trials, and the flow time that each is allowed."""

    def __init__(self) -> None:
        super().__init__(TRIAL)

    def table(self) -> Trials:
        """The trials that were read."""
        return Trials(self.columns())


@final
class RowReader(_Reader):
    """Reads rows, each with its digest at the end."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)

    def _check(self, records: Sequence[Record]) -> None:
        said = [one[-1] for one in records]
        if not all(said) or digests("trials", [one[:-1] for one in records]) != said:
            raise ValueError("its digest is another")

    def table(self) -> Rows:
        """The rows that were read."""
        return Rows(self.columns())


def rows_of(records: Sequence[Record]) -> Rows:
    """What `record` made and its digest, read back; `ValueError` names the first damaged trial."""
    reader = RowReader()
    for error in reader.add(records):
        raise error
    return reader.table()


def by_column(rows: Iterable[Row]) -> Rows:
    """Rows in a table, if they are not in one."""
    if isinstance(rows, Rows):
        return rows
    records = [record(row) for row in rows]
    said = digests("trials", records)
    return rows_of([(*one, proof) for one, proof in zip(records, said, strict=True)])
