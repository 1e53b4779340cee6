import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxflow.sweep import GridPlan, Plan, Tally


def test_round_zero_asks_what_is_missing():
    plan = GridPlan((30, 10, 20), 5)
    assert plan.ask([], 0) == ((10, 5), (20, 5), (30, 5))
    known = [Tally(10, 1, 3), Tally(20, 5, 5), Tally(10, 0, 1), Tally(99, 0, 9)]
    assert plan.ask(known, 0) == ((10, 1), (30, 5))
    assert plan.ask([], 1) == ()


def test_a_list_from_toml_is_a_tuple():
    plan: Plan = GridPlan([10, 20], 5)
    assert plan == GridPlan((10, 20), 5)
    assert hash(plan) == hash(GridPlan((10, 20), 5))
    assert (plan.low, plan.high) == (10, 20)


number = st.one_of(st.integers(-2, 9), st.floats(), st.text(max_size=2), st.booleans(), st.none())


@given(st.one_of(number, st.lists(number, max_size=3)), number, number)
def test_a_plan_is_valid_or_refused_in_one_line(values, repetitions, index):
    try:
        asked = GridPlan(values, repetitions).ask([], index)
    except ValueError as error:
        assert str(error).startswith("expected ")
        assert "\n" not in str(error)
    else:
        assert asked == (() if index else tuple((n, repetitions) for n in sorted(values)))


@pytest.mark.parametrize("values", [(), (5, 5), "55", 5, (0,), (2.5,)])
def test_values_refused(values):
    with pytest.raises(ValueError, match="values"):
        GridPlan(values, 3)
