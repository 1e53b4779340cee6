"""The order of trials by their keys: sorted tables, and where a trial is in one."""

from collections.abc import Sequence
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.types import Point, Row, Trial
from jaxflow.store.columns import KEY
from jaxflow.store.table import Table, Words

Ranks: TypeAlias = NDArray[np.int64]
MOST = 2**62  # of a rank


def in_order(table: Table[Row] | Table[Trial]) -> tuple[Ranks, Ranks]:
    """The places of its entries (m,) in the order of their keys, and of those that come again."""
    (found,) = ranks(table)
    order = np.argsort(found, kind="stable")
    again = found[order][1:] == found[order][:-1]
    return order, order[1:][again]


def ranks(*tables: Table[Row] | Table[Trial]) -> list[Ranks]:
    """A number for every entry of every table (m,), ordered as the keys of all of them are."""
    columns = [np.concatenate(numbers) for name in KEY for numbers in [_numbers(name, tables)]]
    ends = np.cumsum([len(table) for table in tables])[:-1]
    return np.split(packed(columns), ends)


def _numbers(name: str, tables: Sequence[Table[Row] | Table[Trial]]) -> list[Ranks]:
    """A column of every table, words by their place among those of all."""
    columns = [table.columns[name] for table in tables]
    known = {word for column in columns if isinstance(column, Words) for word in column.words}
    place = {word: k for k, word in enumerate(sorted(known))}
    return [
        column.of([place[word] for word in column.words])
        if isinstance(column, Words)
        else np.asarray(column)
        for column in columns
    ]


def packed(columns: Sequence[NDArray[np.int64]]) -> Ranks:
    """One number (m,) for the numbers of several columns (m,), the first of which counts most."""
    found = np.zeros(len(columns[0]), np.int64)
    if not len(found):
        return found
    size = 1
    for column in columns:
        column, count = _dense(column)
        if size * count > MOST:
            found, size = np.unique(found, return_inverse=True)[1], len(found)
        found, size = found * count + column, size * count
    return found


def _dense(column: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Numbers from 0 on in the same order, and how many there may be."""
    low, high = int(column.min()), int(column.max())
    if high - low < 2**31:
        return column - low, high - low + 1
    values, places = np.unique(column, return_inverse=True)
    return places, len(values)


@final
class Index:
    """Where each trial is in a sorted table."""

    def __init__(self, table: Table[Row] | Table[Trial]) -> None:
        self._seeds: NDArray[np.int64] = table.array("seed")
        points = packed([column for name in KEY[:-1] for column in _numbers(name, [table])])
        starts = np.flatnonzero(np.diff(points, prepend=points[:1] - 1))
        stops = [*starts[1:].tolist(), len(points)][: len(starts)]  # of no trials, none
        firsts = table.take(starts)
        names = firsts.words("dynamics").tolist()
        places = map(Point, *(firsts.columns[name].tolist() for name in KEY[1:-1]))
        ends = zip(starts.tolist(), stops, strict=True)
        self._stretches = dict(zip(zip(names, places, strict=True), ends, strict=True))

    def __call__(self, dynamics: str, point: Point, seed: int) -> int | None:
        """The place of a trial; None if it is not in the table."""
        start, stop = self._stretches.get((dynamics, point), (0, 0))
        place = min(start + seed, stop - 1)  # where it is if no seed is left out
        if start < stop and self._seeds[place] != seed:
            place = start + int(np.searchsorted(self._seeds[start:stop], seed))
        return place if start <= place < stop and self._seeds[place] == seed else None
