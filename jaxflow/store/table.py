"""Many rows, or trials, by column: a million rows take some 200 MB, where each alone takes a kB.

Numbers are arrays; texts, of which few are distinct, are places among these; numbers by name are an
array for each name. A `Row` or `Trial` is made when it is asked for, and what these say of
themselves is said of all at once.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Generic, Self, TypeAlias, TypeVar, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.checks import Array
from jaxflow.core.types import ROUNDING, Outcome, Point, Row, Trial

AT_ONCE = 1000  # rows made together of their columns

Which: TypeAlias = NDArray[np.bool_]  # of the rows (m,)
Places: TypeAlias = NDArray[np.int64] | Which | slice
T = TypeVar("T", Row, Trial)


@final
@dataclass(frozen=True, eq=False)
class Words:
    """A column (m,) of which few values are distinct: their places among the `words`."""

    places: NDArray[np.int32]
    words: tuple[Any, ...]

    def __getitem__(self, which: Places) -> "Words":
        return Words(self.places[which], self.words)

    def tolist(self) -> list[Any]:
        """The values, as a list."""
        return list(map(self.words.__getitem__, self.places.tolist()))

    def of(self, values: ArrayLike) -> NDArray[Any]:
        """What is said of every word, for every row (m,)."""
        return np.asarray(values)[self.places] if self.words else np.zeros(0, int)

    def are(self, word: Any) -> Which:
        """Which of them are that word (m,)."""
        return self.of([one == word for one in self.words]).astype(bool)

    def counts(self) -> dict[Any, int]:
        """How often each word is there."""
        found: dict[Any, int] = dict.fromkeys(self.words, 0)
        times = np.bincount(self.places, minlength=len(self.words)).tolist()
        for word, count in zip(self.words, times, strict=True):  # which may be there twice
            found[word] += count
        return found

    def where(self, others: Which, word: Any) -> "Words":
        """With that word instead where the others are."""
        places = np.where(others, np.int32(len(self.words)), self.places)
        return Words(places, (*self.words, word))


@final
@dataclass(frozen=True, eq=False)
class Named:
    """A column (m,) of numbers by name: of each name the numbers (m,), NaN where there are none."""

    names: Words  # those that each row has, sorted
    numbers: Mapping[str, Array]

    def __getitem__(self, which: Places) -> "Named":
        return Named(self.names[which], {name: x[which] for name, x in self.numbers.items()})

    def tolist(self) -> list[Any]:
        """The `NamedNumbers` of every row."""
        columns = {name: listed(numbers) for name, numbers in self.numbers.items()}
        return [
            tuple((name, columns[name][i]) for name in names)
            for i, names in enumerate(self.names.tolist())
        ]

    def have(self, name: str) -> Which:
        """Which rows (m,) have a number of that name."""
        return self.names.of([name in names for names in self.names.words]).astype(bool)


Column: TypeAlias = NDArray[Any] | Words | Named


def listed(column: Column) -> list[Any]:
    """The values of a column; NaN is `math.nan`, so that a row with one is equal to itself."""
    values: list[Any] = column.tolist()
    has_nan = isinstance(column, np.ndarray) and np.isnan(column).any()
    return [nan if x != x else x for x in values] if has_nan else values


@dataclass(frozen=True, eq=False)
class Table(Sequence[T], Generic[T]):
    """Rows or trials by column, each column (m,) under the name of its field, in their order."""

    columns: Mapping[str, Column]

    @staticmethod
    @abstractmethod
    def _made(lists: list[list[Any]]) -> Iterator[T]:
        """Those of the values of every column."""

    def __len__(self) -> int:
        return len(self.array("seed"))

    @overload
    def __getitem__(self, which: int) -> T: ...
    @overload
    def __getitem__(self, which: slice) -> Self: ...
    def __getitem__(self, which: int | slice) -> T | Self:
        if isinstance(which, slice):
            return self.take(which)
        place = range(len(self))[which]
        return next(iter(self.take(slice(place, place + 1))))

    def __iter__(self) -> Iterator[T]:
        for start in range(0, len(self), AT_ONCE):
            stretch = slice(start, start + AT_ONCE)
            yield from self._made([listed(column[stretch]) for column in self.columns.values()])

    def take(self, which: Places) -> Self:
        """Some of them, in that order."""
        return type(self)({name: column[which] for name, column in self.columns.items()})

    def array(self, name: str) -> NDArray[Any]:
        """A column (m,) of numbers."""
        column = self.columns[name]
        assert isinstance(column, np.ndarray)
        return column

    def words(self, name: str) -> Words:
        """A column of texts, outcomes or parameters."""
        column = self.columns[name]
        assert isinstance(column, Words)
        return column

    def along(self, axis: str) -> NDArray[Any]:
        """The coordinates (m,) along d, n, p, whole numbers, or a parameter."""
        if axis in self.columns:
            return self.array(axis)
        parameters = self.words("parameters")
        return parameters.of([dict(word)[axis] for word in parameters.words])


@final
@dataclass(frozen=True, eq=False)
class Trials(Table[Trial]):
    """Trials, by the columns of a key and the flow time allowed."""

    @staticmethod
    def _made(lists: list[list[Any]]) -> Iterator[Trial]:
        for dynamics, d, n, p, parameters, seed, horizon in zip(*lists, strict=True):
            yield Trial(dynamics, Point(d, n, p, parameters), seed, horizon)


@final
@dataclass(frozen=True, eq=False)
class Rows(Table[Row]):
    """Rows; the times of events and what was measured are `Named`."""

    @staticmethod
    def _made(lists: list[list[Any]]) -> Iterator[Row]:
        return map(Row, *lists)

    def named(self, name: str) -> Named:
        """A column of numbers by name."""
        column = self.columns[name]
        assert isinstance(column, Named)
        return column

    def of_event(self, name: str) -> "Rows":
        """`Row.of_event` of every row."""
        times = self.named("event_times")
        if name not in times.numbers:
            return self
        happened = times.have(name)
        ended: dict[str, Column] = {
            "outcome": self.words("outcome").where(happened, Outcome.CONVERGED),
            "reason": self.words("reason").where(happened, "event"),
            "flow_time": np.where(happened, times.numbers[name], self.array("flow_time")),
        }
        return Rows({**self.columns, **ended})

    def answer(self, time: Array) -> Which:
        """`Row.answers` of every row, of a flow time (m,) each."""
        horizon, outcome = self.array("horizon"), self.words("outcome")
        inside = self.array("flow_time") < horizon * (1 - ROUNDING)
        for_good = outcome.are(Outcome.FAILED) | (outcome.are(Outcome.CONVERGED) & inside)
        return np.asarray(for_good | (time <= horizon * (1 + ROUNDING)))

    def converged_by(self, time: Array) -> Which:
        """`Row.converged_by` of every row, by a flow time (m,) each."""
        in_time = self.array("flow_time") <= time * (1 + ROUNDING)
        return np.asarray(self.words("outcome").are(Outcome.CONVERGED) & in_time)

    def outcomes_by(self, time: Array) -> Words:
        """`Row.outcome_by` of every row, by a flow time (m,) each."""
        ended = self.converged_by(time) | (self.array("flow_time") <= time)
        return self.words("outcome").where(~ended, Outcome.UNDECIDED)
