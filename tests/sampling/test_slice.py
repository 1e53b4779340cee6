"""Rounds of a slice: a function of the plan and of what the rounds may look at, never of timing."""

import random

import pytest
from simulated import row

from jaxflow.core.types import Point, Trial
from jaxflow.papers.rules import published_horizon
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.neighbours import warm_start
from jaxflow.sampling.slice import Parent, Slice
from jaxflow.sampling.threshold import ThresholdPlan

PLAN = ThresholdPlan(50, 800, 0.05)


def law(trial: Trial) -> bool:
    """A transition at n = 10 d, decided by the trial alone."""
    chance = random.Random(repr(trial)).random()
    return chance < 1 / (1 + (trial.point.n / (10 * trial.point.d)) ** 25)


def drive(pick, *slices: Slice) -> list[Trial]:
    """Run slices to their end; `pick` chooses which of the trials under way ends next."""
    for slice in slices:
        slice.propose()
    under_way, order = [trial for slice in slices for trial in slice.missing], []
    while under_way:
        trial = under_way.pop(pick(len(under_way)))
        order.append(trial)
        for slice in slices:
            slice.tell([row(trial, law(trial))])
        under_way += [trial for slice in slices for trial in slice.propose()]
    return order


def slice(plan=PLAN) -> Slice:
    return Slice("flow", Point(30, 0, 100), plan, Horizon())


def test_proposals_do_not_depend_on_the_order_of_ends():
    first = slice()
    expected = set(drive(lambda size: 0, first))
    for seed in range(5):
        other = slice()
        dice = random.Random(seed)
        assert set(drive(lambda size: dice.randrange(size), other)) == expected  # noqa: B023
        assert other.rounds == first.rounds
        assert other.finished


def test_what_is_known_before_is_not_lost_and_not_proposed_differently():
    first = slice()
    order = drive(lambda size: 0, first)
    for kept in (1, len(order) // 2, len(order)):
        other = slice()
        other.tell([row(trial, law(trial)) for trial in order[:kept]])
        other.propose()
        while other.missing:
            other.tell([row(trial, law(trial)) for trial in other.missing])
            other.propose()
        assert other.rounds == first.rounds


def test_a_round_is_in_flight_while_the_next_waits():
    made = slice(ThresholdPlan(50, 800, 0.001))
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

        def ask(self, tallies, round, in_flight=0, guess=None):
            known = sum(tally.trials for tally in tallies)
            return ((10, 1),) if known < 4 or (known == 5 and not in_flight) else ()

    made = slice(Twice((10,), 1))
    while trials := made.propose():
        assert not made.exhausted
        made.tell([row(trial, True) for trial in trials])
    assert made.finished
    assert len(made.ended) == 6


def test_rows_of_other_cells_are_passed_over():
    made = slice()
    trial = made.propose()[0]
    made.tell([row(Trial("descent", trial.point, 0, 1.0), True)])
    assert not made.ended


def test_a_grid_is_one_round():
    made = slice(GridPlan((10, 20), 3))
    trials = made.propose()
    assert [(t.point.n, t.seed) for t in trials] == [(n, k) for n in (10, 20) for k in range(3)]
    assert trials[0].horizon == published_horizon(10, 100)
    made.tell([row(trial, True) for trial in trials])
    assert made.propose() == []
    assert made.finished
    assert made.tallies()[0].trials == 3


@pytest.mark.parametrize("most", [30, 77])
def test_the_budget_is_kept_with_rounds_in_flight(most):
    made = slice(ThresholdPlan(50, 800, 0.001, max_trials=most))
    assert len(drive(lambda size: 0, made)) == most


def family() -> list[Slice]:
    slices = [Slice("flow", Point(d, 0, 100), PLAN, Horizon()) for d in (20, 30, 40)]
    warm_start(slices)
    return slices


def test_cells_with_a_parent_propose_the_same_in_whatever_order_trials_end():
    first = family()
    assert sum(slice.parent is None for slice in first) == 1
    expected = set(drive(lambda size: 0, *first))
    for seed in range(4):
        others = family()[:: (-1) ** seed]
        dice = random.Random(seed)
        assert set(drive(lambda size: dice.randrange(size), *others)) == expected  # noqa: B023
        rounds = {slice.base: slice.rounds for slice in others}
        assert rounds == {slice.base: slice.rounds for slice in first}


def test_a_child_begins_where_its_parent_points_and_not_before():
    slices = family()
    root = next(slice for slice in slices if slice.parent is None)
    children = [slice for slice in slices if slice.parent is not None]
    assert root.propose()
    assert not any(slice.propose() or slice.finished for slice in children)
    drive(lambda size: 0, *slices)
    for slice in children:
        assert all(5 * slice.base.d < t.point.n < 20 * slice.base.d for t in slice.rounds[0])
        low, high = slice.posterior().interval()
        assert low < 10 * slice.base.d < high
    spent = [sum(map(len, slice.rounds)) for slice in children]
    alone = [Slice("flow", slice.base, PLAN, Horizon()) for slice in children]
    drive(lambda size: 0, *alone)
    assert sum(spent) < sum(len(trials) for slice in alone for trials in slice.rounds)


def test_a_wrong_guess_steers_trials_but_not_the_estimate():
    root = Slice("flow", Point(30, 0, 100), PLAN, Horizon())
    misled = Slice("flow", Point(45, 0, 100), PLAN, Horizon(), Parent(root, 0.3, 0.1))
    drive(lambda size: 0, root, misled)
    assert all(t.point.n < 200 for t in misled.rounds[0])
    assert misled.posterior().median == pytest.approx(450, rel=0.1)
    assert misled.posterior().median == PLAN.posterior(misled.tallies()).median


def test_one_trial_serves_every_horizon():
    """Transitions at n = 200 within flow time 10 and at n = 300 within 40."""
    plan = ThresholdPlan(50, 800, 0.04)
    made = Slice("flow", Point(30, 0, 100), plan, Horizon(time=(40.0, 10.0)))
    dice = random.Random(0)
    while trials := made.propose():
        for trial in trials:
            assert trial.horizon == 40.0
            chance, n = dice.random(), trial.point.n
            soon, late = (chance < 1 / (1 + (n / n50) ** 30) for n50 in (200, 300))
            made.tell([row(trial, late, 5.0 if soon else 20.0 if late else 40.0)])
    short, long = (made.tallies(horizon) for horizon in (0, 1))
    assert [(t.x, t.trials) for t in short] == [(t.x, t.trials) for t in long]
    for horizon, n50 in [(0, 200), (1, 300), (-1, 300)]:
        posterior = made.posterior(horizon)
        assert posterior.relative_half_width <= 0.04
        assert posterior.interval()[0] < n50 < posterior.interval()[1]
