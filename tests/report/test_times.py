"""Thresholds against time and the slowing down, on trials whose times are known."""

from dataclasses import replace

import numpy as np
import pytest
from simulated import base_point, row, told

from jaxflow.core.types import Trial
from jaxflow.report.times import against_time, by_point, slowing_of
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import estimate

PLACES = (100, 150, 200, 250, 270, 280, 290)
TIMES = (200.0, 800.0)


@pytest.fixture
def slice():
    """Trials whose log-normal times grow as 3 (1 - n/300)^-1.5."""
    rng = np.random.default_rng(0)
    base, rows = base_point("n"), []
    for n in PLACES:
        for seed in range(40):
            time = 3 * (1 - n / 300) ** -1.5 * np.exp(0.5 * rng.standard_normal())
            trial = Trial("flow", base.moved("n", n), seed, TIMES[-1])
            rows.append(row(trial, time <= TIMES[-1], min(time, TIMES[-1])))
    plan = GridPlan(PLACES, 40)
    return told("flow", base, plan, Horizon(time=TIMES), rows)


def test_thresholds_by_time_are_those_of_the_counts_by_then(slice):
    found = against_time(slice, [50.0, 200.0])
    for i, time in enumerate((50.0, 200.0)):
        counts = [sum(r.n == n and r.flow_time <= time for r in slice.rows) for n in PLACES]
        tallies = [Tally(n, c, 40) for n, c in zip(PLACES, counts, strict=True)]
        assert found.n50[i] == pytest.approx(estimate(tallies, 100, 290).n50)
    assert found.n50[0] < found.n50[1]
    with pytest.raises(ValueError, match="flow times > 0"):
        against_time(slice, [0.0])


def test_a_time_of_which_trials_tell_nothing_is_left_out(slice):
    found = against_time(slice, [1e-3, 200.0])
    assert found.at_edge[0] == "below"
    assert len(found.told().time) == 2
    wide = found._replace(at_edge=("", ""), low=found.low / 100, high=10 * found.high)
    assert len(wide.told().time) == 0


def test_medians_by_n(slice):
    found = by_point(slice, width=0.0)
    assert found.x.tolist() == list(PLACES)
    assert found.trials.tolist() == [40] * len(PLACES)
    for n, median in zip(PLACES[:5], found.medians[0], strict=False):
        assert median == pytest.approx(np.median([r.flow_time for r in slice.rows if r.n == n]))


def test_the_law_of_the_slowing_down(slice):
    law = slowing_of(slice)
    assert law.boundary_interval[0] < 300 < law.boundary_interval[1]
    assert law.exponent_interval[0] < 1.5 < law.exponent_interval[1]
    few = replace(slice, rows=slice.rows[:5])
    assert slowing_of(few) is None
