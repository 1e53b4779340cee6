"""Counts by column are those that every row alone says."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from stores import ROW

from jaxflow.core.types import Outcome
from jaxflow.report.columns import Columns

RNG = np.random.default_rng(0)
UNITS = RNG.choice([1.0, 2.0, 40.0], 300).tolist()
ROWS = [
    replace(
        ROW,
        n=int(RNG.integers(8, 12)),
        seed=seed,
        horizon=4 * unit,
        outcome=Outcome(RNG.choice(list(Outcome))),
        flow_time=float(RNG.choice([0.5, 1.0, 1 + 1e-7, 2.0, 4.0]) * unit),
        well_initialized=bool(RNG.random() < 0.5),
    )
    for seed, unit in enumerate(UNITS)
]
COLUMNS = Columns.of(ROWS, "n", UNITS)
PAIRS = list(zip(ROWS, UNITS, strict=True))


@pytest.mark.parametrize("multiple", [0.4, 0.5, 1.0, 2.0, 4.0, 8.0, np.inf])
def test_every_row_by_itself(multiple):
    converged = [row.converged_by(multiple * unit) for row, unit in PAIRS]
    assert COLUMNS.converged_by(multiple).tolist() == converged
    assert COLUMNS.answer(multiple).tolist() == [row.answers(multiple * u) for row, u in PAIRS]
    outcomes = Counter(row.outcome_by(multiple * unit) for row, unit in PAIRS)
    assert COLUMNS.outcomes_by(multiple) == outcomes
    well = COLUMNS.well_initialized
    for tally in COLUMNS.counted(converged, well):
        here = [c for c, row in zip(converged, ROWS, strict=True)
                if row.well_initialized and row.n == tally.x]  # fmt: skip
        assert (tally.converged, tally.trials) == (sum(here), len(here))
        assert type(tally.x) is int
    assert sum(tally.trials for tally in COLUMNS.counted(converged)) == len(ROWS)


def test_nothing_is_counted_of_nothing():
    assert Columns.of([], "n", []).counted([]) == ()
    nowhere = np.zeros(len(ROWS), bool)
    assert COLUMNS.counted(~nowhere, nowhere) == ()
