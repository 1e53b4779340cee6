import pytest

from jaxflow.core.types import Point
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.plan import Plan, rises
from jaxflow.statistics.counts import Tally
from jaxflow.study.study import Study


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


def test_values_of_a_parameter_need_not_be_whole():
    plan = GridPlan((0.3, 0.1), 2, along="problem.labels.noise")
    assert plan.ask([], 0) == ((0.1, 2), (0.3, 2))
    assert not plan.rising
    assert rises(GridPlan((10, 20), 2, along="p"))


def test_a_rising_grid_estimates_a_rising_threshold():
    tallies = [Tally(10, 0, 20), Tally(20, 10, 20), Tally(40, 20, 20)]
    assert GridPlan((10, 20, 40), 20, along="d").posterior(tallies).median == pytest.approx(
        20, 0.05
    )


def test_values_may_be_multiples_of_sizes():
    plan = GridPlan([0.5, 1.3], 2, per=["d", "p"])
    assert plan.at(Point(10, 0, 3)) == GridPlan((15, 39), 2)
    assert plan.at(Point(5, 0, 1)).ask([], 0) == ((2, 2), (6, 2))  # whole numbers
    plain = GridPlan((10, 20), 2)
    assert plain.at(Point(10, 0, 3)) is plain


@pytest.mark.parametrize(
    ("axis", "per"), [("n", ["n"]), ("n", ["d", "d"]), ("n", ["q"]), ("problem.labels.low", ["d"])]
)
def test_other_units_are_refused(axis, per):
    with pytest.raises(ValueError, match="per"):
        GridPlan([1, 2], 2, along=axis, per=per)


def test_every_slice_of_a_study_has_its_own_list():
    table = {
        "name": "multiples",
        "axes": {"d": [4, 6], "p": [2]},
        "dynamics": {"flow": {"kind": "flow"}},
        "grid": {"values": [1, 2.5], "repetitions": 3, "per": ["d", "p"]},
    }
    study = Study.from_table(table)
    assert [slice.plan.values for slice in study.slices()] == [(8, 20), (12, 30)]
    assert Study.from_table(study.table) == study
    plain = Study.from_table({**table, "grid": {"values": [8], "repetitions": 3}})
    assert "per" not in plain.table["grid"]  # hashed as ever
