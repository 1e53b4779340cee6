"""Widths that follow n, by the published rule and by the exponent of a rate."""

import pytest

from jaxflow.core.types import Point
from jaxflow.papers.rules import width_rule
from jaxflow.sampling.axes import Axes
from jaxflow.study.study import Study

SHRINK = "ensemble.initialization.shrink"
TABLE = {
    "name": "x",
    "axes": {"d": [2000], "n": [100, 1000], "failure": [0.05]},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [0.01], "repetitions": 1, "along": SHRINK},
}


def test_every_n_has_its_own_width():
    axes = Axes(d=(5,), n=(100, 1000), failure=(0.05, 0.5))
    points = list(axes.points(SHRINK, "flow"))
    widths = [(n, width_rule(n, x)) for n in (100, 1000) for x in (0.05, 0.5)]
    expected = [Point(5, n, p, ((SHRINK, 0.0),)) for n, p in widths]
    assert points == expected


def test_widths_of_a_rate_are_numbers_of_groups():
    axes = Axes(d=(5,), n=(16, 256), alpha=(0.5, 0.75, 1.0))
    assert [point.p for point in axes.points(SHRINK, "flow")] == [1, 4, 16, 1, 16, 256]


def test_a_width_that_two_rules_share_is_there_once():
    assert Axes(n=(10,), alpha=(0.5, 0.51)).widths(10) == (1,)


def test_other_studies_have_the_identity_they_had():
    """No key of the rules is in their table; a rule comes back from its table."""
    plain = Study.load("demo")
    assert set(plain.table["axes"]) == {"d", "n", "p", "parameters"}
    study = Study.from_table(TABLE)
    assert study.table["axes"]["failure"] == [0.05]
    assert Study.from_table(study.table) == study
    assert [slice.base.p for slice in study.slices()] == [width_rule(n, 0.05) for n in (100, 1000)]


@pytest.mark.parametrize(
    ("axes", "plan", "word"),
    [
        ({"p": [3]}, {}, "one of p, failure and alpha"),
        ({"failure": [1.5]}, {}, "0 < failure < 1"),
        ({"failure": [], "alpha": [0.4]}, {}, "alpha"),
        ({"failure": []}, {}, "values of p"),
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
