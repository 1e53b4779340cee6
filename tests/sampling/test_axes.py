"""Axes and horizons: widths that follow n, flow times that follow the point."""

import pytest

from jaxflow.core.types import Point
from jaxflow.papers.bounds import published_horizon, width_rule
from jaxflow.sampling.axes import Axes, Horizon
from jaxflow.sampling.rules import GroupCount, StepsOfDescent, WellInitializedWidth
from jaxflow.study.study import Study

SHRINK = "problem.initialization.shrink"
TABLE = {
    "name": "x",
    "axes": {"d": [2000], "n": [100, 1000], "p": {"rule": "well_initialized", "failure": [0.05]}},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [0.01], "repetitions": 1, "along": SHRINK},
}


def test_every_n_has_its_own_width():
    axes = Axes(d=(5,), n=(100, 1000), p=WellInitializedWidth((0.05, 0.5)))
    points = list(axes.points(SHRINK, "flow"))
    widths = [(n, width_rule(n, x)) for n in (100, 1000) for x in (0.05, 0.5)]
    expected = [Point(5, n, p, ((SHRINK, 0.0),)) for n, p in widths]
    assert points == expected


def test_widths_of_a_rate_are_numbers_of_groups():
    axes = Axes(d=(5,), n=(16, 256), p=GroupCount((0.5, 0.75, 1.0)))
    assert [point.p for point in axes.points(SHRINK, "flow")] == [1, 4, 16, 1, 16, 256]


def test_a_width_that_two_rules_share_is_there_once():
    assert Axes(n=(10,), p=GroupCount((0.5, 0.51))).widths(10) == (1,)


def test_a_rule_comes_back_from_its_table():
    study = Study.from_table(TABLE)
    assert study.table["axes"]["p"] == TABLE["axes"]["p"]
    assert Study.from_table(study.table) == study
    assert [slice.base.p for slice in study.slices()] == [width_rule(n, 0.05) for n in (100, 1000)]


def test_horizons_are_multiples_of_a_rule_or_times():
    assert Horizon().labels == ("T0",)
    assert Horizon() == Horizon(factor=(1.0,), rule=StepsOfDescent())
    point, unit = Point(5, 100, 20), published_horizon(100, 20)
    assert Horizon(factor=(2, 1)).times(point) == (unit, 2 * unit)
    assert Horizon(time=(7.0, 3.0)).times(point) == (3.0, 7.0)
    assert Horizon(time=(7.0,)).labels == ("T = 7",)


@pytest.mark.parametrize("more", [{"factor": (1.0,)}, {"rule": StepsOfDescent()}])
def test_a_horizon_is_given_in_one_way(more):
    with pytest.raises(ValueError, match="leave one out"):
        Horizon(time=(1.0,), **more)


@pytest.mark.parametrize(
    ("axes", "plan", "word"),
    [
        ({"p": {"rule": "well_initialized", "failure": [1.5]}}, {}, "failure"),
        ({"p": {"rule": "groups", "alpha": [0.4]}}, {}, "alpha"),
        ({"p": {"rule": "group", "alpha": [0.5]}}, {}, "'groups'"),
        ({"p": {"rule": "well_initialized", "failure": []}}, {}, "distinct values of failure"),
        ({"p": []}, {}, "values of p"),
        ({"p": {"from": 10}}, {}, "axes.p.to"),
        ({"p": {"from": 10, "too": 40}}, {}, "{from, to}"),
        ({"p": {"from": 40, "to": 10}}, {}, "from < to"),
        ({"p": {"from": 2.5, "to": 10}}, {}, "p.from >= 1"),
        ({"p": {"from": 10, "to": 40}}, {}, "values on the axes of a grid"),
        ({"d": {"from": 10, "to": 40}, "p": {"rule": "groups", "alpha": [0.5]}}, {}, "range of d"),
        ({"n": []}, {"along": "n", "values": [5]}, "n listed"),
        ({}, {"along": "p", "values": [5]}, "n listed"),
    ],
)
def test_mistakes_are_one_line(axes, plan, word):
    table = {**TABLE, "axes": TABLE["axes"] | axes, "grid": TABLE["grid"] | plan}
    with pytest.raises(ValueError, match="expected") as caught:
        Study.from_table(table)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)
