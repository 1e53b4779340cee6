"""Exponents against SciPy's regression and normal theory, and the coverage of their intervals."""

import numpy as np
import pytest
from scipy import stats

from jaxflow.statistics.powers import mean_exponent, power_law, slope

X = np.repeat([100.0, 200, 400, 800], 30)


def measured(rng, exponent=-0.7, spread=0.2):
    return 5 * X**exponent * np.exp(spread * rng.standard_normal(len(X)))


def test_the_exponent_is_that_of_the_regression():
    """Of trials with errors of one size; its interval is wider by what a scatter might be."""
    y = measured(np.random.default_rng(1))
    found = power_law(X, y)
    regression = stats.linregress(np.log(X), np.log(y))
    assert found.exponent == pytest.approx(regression.slope, abs=0.2 * regression.stderr)
    assert found.trials == len(X)
    fitted = np.exp(regression.intercept) * found.x**regression.slope
    np.testing.assert_allclose(found.at(found.x), fitted, rtol=0.01)
    assert found.high - found.low > 2 * 1.96 * 0.9 * regression.stderr
    np.testing.assert_allclose(found.mean, stats.gmean(y.reshape(4, 30), axis=1))
    assert np.all((found.mean_low < found.mean) & (found.mean < found.mean_high))


def test_intervals_cover():
    """Also where the means scatter about the power by more than their errors, of 4 % each."""
    rng = np.random.default_rng(2)
    for scatter in (0.0, 0.08):
        covered = 0
        for _ in range(60):
            moved = np.repeat(scatter * rng.normal(size=4), 30)
            law = power_law(X, measured(rng) * np.exp(moved))
            covered += law.low <= -0.7 <= law.high
        assert covered >= 52  # 57, 3 standard errors


def test_the_misfit_of_a_power_is_that_of_chance_and_of_another_law_more():
    rng = np.random.default_rng(3)
    found = np.array([power_law(X, measured(rng)).misfit for _ in range(60)])
    assert found.mean() == pytest.approx(1, abs=0.4)  # chi^2 with 2 degrees of freedom, over 2
    assert np.mean(found > stats.chi2.ppf(0.9, 2) / 2) == pytest.approx(0.1, abs=0.1)
    bent = power_law(X, measured(rng) * np.exp(0.3 * np.log(X / 300) ** 2))
    assert bent.misfit > 5
    assert np.isnan(power_law([1, 1, 2, 2], [1, 2, 3, 4]).misfit)


def test_an_exact_power_has_no_error():
    found = power_law([1, 1, 10, 100], [2, 2, 20, 200])
    assert (found.exponent, found.low, found.high) == pytest.approx((1, 1, 1), abs=1e-4)


def test_a_slope_is_that_of_the_regression():
    rng = np.random.default_rng(4)
    x, y = rng.normal(5, 1, 9), rng.normal(size=(3, 4, 9))
    found = slope(x, y)
    assert found.shape == (3, 4)
    for i, j in np.ndindex(3, 4):
        assert found[i, j] == pytest.approx(stats.linregress(x, y[i, j]).slope, rel=1e-10)
    each = rng.normal(size=(3, 4, 9))
    expected = [[np.polyfit(each[i, j], y[i, j], 1)[0] for j in range(4)] for i in range(3)]
    np.testing.assert_allclose(slope(each, y), expected, rtol=1e-10)


def test_the_exponent_of_trials_measured_everywhere():
    """By hand without noise; covered as often as said with it."""
    x = np.array([2, 4, 8, 32.0])
    exact = mean_exponent(x, np.stack([5 * x**-0.5, 7 * x**-0.5]))
    np.testing.assert_allclose(exact, -0.5)
    rng = np.random.default_rng(2)
    drawn = [x**1.5 * np.exp(0.3 * rng.normal(size=(5, 4))) for _ in range(2000)]
    ends = np.array([mean_exponent(x, values)[1:] for values in drawn])
    covered = np.mean((ends[:, 0] < 1.5) & (ends[:, 1] > 1.5))
    assert covered == pytest.approx(0.95, abs=0.02)


def test_where_trials_differ_as_a_whole_their_own_exponents_know_better():
    """A factor for each trial, the same at all x, widens `power_law` and not `mean_exponent`."""
    rng = np.random.default_rng(6)
    x = np.array([2, 4, 8, 32.0])
    values = x**-0.5 * np.exp(rng.normal(size=(12, 1)) + 0.05 * rng.normal(size=(12, 4)))
    paired, apart = mean_exponent(x, values), power_law(np.tile(x, 12), values.ravel())
    assert apart.low < paired.value < apart.high
    assert paired.low < -0.5 < paired.high
    assert apart.high - apart.low > 5 * (paired.high - paired.low)


@pytest.mark.parametrize(
    ("x", "y"), [([1, 2], [1]), ([1, 2], [1, 0]), ([1, 1], [1, 2]), ([1, 2], [1, np.nan])]
)
def test_mistakes_are_one_line(x, y):
    with pytest.raises(ValueError, match="expected") as caught:
        power_law(x, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("x", "values"), [([1, 1], [[1, 2], [1, 2]]), ([1, 2], [1, 2]), ([1, 2], [[1, 0], [1, 2]])]
)
def test_mistakes_of_trials_measured_everywhere(x, values):
    with pytest.raises(ValueError, match="expected"):
        mean_exponent(x, values)
