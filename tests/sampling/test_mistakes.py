"""Whatever a user types is valid, or refused in one line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Posterior

anything = st.one_of(
    st.integers(-2, 40), st.floats(), st.text(max_size=2), st.booleans(), st.none()
)


def valid(make, *arguments):
    """What `make` gives, or None where it refuses; the refusal is checked."""
    try:
        return make(*arguments)
    except ValueError as error:
        message = str(error)
    assert message.startswith("expected ")
    assert "\n" not in message
    return None


@given(anything, anything, anything)
def test_tally(n, converged, trials):
    tally = valid(Tally, n, converged, trials)
    if tally:
        assert tally.x > 0
        assert 0 <= tally.converged <= tally.trials


@given(st.one_of(anything, st.lists(anything, max_size=3)), anything)
def test_grid_plan(values, repetitions):
    plan = valid(GridPlan, values, repetitions)
    if plan:
        assert plan.ask([], 0) == tuple((n, repetitions) for n in sorted(plan.values))


@settings(deadline=None)
@given(anything, anything, anything, anything, anything)
def test_threshold_plan(low, high, width, batch, most):
    plan = valid(ThresholdPlan, low, high, width, batch, most)
    if plan:
        asked = plan.ask([], 0)
        assert all(low <= n <= high for n, _ in asked)
        assert sum(trials for _, trials in asked) == min(-(-batch // 4), most)


@given(anything)
def test_round(index):
    for plan in (GridPlan((10, 20), 5), ThresholdPlan(10, 20)):
        asked = valid(plan.ask, [], index)
        assert asked is None or (index >= 0 and isinstance(asked, tuple))


@settings(deadline=None)
@given(anything, anything)
def test_range(low, high):
    if valid(Posterior, [], low, high):
        assert 0 < low < high


@given(anything)
def test_level(level):
    interval = valid(Posterior([], 10, 20).interval, level)
    assert interval is None or 0 < level < 1


@pytest.mark.parametrize("values", [(), (5, 5), "55", (0,), (2.5,)])
def test_values_refused(values):
    with pytest.raises(ValueError, match="values"):
        GridPlan(values, 3)
