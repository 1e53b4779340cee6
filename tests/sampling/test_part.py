"""Parts of a study: every trial is one part's, whatever the study and however many there are."""

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import base_point, drive
from stores import one_line

from jaxflow.core.types import Outline, Pace
from jaxflow.sampling.axes import Axes, Horizon, Range
from jaxflow.sampling.design import Design
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.part import Part, Share
from jaxflow.sampling.search import Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import EXPLORING, ThresholdPlan

COUNTS = st.integers(1, 40)
THRESHOLD = ThresholdPlan(20, 2000, relative_half_width=0.05)
DESIGN = Design(
    "d", Axes(d=(10, 20), p=(10, 20, 40)), Horizon(time=(10.0,)), grid=GridPlan((8, 16), 6)
)
OUTLINE = Outline({"control": Pace(1.0), "fast": Pace(0.01)})


def parts(of):
    return [Part(number, of) for number in range(1, of + 1)]


@given(st.lists(st.floats(0, 1e9), max_size=30), COUNTS, COUNTS)
def test_every_trial_of_every_search_is_of_one_part(costs, of, most):
    dealt = [part.shares(costs, most) for part in parts(of)]
    for search in range(len(costs)):
        shares = [found[search] for found in dealt if search in found]
        assert len({share.of for share in shares}) == 1
        for number in range(60):
            assert sum(number in share for share in shares) == 1
    assert all(list(found) == sorted(found) for found in dealt)
    split = {share.of for found in dealt for share in found.values()}
    assert split <= {min(-(-of // max(1, len(costs))), most)}
    if of <= len(costs) * most:
        assert all(dealt)


@given(st.integers(0, 8), st.integers(1, 9))
def test_the_numbers_of_a_share_are_those_in_it(first, of):
    share = Share(first % of, of)
    numbers = list(islice(share, 20))
    assert numbers == [number for number in range(numbers[-1] + 1) if number in share]


def test_the_most_expensive_are_dealt_first_and_in_turn():
    costs = [1.0, 100.0, 10.0, 1000.0, 10.0000001]
    assert [list(part.shares(costs, 9)) for part in parts(2)] == [[0, 2, 3], [1, 4]]


def test_costs_are_those_of_the_farthest_trial_and_of_the_steps():
    searches = [DESIGN.searches(OUTLINE, part) for part in parts(12)]
    order = [(search.dynamics, search.base.d * search.base.p) for (search,) in searches]
    assert order == sorted(order, key=lambda one: (one[0] != "fast", -one[1]))


def test_a_step_may_be_what_is_scanned():
    plan = GridPlan((0.25, 1.0), 6, along="dynamics.fast.step")
    design = replace(DESIGN, axes=Axes(d=(10,), n=(10,), p=(10,)), grid=plan)
    assert [len(design.searches(OUTLINE, part)) for part in parts(3)] == [1, 1, 1]


@pytest.mark.parametrize("of", [1, 2, 5, 12, 13, 50, 72, 100])
def test_parts_of_a_grid_are_the_whole(of):
    whole = [t for search in DESIGN.searches(OUTLINE) for t in search.propose()]
    found = [
        trial
        for part in parts(of)
        for search in DESIGN.searches(OUTLINE, part)
        for trial in search.propose()
    ]
    assert sorted(found) == sorted(whole) and len(whole) == 2 * 6 * 2 * 6
    assert len(set(found)) == len(found)


def test_a_part_tells_its_own_searches_where_to_begin():
    design = replace(DESIGN, grid=None, threshold=THRESHOLD)
    for part in parts(3):
        searches = design.searches(OUTLINE, part)
        parents = {search.parent.search for search in searches if search.parent}
        assert parents and parents <= set(searches)


def test_planes_are_dealt_by_dynamics_and_then_by_numbers():
    design = replace(DESIGN, grid=None, threshold=THRESHOLD, axes=Axes(d=(10,), p=Range(10, 40)))
    assert [[s.dynamics for s in design.searches(OUTLINE, part)] for part in parts(2)] == [
        ["fast"], ["control"],
    ]  # fmt: skip
    for number, part in enumerate(parts(4)):
        (plane,) = design.searches(OUTLINE, part)
        assert {trial.seed % 2 for trial in plane.propose()} == {number % 2}
        assert plane.plan.max_trials == THRESHOLD.max_trials / 2


def test_a_share_of_a_plan_asks_for_its_part():
    share = THRESHOLD.of_share(Share(1, 4))
    assert share.relative_half_width == 2 * THRESHOLD.relative_half_width
    assert share.max_trials == THRESHOLD.max_trials / 4
    assert THRESHOLD.of_share(Share()) == THRESHOLD
    assert THRESHOLD.of_share(Share(0, 10**4)).relative_half_width == EXPLORING
    wide = replace(THRESHOLD, relative_half_width=0.9)
    assert wide.of_share(Share(0, 4)).relative_half_width == 0.9
    repetitions = [DESIGN.grid.of_share(Share(j, 4)).repetitions for j in range(4)]
    assert repetitions == [2, 2, 1, 1]


def test_shares_together_are_as_precise_as_was_asked():
    """Of 20 thresholds in four shares each, by their trials together; none runs twice."""
    truth, widths, missed = (300.0, 0.3, 0.02), [], 0
    for seed in range(20):
        ended = {}
        for j in range(4):
            share = Share(j, 4)
            slice = Slice("descent", base_point("n"), THRESHOLD, Horizon())
            search = Search(slice.of_share(share), share=share)
            drive(search, lambda trial: truth, 100 * seed + j)
            assert not ended.keys() & search.ended.keys()
            ended |= search.ended
        whole = Search(Slice("descent", base_point("n"), THRESHOLD, Horizon()))
        whole.tell(ended.values())
        whole.open_with(sorted(ended))
        posterior = whole.posterior()
        widths.append(posterior.relative_half_width)
        low, high = posterior.interval()
        missed += not low <= truth[0] <= high
    assert sorted(widths)[10] <= 1.05 * THRESHOLD.relative_half_width
    assert max(widths) <= 1.3 * THRESHOLD.relative_half_width
    assert missed <= 4


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "a/b", "1/0", "1", "", "-1/2", "1/2/3", "٣/٤", "1/1e9"]
)
def test_what_is_no_part_is_told_in_a_line(text):
    with pytest.raises(ValueError, match="expected a part i/k with 1 <= i <= k") as error:
        Part.read(text)
    one_line(error)


def test_a_store_notes_the_part_beside_the_study_file():
    for part in (Part(), Part(2, 8)):
        for fingerprint in ("", "8f2b", "1/2"):
            assert Part.of_source(part.source(fingerprint)) == part
    assert Part().source("8f2b") == "8f2b"
