"""Means and exponents against SciPy and against numbers whose law is known."""

import numpy as np
import pytest
from scipy import stats

from jaxflow.statistics.means import mean_exponent, mean_interval


def test_the_interval_of_a_mean_is_that_of_student():
    values = np.random.default_rng(0).normal(3, 2, (7, 4))
    found = mean_interval(values)
    expected = stats.t.interval(0.95, 6, values.mean(0), stats.sem(values, axis=0))
    np.testing.assert_allclose(found.mean, values.mean(0))
    np.testing.assert_allclose((found.low, found.high), expected)


def test_one_more_trial_lies_in_its_interval_as_often_as_said():
    values = np.random.default_rng(1).normal(size=(4, 20000))
    found = mean_interval(values[:3], of_one=True)
    covered = np.mean((found.low < values[3]) & (values[3] < found.high))
    assert covered == pytest.approx(0.95, abs=0.01)


def test_the_exponent_of_a_power_law():
    """By hand without noise; covered as often as said with it."""
    x = np.array([2, 4, 8, 32.0])
    exact = mean_exponent(x, np.stack([5 * x**-0.5, 7 * x**-0.5]))
    np.testing.assert_allclose(exact, -0.5)
    rng = np.random.default_rng(2)
    drawn = [x**1.5 * np.exp(0.3 * rng.normal(size=(5, 4))) for _ in range(2000)]
    ends = np.array([mean_exponent(x, values)[1:] for values in drawn])
    covered = np.mean((ends[:, 0] < 1.5) & (ends[:, 1] > 1.5))
    assert covered == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mean_interval([1.0]),
        lambda: mean_interval(3.0),
        lambda: mean_interval([1.0, 2.0], level=1.5),
        lambda: mean_exponent([1, 1], [[1, 2], [1, 2]]),
        lambda: mean_exponent([1, 2], [1, 2]),
        lambda: mean_exponent([1, 2], [[1, 0], [1, 2]]),
    ],
)
def test_mistakes(call):
    with pytest.raises(ValueError, match="expected"):
        call()
