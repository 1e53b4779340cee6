"""Which coordinates are chosen, and which are refused."""

import pytest

from jaxflow.engine.costs import cheapest, cost, flops
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.shallow.ensemble import Ensemble
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.padding import Shape

ADAM = GradientDescent(0.01, "adam")


def test_products_are_counted_by_hand():
    shape = Shape(D=3, N=5, P=2)
    assert flops("ambient", shape) == 2 * (2 * 5 * 3 * 2)  # X W^T and M^T X
    assert flops("span", shape) == 2 * 5 * 5 * 2  # G C
    assert flops("orthogonal", shape) == 0


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape(30, 800, 104), "ambient"),  # n > 2d
        (Shape(1000, 1024, 1024), "span"),
        (Shape(10_000, 96, 40), "span"),
    ],
)
def test_the_cheapest_by_shape(shape, expected):
    assert cheapest(Ensemble(), GradientFlow(), shape) == expected
    others = {"ambient", "span"} - {expected}
    assert cost(expected, shape) < min(cost(name, shape) for name in others)


def test_orthogonal_inputs_have_coordinates_of_their_own():
    assert cheapest(Ensemble(Orthogonal()), GradientFlow(), Shape(100, 96, 40)) == "orthogonal"


def test_what_is_wanted_is_taken_or_refused():
    shape = Shape(1000, 1024, 1024)
    assert cheapest(Ensemble(), GradientFlow(), shape, "ambient") == "ambient"
    with pytest.raises(ValueError, match=r"ambient.*span.*orthogonal"):
        cheapest(Ensemble(), GradientFlow(), shape, "orthogonal")


def test_updates_that_are_not_linear_stay_in_ambient_coordinates():
    assert cheapest(Ensemble(Orthogonal()), ADAM, Shape(1000, 1024, 1024)) == "ambient"
    with pytest.raises(ValueError, match="ambient"):
        cheapest(Ensemble(), ADAM, Shape(1000, 1024, 1024), "span")
