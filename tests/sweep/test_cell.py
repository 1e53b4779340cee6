"""Rounds of a cell: a function of the plan and of what the rounds may look at, never of timing."""

import random

import pytest

from jaxflow._types import Outcome, Row, Trial
from jaxflow.sweep import Cell, GridPlan, ThresholdPlan

PLAN = ThresholdPlan(50, 800, 0.05)


def row(trial: Trial, converged: bool) -> Row:
    point = trial.point
    outcome = Outcome.CONVERGED if converged else Outcome.UNDECIDED
    return Row(
        trial.dynamics, point.d, point.n, point.p, trial.seed, trial.horizon, outcome, "", 1.0,
        1, 1, 0, 1.0, 0.1, True, 0.0, 0.1, "float32", "cpu", "", "",
    )  # fmt: skip


def law(trial: Trial) -> bool:
    """A transition at n = 300, decided by the trial alone."""
    chance = random.Random(repr(trial)).random()
    return chance < 1 / (1 + (trial.point.n / 300) ** 25)


def drive(cell: Cell, pick) -> list[Trial]:
    """Run a cell to its end; `pick` chooses which of the trials under way ends next."""
    under_way, order = cell.propose(), []
    while under_way:
        trial = under_way.pop(pick(len(under_way)))
        order.append(trial)
        cell.tell([row(trial, law(trial))])
        under_way += cell.propose()
    return order


def cell(plan=PLAN) -> Cell:
    return Cell("flow", 30, 100, plan, lambda n, p: float(n * p))


def test_proposals_do_not_depend_on_the_order_of_ends():
    first = cell()
    expected = set(drive(first, lambda size: 0))
    for seed in range(5):
        other = cell()
        dice = random.Random(seed)
        assert set(drive(other, lambda size: dice.randrange(size))) == expected  # noqa: B023
        assert other.rounds == first.rounds
        assert other.finished


def test_what_is_known_before_is_not_lost_and_not_proposed_differently():
    first = cell()
    order = drive(first, lambda size: 0)
    for kept in (1, len(order) // 2, len(order)):
        other = cell()
        other.tell([row(trial, law(trial)) for trial in order[:kept]])
        other.propose()
        while other.missing:
            other.tell([row(trial, law(trial)) for trial in other.missing])
            other.propose()
        assert other.rounds == first.rounds


def test_a_round_is_in_flight_while_the_next_waits():
    made = cell(ThresholdPlan(50, 800, 0.001))
    while len(made.rounds) < 4:
        made.propose()
        made.tell([row(trial, law(trial)) for trials in made.rounds[:3] for trial in trials])
    assert made.missing == made.rounds[3]
    made.propose()  # the fifth, from the first three, without waiting
    assert made.missing == made.rounds[3] + made.rounds[4]
    seeds = [(t.point.n, t.seed) for trials in made.rounds for t in trials]
    assert len(set(seeds)) == len(seeds)


def test_a_plan_that_asks_for_nothing_is_asked_again_when_all_is_known():
    class Twice(GridPlan):
        """One trial a round until 4 are known, and one more when 5 are and none is in flight."""

        def ask(self, tallies, round, in_flight=0):
            known = sum(tally.trials for tally in tallies)
            return ((10, 1),) if known < 4 or (known == 5 and not in_flight) else ()

    made = cell(Twice((10,), 1))
    while trials := made.propose():
        assert not made.exhausted
        made.tell([row(trial, True) for trial in trials])
    assert made.finished
    assert len(made.converged) == 6


def test_rows_of_other_cells_are_passed_over():
    made = cell()
    trial = made.propose()[0]
    made.tell([row(Trial("descent", trial.point, 0, 1.0), True)])
    assert not made.converged


def test_a_grid_is_one_round():
    made = cell(GridPlan((10, 20), 3))
    trials = made.propose()
    assert [(t.point.n, t.seed) for t in trials] == [(n, k) for n in (10, 20) for k in range(3)]
    assert trials[0].horizon == 1000.0
    made.tell([row(trial, True) for trial in trials])
    assert made.propose() == []
    assert made.finished
    assert made.tallies()[0].trials == 3


@pytest.mark.parametrize("most", [30, 77])
def test_the_budget_is_kept_with_rounds_in_flight(most):
    made = cell(ThresholdPlan(50, 800, 0.001, max_trials=most))
    assert len(drive(made, lambda size: 0)) == most
