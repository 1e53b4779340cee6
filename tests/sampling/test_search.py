"""Rounds of a search: a function of the plan and of what the rounds may use, never of timing."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from simulated import row

from jaxflow.core.types import Point, Trial
from jaxflow.papers.bounds import published_horizon
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.evidence import Evidence
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.neighbours import warm_start
from jaxflow.sampling.search import Parent, Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan

PLAN = ThresholdPlan(50, 800, 0.05)


def law(trial: Trial) -> bool:
    """A transition at n = 10 d, decided by the trial alone."""
    chance = random.Random(repr(trial)).random()
    return chance < 1 / (1 + (trial.point.n / (10 * trial.point.d)) ** 25)


def drive(pick, *searches: Search) -> list[Trial]:
    """Run searches to their end; `pick` chooses which of the trials under way ends next."""
    for search in searches:
        search.propose()
    under_way, order = [trial for search in searches for trial in search.missing], []
    while under_way:
        trial = under_way.pop(pick(len(under_way)))
        order.append(trial)
        for search in searches:
            search.tell([row(trial, law(trial))])
        under_way += [trial for search in searches for trial in search.propose()]
    return order


def search(plan=PLAN, d=30, horizon=Horizon(), parent=None) -> Search:
    return Search(Slice("flow", Point(d, 0, 100), plan, horizon), parent)


def test_proposals_do_not_depend_on_the_order_of_ends():
    first = search()
    expected = set(drive(lambda size: 0, first))
    for seed in range(5):
        other = search()
        dice = random.Random(seed)
        assert set(drive(lambda size: dice.randrange(size), other)) == expected  # noqa: B023
        assert other.rounds == first.rounds
        assert other.finished


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, low=1, high=100, along="dynamics.flow.step", rising=False),
        replace(PLAN, low=1, high=100, along="problem.strength", rising=False),
        GridPlan((1.0, 2.0, 4.0), 7, along="dynamics.flow.step"),
        PLAN,
    ],
)
def test_no_two_trials_of_a_search_have_the_same_draws(plan):
    """Along a parameter of the dynamics too, which draws nothing: they are taken as independent."""
    searched = Search(Slice("flow", Point(30, 20, 100).moved(plan.along, 0), plan, Horizon()))
    for _ in range(40):
        ended = [
            row(trial, random.Random(repr(trial)).random() < 1 / (1 + trial.point[plan.along] / 10))
            for trial in searched.propose()
        ]
        searched.tell(ended)
    drawn = [(trial.point.of_problem, trial.seed) for trial in searched.proposed]
    assert len(set(drawn)) == len(drawn) >= 21


def test_what_is_known_before_is_not_lost_and_not_proposed_differently():
    first = search()
    order = drive(lambda size: 0, first)
    for kept in (1, len(order) // 2, len(order)):
        other = search()
        other.tell([row(trial, law(trial)) for trial in order[:kept]])
        other.propose()
        while other.missing:
            other.tell([row(trial, law(trial)) for trial in other.missing])
            other.propose()
        assert other.rounds == first.rounds


def test_a_round_is_in_flight_while_the_next_waits():
    made = search(ThresholdPlan(50, 800, 0.001))
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

    made = search(Twice((10,), 1))
    while trials := made.propose():
        assert not made.exhausted
        made.tell([row(trial, True) for trial in trials])
    assert made.finished
    assert len(made.ended) == 6


def test_rows_of_other_slices_are_passed_over():
    made = search()
    trial = made.propose()[0]
    made.tell([row(Trial("descent", trial.point, 0, 1.0), True)])
    assert not made.ended


def test_rows_that_no_round_asks_for_count_for_nothing():
    """As those of another design, in whose store this one goes on."""
    first, other = search(), search()
    order = drive(lambda size: 0, first)
    unasked = [Trial("flow", Point(30, n, 100), 10**6, 10.0**6) for n in (60, 300, 700)]
    other.tell([row(trial, n % 2 == 0) for n, trial in enumerate(unasked)])
    assert drive(lambda size: 0, other) == order
    assert len(other.ended) == len(order)
    assert other.tallies() == first.tallies()


def test_a_row_undecided_by_a_shorter_time_is_no_answer():
    made = search(GridPlan((10,), 2), horizon=Horizon(time=(8.0,)))
    asked = zip(made.propose(), (4, 16), strict=True)
    short, long = (replace(trial, horizon=horizon) for trial, horizon in asked)
    made.tell([row(short, False, 4.0), row(long, False, 16.0)])
    assert made.missing == [short]
    made.tell([row(short, True, 3.0)])
    assert not made.propose()
    assert made.finished


def test_convergence_beyond_the_horizon_is_none_by_then():
    """A search of the rows of a longer horizon proposes what a fresh one would."""
    fresh, later = (search(horizon=Horizon(time=(8.0,))) for _ in range(2))
    while fresh.propose() + later.propose():
        for known, horizon in ((fresh, 8.0), (later, 32.0)):
            for trial in known.missing:
                soon, late = law(trial), law(replace(trial, seed=trial.seed + 10**6))
                time = 5.0 if soon else 20.0 if late and horizon > 20 else horizon
                known.tell([row(replace(trial, horizon=horizon), time < horizon, time)])
    assert later.rounds == fresh.rounds
    assert later.tallies() == fresh.tallies()


def test_a_grid_is_one_round():
    made = search(GridPlan((10, 20), 3))
    trials = made.propose()
    assert [(t.point.n, t.seed) for t in trials] == [(n, k) for n in (10, 20) for k in range(3)]
    assert trials[0].horizon == published_horizon(10, 100)
    made.tell([row(trial, True) for trial in trials])
    assert made.propose() == []
    assert made.finished
    assert made.tallies()[0].trials == 3


def test_values_of_a_grid_share_programs_with_those_a_little_larger():
    grid = search(GridPlan((50, 60, 90, 95, 100), 2))
    reach = {trial.point.n: trial.within.ends for trial in grid.propose()}
    assert reach[50] == (50, 60, 100, 100)
    assert reach[90] == reach[95] == reach[100] == (100, 100)


@pytest.mark.parametrize("most", [30, 77])
def test_the_budget_is_kept_with_rounds_in_flight(most):
    made = search(ThresholdPlan(50, 800, 0.001, max_trials=most))
    assert len(drive(lambda size: 0, made)) == most


def family(plan=PLAN) -> list[Search]:
    searches = [search(plan, d=d) for d in (20, 30, 40)]
    warm_start(searches)
    return searches


def test_slices_with_a_parent_propose_the_same_in_whatever_order_trials_end():
    first = family()
    assert sum(search.parent is None for search in first) == 1
    expected = set(drive(lambda size: 0, *first))
    for seed in range(4):
        others = family()[:: (-1) ** seed]
        dice = random.Random(seed)
        assert set(drive(lambda size: dice.randrange(size), *others)) == expected  # noqa: B023
        rounds = {search.base: search.rounds for search in others}
        assert rounds == {search.base: search.rounds for search in first}


def test_slices_listed_after_others_change_nothing_of_them():
    """So that a study grows by its new slices alone."""
    grown = [search(d=d) for d in (20, 30, 40, 25, 80)]
    warm_start(grown)
    first = family()
    drive(lambda size: 0, *grown)
    drive(lambda size: 0, *first)
    assert [s.rounds for s in grown[:3]] == [s.rounds for s in first]
    above = {s.base.d: s.parent.search.base.d for s in grown if s.parent}
    assert above == {30: 20, 40: 30, 25: 30, 80: 40}


def test_a_child_begins_where_its_parent_points_and_not_before():
    wide = ThresholdPlan(10, 10**5, 0.05)
    searches = family(wide)
    root = next(s for s in searches if s.parent is None)
    children = [s for s in searches if s.parent is not None]
    assert root.propose()
    assert not any(child.propose() or child.finished for child in children)
    drive(lambda size: 0, *searches)
    for child in children:
        d = child.base.d
        assert all(5 * d < t.point.n < 20 * d for t in child.rounds[0])
        low, high = child.posterior().interval()
        assert low < 10 * d < high
    alone = [search(wide, d=child.base.d) for child in children]
    drive(lambda size: 0, *alone)
    spent, spent_alone = (sum(len(s.proposed) for s in found) for found in (children, alone))
    assert spent < spent_alone


def test_a_wrong_guess_steers_trials_but_not_the_estimate():
    root = search(d=30)
    misled = search(d=45, parent=Parent(root, 0.3, 0.1))
    drive(lambda size: 0, root, misled)
    assert all(t.point.n < 200 for t in misled.rounds[0])
    assert misled.posterior().median == pytest.approx(450, rel=0.1)
    assert misled.posterior().median == PLAN.posterior(misled.tallies()).median


def test_what_a_trial_says_is_read_once_for_each_use(monkeypatch):
    """To ask, to locate the threshold for others, to estimate: however many rounds there are."""
    read, add = Counter(), Evidence.add
    monkeypatch.setattr(
        Evidence, "add", lambda self, row, times: (read.update([row.trial]), add(self, row, times))
    )
    root = search(ThresholdPlan(50, 800, 0.01))
    drive(lambda size: 0, root, search(d=45, parent=Parent(root, 1.5, 0.1)))
    assert len(root.rounds) > 10
    root.posterior()
    assert set(root.proposed) <= set(read)
    assert max(read.values()) <= 3
    assert sum(tally.trials for tally in root.tallies()) == len(root.proposed)


def test_one_trial_serves_every_horizon():
    """Transitions at n = 200 within flow time 10 and at n = 300 within 40."""
    plan = ThresholdPlan(50, 800, 0.04)
    made = search(plan, horizon=Horizon(time=(40.0, 10.0)))
    dice = random.Random(0)
    while trials := made.propose():
        for trial in trials:
            assert trial.horizon == 40.0
            chance, n = dice.random(), trial.point.n
            soon, late = (chance < 1 / (1 + (n / n50) ** 30) for n50 in (200, 300))
            made.tell([row(trial, late, 5.0 if soon else 20.0 if late else 40.0)])
    short, long = (made.tallies(question) for question in made.questions)
    assert [(t.x, t.trials) for t in short] == [(t.x, t.trials) for t in long]
    for question, n50 in [(made.questions[0], 200), (made.questions[1], 300), (None, 300)]:
        posterior = made.posterior(question)
        assert posterior.relative_half_width <= 0.04
        assert posterior.interval()[0] < n50 < posterior.interval()[1]
