"""Cover's formula against counting, and the flow against it."""

from math import comb

import numpy as np
import pytest

from jaxflow.papers.perceptron import separable


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
