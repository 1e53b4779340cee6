"""The rows of a slice along its scanned axis, for counts of many."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.checks import Array
from jaxflow.core.types import Outcome, Row
from jaxflow.statistics.counts import Tally
from jaxflow.store.reading import by_column
from jaxflow.store.table import Rows, Which


@final
@dataclass(frozen=True, eq=False)
class Columns:
    """Rows (m,), and of each its place, whole numbers as such, and its unit."""

    rows: Rows
    x: NDArray[Any]  # along the scanned axis
    unit: Array  # the flow time of one unit of the horizons

    @classmethod
    def of(cls, rows: Sequence[Row], along: str, units: ArrayLike) -> Self:
        """Those of rows that scan an axis, with the unit of the horizons of each."""
        found = by_column(rows)
        return cls(found, found.along(along), np.asarray(units, float))

    @property
    def well_initialized(self) -> Which:
        """Which rows are of well-initialized trials."""
        return self.rows.array("well_initialized")

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many rows have which outcome."""
        counts = self.rows.words("outcome").counts()
        return Counter({outcome: counts.get(outcome, 0) for outcome in Outcome})

    def converged_by(self, multiple: float) -> Which:
        """`Row.converged_by` so many units of the horizons."""
        return self.rows.converged_by(multiple * self.unit)

    def answer(self, multiple: float) -> Which:
        """`Row.answers` of so many units of the horizons."""
        return self.rows.answer(multiple * self.unit)

    def outcomes_by(self, multiple: float) -> Counter[Outcome]:
        """How many rows have which `Row.outcome_by` so many units of the horizons."""
        return Counter(self.rows.outcomes_by(multiple * self.unit).counts())

    def ended_by(self, multiple: float) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The places (k,), and how many trials at each had which outcome by so many units (k, 4).

        In the order of `Outcome`.
        """
        outcomes = self.rows.outcomes_by(multiple * self.unit)
        x, place = np.unique(self.x, return_inverse=True)
        counts = [np.bincount(place[outcomes.are(o)], minlength=len(x)) for o in Outcome]
        return x, np.stack(counts, axis=1)

    def counted(self, happened: ArrayLike, which: Which | None = None) -> tuple[Tally, ...]:
        """How often something happened (m,) at each x, of all rows or of some."""
        kept = np.ones(len(self.x), bool) if which is None else which
        x, place = np.unique(self.x[kept], return_inverse=True)
        trials = np.bincount(place, minlength=len(x)).tolist()
        events = np.bincount(place[np.asarray(happened, bool)[kept]], minlength=len(x)).tolist()
        return tuple(map(Tally, x.tolist(), events, trials))
