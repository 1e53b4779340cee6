"""The forecast of a run, on slices whose trials all cost the same share of their horizon."""

from dataclasses import replace
from math import inf

import pytest
from simulated import base_point, row

from jaxflow.engine.costs import Costs
from jaxflow.engine.runner import Usage
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.search import Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.study.forecast import COMPILATION, expected_trials, seconds_left

COSTS = Costs(ShallowNetwork(), {"flow": GradientFlow(), "descent": GradientDescent()})
PLACES, REPETITIONS = (50, 100, 200, 400), 12


def ended(trial, converged=True):
    """A row that took one evaluation a unit of the time allowed."""
    return replace(row(trial, converged), evaluations=round(trial.horizon))


def usage(busy: float) -> Usage:
    made = Usage()
    made.busy = busy
    return made


def test_what_is_left_of_a_grid_is_known_from_its_places():
    search = Search(Slice("flow", base_point("n"), GridPlan(PLACES, REPETITIONS), Horizon()))
    trials = search.propose()
    rows = [ended(trial) for trial in trials]
    search.tell(row for row in rows if row.seed < REPETITIONS / 3)
    done = sum(COSTS.spent(row) for row in search.ended.values())
    left = sum(map(COSTS.spent, rows)) - done
    for workers in (1, 2):
        found = seconds_left([search], COSTS, usage(30.0), 0.0, workers)
        assert found == pytest.approx(30.0 * left / done / workers, rel=0.05)  # all compiled


def test_a_slice_that_has_not_begun_is_likened_to_one_that_has():
    """Twice the d: as dear a trial at twice the n costs four times the work, and longer."""
    plan = ThresholdPlan(50, 4000, 0.1)
    one, other = (Search(Slice("flow", base_point("n", d=d), plan, Horizon())) for d in (50, 100))
    while trials := one.propose():
        one.tell(ended(trial, trial.point.n < 500) for trial in trials)
    done = sum(COSTS.spent(row) for row in one.ended.values())
    alone = seconds_left([one], COSTS, usage(30.0), 0.0, 1)
    both = seconds_left([one, other], COSTS, usage(30.0), 0.0, 1)
    assert alone == 0.0
    assert expected_trials(one) == len(one.ended)
    recent = [COSTS.spent(row) for row in list(one.ended.values())[len(one.ended) // 2 :]]
    mean = sum(recent) / len(recent)
    assert 4 < (both - 10 * COMPILATION) / (30.0 * mean * len(one.ended) / done) < 10


def test_descent_is_foretold_by_a_flow_in_parts_of_the_horizon():
    """A flow of no event takes few evaluations for its time, and descent all of its steps."""
    plan = GridPlan(PLACES, REPETITIONS)
    flow, descent = (
        Search(Slice(k, base_point("n"), plan, Horizon())) for k in ("flow", "descent")
    )
    told = [ended(trial, converged=False) for trial in flow.propose()]
    flow.tell(replace(row, evaluations=row.evaluations // 50) for row in told)
    done = sum(COSTS.spent(row) for row in flow.ended.values())
    left = sum(COSTS.spent(ended(trial)) for trial in descent.propose())
    found = seconds_left([flow, descent], COSTS, usage(30.0), 0.0, 1) - 4 * COMPILATION
    assert found == pytest.approx(30.0 * left / done, rel=0.05)


def test_nothing_is_foretold_before_a_trial_has_ended():
    search = Search(Slice("flow", base_point("n"), GridPlan(PLACES, REPETITIONS), Horizon()))
    search.propose()
    assert seconds_left([search], COSTS, usage(0.0), 0.0, 2) == float("inf")


def test_nothing_is_foretold_by_trials_that_were_easy():
    search = Search(Slice("flow", base_point("n"), ThresholdPlan(50, 4000, 0.1), Horizon()))
    easy = [trial for trial in search.propose() if trial.point.n < 100]
    search.tell(map(ended, easy))
    assert len(easy) and seconds_left([search], COSTS, usage(1.0), 0.0, 2) == float("inf")


def test_a_slice_of_which_no_trial_could_be_run_has_a_forecast():
    plan = ThresholdPlan(50, 4000, 0.1)
    one, other = (Search(Slice("flow", base_point("n", d=d), plan, Horizon())) for d in (50, 100))
    one.tell(ended(trial) for trial in one.propose())
    other.tell(replace(ended(trial), evaluations=0) for trial in other.propose())
    assert 0 < seconds_left([one, other], COSTS, usage(30.0), 0.0, 1) < inf
