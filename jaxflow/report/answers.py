"""Which rows answer what a design asked for, slice by slice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, final

import numpy as np

from jaxflow.core.checks import Array
from jaxflow.core.types import Row, Trial
from jaxflow.store.order import packed, ranks
from jaxflow.store.table import Rows, Trials


class Answers(NamedTuple):
    """Rows (m,) sorted by their keys, and the flow time that each was allowed."""

    rows: Rows
    times: Array


def answering(asked: Trials, rows: Rows) -> Answers:
    """The rows that answer sorted trials, of sorted rows."""
    wanted, there = ranks(asked, rows)
    place = np.searchsorted(there, wanted)
    has_row = np.append(there, -1)[place] == wanted
    found = rows.take(place[has_row])
    times = asked.array("horizon")[has_row]
    answer = found.answer(times)
    return Answers(found.take(answer), times[answer])


def by_slice(answers: Answers, along: str) -> Iterator[tuple[Answers, Row]]:
    """The answers on every slice along an axis, and the first of them."""
    rows, times = answers
    parameters = rows.words("parameters")
    moved = [tuple((name, x) for name, x in word if name != along) for word in parameters.words]
    kinds = {word: k for k, word in enumerate(dict.fromkeys(moved))}
    names = [name for name in ("d", "n", "p") if name != along]
    places = packed(
        [
            rows.words("dynamics").places.astype(np.int64),
            *map(rows.array, names),
            parameters.of([kinds[word] for word in moved]),
        ]
    )
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=places[order][:1] - 1))
    for here in sorted(np.split(order, starts[1:]), key=lambda here: here[:1].tolist()):
        if len(here):
            found = Answers(rows.take(here), times[here])
            yield found, found.rows[0]


@final
@dataclass(frozen=True, eq=False)
class Allowed(Mapping[Trial, float]):
    """The flow time that each of some rows was allowed."""

    rows: Rows
    times: Array

    @cached_property
    def _by_trial(self) -> dict[Trial, float]:
        return {row.trial: t for row, t in zip(self.rows, self.times.tolist(), strict=True)}

    def __getitem__(self, trial: Trial) -> float:
        return self._by_trial[trial]

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._by_trial)

    def __len__(self) -> int:
        return len(self.rows)


def allowed(rows: Sequence[Row], times: Mapping[Trial, float]) -> Array:
    """The flow time (m,) that each of the rows was allowed."""
    if isinstance(times, Allowed) and times.rows is rows:
        return times.times
    return np.array([times[row.trial] for row in rows], float)
