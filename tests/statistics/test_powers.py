"""Exponents against SciPy's regression and normal theory, and the coverage of their intervals."""

import numpy as np
import pytest
from scipy import stats

from jaxflow.statistics.powers import power_law

X = np.repeat([100.0, 200, 400, 800], 30)


def measured(rng, exponent=-0.7, spread=0.2):
    return 5 * X**exponent * np.exp(spread * rng.standard_normal(len(X)))


def test_the_exponent_is_that_of_the_regression():
    """And its interval that of independent normal errors of known size, at every x."""
    y = measured(np.random.default_rng(1))
    found = power_law(X, y)
    regression = stats.linregress(np.log(X), np.log(y))
    assert found.exponent == pytest.approx(regression.slope, rel=1e-10)
    assert found.trials == len(X)
    fitted = np.exp(regression.intercept) * found.x**regression.slope
    np.testing.assert_allclose(found.at(found.x), fitted)
    width = (found.high - found.low) / 2
    assert width == pytest.approx(1.96 * regression.stderr, rel=0.15)
    np.testing.assert_allclose(found.mean, stats.gmean(y.reshape(4, 30), axis=1))
    assert np.all((found.mean_low < found.mean) & (found.mean < found.mean_high))


def test_intervals_cover():
    """95 % of them: between 90 % and 99 % of 200."""
    rng = np.random.default_rng(2)
    found = [power_law(X, measured(rng)) for _ in range(200)]
    covered = sum(law.low <= -0.7 <= law.high for law in found)
    assert 180 <= covered <= 198


def test_the_misfit_of_a_power_is_that_of_chance_and_of_another_law_more():
    rng = np.random.default_rng(3)
    found = np.array([power_law(X, measured(rng)).misfit for _ in range(200)])
    assert found.mean() == pytest.approx(1, abs=0.2)  # chi^2 with 2 degrees of freedom, over 2
    assert np.mean(found > stats.chi2.ppf(0.9, 2) / 2) == pytest.approx(0.1, abs=0.06)
    bent = power_law(X, measured(rng) * np.exp(0.3 * np.log(X / 300) ** 2))
    assert bent.misfit > 5
    assert np.isnan(power_law([1, 1, 2, 2], [1, 2, 3, 4]).misfit)


def test_an_exact_power_has_no_error():
    found = power_law([1, 1, 10, 100], [2, 2, 20, 200])
    assert (found.exponent, found.low, found.high) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize(
    ("x", "y"), [([1, 2], [1]), ([1, 2], [1, 0]), ([1, 1], [1, 2]), ([1, 2], [1, np.nan])]
)
def test_mistakes_are_one_line(x, y):
    with pytest.raises(ValueError, match="expected") as caught:
        power_law(x, y)
    assert "\n" not in str(caught.value)
