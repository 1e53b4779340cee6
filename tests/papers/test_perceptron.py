"""Cover's formula against counting, Gardner's against the integral that it is."""

from math import comb

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from jaxflow.papers.perceptron import capacity, separable


def test_the_formula_is_the_count():
    for n in (1, 2, 5, 9, 40):
        for d in (1, 2, 3, 9, 20, 60):
            expected = sum(comb(n - 1, k) for k in range(d)) / 2 ** (n - 1)
            assert separable(n, d) == pytest.approx(expected, rel=1e-12)


def test_one_half_at_twice_the_dimension():
    d = np.array([1, 10, 60, 500])
    np.testing.assert_allclose(separable(2 * d, d), 0.5, rtol=1e-12)
    with pytest.raises(ValueError, match="whole n >= 1"):
        separable(0, 3)


@pytest.mark.parametrize(("kappa", "known"), [(0, 2.0), (0.25, 1.3646), (0.5, 0.9612), (1, 0.5196)])
def test_the_capacity_is_the_inverse_of_an_average(kappa, known):
    average, _ = quad(lambda t: norm.pdf(t) * (t + kappa) ** 2, -kappa, np.inf)
    assert capacity(kappa) == pytest.approx(1 / average, rel=1e-10)
    assert capacity(kappa) == pytest.approx(known, rel=1e-3)
