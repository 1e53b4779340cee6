"""The rows of a slice by column, for counts of many: what `Row` says of one, of all at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.checks import Array
from jaxflow.core.types import ROUNDING, Outcome, Row
from jaxflow.statistics.counts import Tally

Which: TypeAlias = NDArray[np.bool_]  # of the rows (m,)
OUTCOMES = tuple(Outcome)


@final
@dataclass(frozen=True, eq=False)
class Columns:
    """Columns (m,) of m rows, whole numbers of the scanned axis as such."""

    x: NDArray[Any]  # along the scanned axis
    unit: Array  # the flow time of one unit of the horizons
    horizon: Array  # flow times
    flow_time: Array
    outcome: NDArray[np.int64]  # places in OUTCOMES
    well_initialized: Which

    @classmethod
    def of(cls, rows: Sequence[Row], along: str, units: Sequence[float]) -> Self:
        """Those of rows that scan an axis, with the unit of the horizons of each."""
        places = {outcome: i for i, outcome in enumerate(OUTCOMES)}
        return cls(
            np.array([row.point[along] for row in rows]),
            np.array(units, float),
            np.array([row.horizon for row in rows], float),
            np.array([row.flow_time for row in rows], float),
            np.array([places[row.outcome] for row in rows], int),
            np.array([row.well_initialized for row in rows], bool),
        )

    def converged_by(self, multiple: float) -> Which:
        """`Row.converged_by` so many units of the horizons."""
        time = multiple * self.unit
        return self._are(Outcome.CONVERGED) & (self.flow_time <= time * (1 + ROUNDING))

    def answer(self, multiple: float) -> Which:
        """`Row.answers` of so many units of the horizons."""
        inside = self.flow_time < self.horizon * (1 - ROUNDING)
        for_good = self._are(Outcome.FAILED) | (self._are(Outcome.CONVERGED) & inside)
        return for_good | (multiple * self.unit <= self.horizon * (1 + ROUNDING))

    def outcomes_by(self, multiple: float) -> Counter[Outcome]:
        """How many rows have which `Row.outcome_by` so many units of the horizons."""
        ended = self.converged_by(multiple) | (self.flow_time <= multiple * self.unit)
        undecided = OUTCOMES.index(Outcome.UNDECIDED)
        found = np.bincount(np.where(ended, self.outcome, undecided), minlength=len(OUTCOMES))
        return Counter(dict(zip(OUTCOMES, found.tolist(), strict=True)))

    def counted(self, happened: ArrayLike, which: Which | None = None) -> tuple[Tally, ...]:
        """How often something happened (m,) at each x, of all rows or of some."""
        kept = np.ones(len(self.x), bool) if which is None else which
        x, place = np.unique(self.x[kept], return_inverse=True)
        trials = np.bincount(place, minlength=len(x)).tolist()
        events = np.bincount(place[np.asarray(happened, bool)[kept]], minlength=len(x)).tolist()
        return tuple(map(Tally, x.tolist(), events, trials))

    def _are(self, outcome: Outcome) -> Which:
        return self.outcome == OUTCOMES.index(outcome)
