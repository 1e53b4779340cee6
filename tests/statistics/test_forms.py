"""Forms against their formulas: values at two places give the coefficients, and the curve, back."""

import numpy as np
import pytest

from jaxflow.statistics.forms import FORMS, form

X = np.array([20.0, 50, 130, 400])
TRUE = {
    "constant": (300.0,),
    "proportional": (9.7,),
    "linear": (0.366, 257.0),
    "power": (12.0, 0.93),
    "logarithmic": (72.4, -42.8),
    "exponential": (300.0, -0.01),
    "saturating": (400.0, 6000.0),
    "offset": (5.0, 0.4, 30.0),
}
FORMULAS = {
    "constant": lambda x, C: C + 0 * x,
    "proportional": lambda x, C: C * x,
    "linear": lambda x, a, b: a * x + b,
    "power": lambda x, a, b: a * x**b,
    "logarithmic": lambda x, a, b: a * np.log(x) + b,
    "exponential": lambda x, a, b: a * np.exp(b * x),
    "saturating": lambda x, a, b: a - b / x,
    "offset": lambda x, a, b, c: a * x**b + c,
}


@pytest.mark.parametrize("one", FORMS, ids=lambda one: one.name)
def test_coefficients_and_curve_are_those_of_the_formula(one):
    true, exact = TRUE[one.name], FORMULAS[one.name]
    np.testing.assert_allclose(one.curve(np.array(true), X), exact(X, *true))
    ends, b = X[[0, -1]], np.array(true[1] if one.has_exponent else 0.0)
    values = np.log(exact(ends, *true))[: one.anchors]
    np.testing.assert_allclose(one.named(values, ends, b), true, rtol=1e-9)
    weights, added = one.weights(X, ends, b)
    y = weights @ (values if one.logarithmic else np.exp(values)) + added
    np.testing.assert_allclose(np.exp(y) if one.logarithmic else y, exact(X, *true))


@pytest.mark.parametrize(("b", "name"), [(1.0, "linear"), (0.0, "logarithmic"), (-1, "saturating")])
def test_the_offset_form_holds_others_at_their_exponents(b, name):
    ends = X[[0, -1]]
    weights, _ = form("offset").weights(X, ends, np.array(float(b)))
    expected, _ = form(name).weights(X, ends, np.array(0.0))
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    assert name in form("offset").special_cases


@pytest.mark.parametrize("general", FORMS, ids=lambda one: one.name)
def test_special_cases_are_reached_by_coefficients_of_the_general_form(general):
    reached = {
        ("linear", "constant"): (0, 300), ("linear", "proportional"): (9.7, 0),
        ("power", "constant"): (300, 0), ("power", "proportional"): (9.7, 1),
        ("logarithmic", "constant"): (0, 300), ("saturating", "constant"): (300, 0),
        ("exponential", "constant"): (300, 0),
        ("offset", "constant"): (0, 1, 300), ("offset", "proportional"): (9.7, 1, 0),
        ("offset", "linear"): (0.366, 1, 257), ("offset", "power"): (12, 0.93, 0),
        ("offset", "logarithmic"): (72.4e6, 1e-6, -42.8 - 72.4e6),
        ("offset", "saturating"): (-6000, -1, 400),
    }  # fmt: skip
    assert {name for whole, name in reached if whole == general.name} == set(general.special_cases)
    for name in general.special_cases:
        coefficients = np.array(reached[general.name, name], float)
        special = form(name).curve(np.array(TRUE[name]), X)
        np.testing.assert_allclose(general.curve(coefficients, X), special, rtol=1e-4)
