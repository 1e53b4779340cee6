"""The simultaneous band and its p value by enumeration and by simulation."""

from itertools import product
from math import factorial

import numpy as np
import pytest
from scipy import stats

from jaxflow.statistics.uniformity import coverage, histogram, uniformity


def every_histogram(total, bins):
    """All counts in equal bins, with their multinomial probabilities."""
    for counts in product(range(total + 1), repeat=bins):
        if sum(counts) == total:
            ways = factorial(total) / np.prod([float(factorial(c)) for c in counts])
            yield counts, ways / bins**total


def statistic(counts):
    """The g of the docstring, from SciPy's exact test of one binomial count against each side."""
    total, bins = sum(counts), len(counts)
    tails = []
    for i in range(1, bins):
        below = sum(counts[:i])
        for side in ("less", "greater"):
            tails.append(stats.binomtest(below, total, i / bins, alternative=side).pvalue)
    return 2 * min(tails)


@pytest.mark.parametrize(("total", "bins"), [(1, 2), (5, 3), (6, 4)])
def test_p_value_and_band_are_those_of_an_enumeration(total, bins):
    every = [(counts, chance, statistic(counts)) for counts, chance in every_histogram(total, bins)]
    assert sum(chance for _, chance, _ in every) == pytest.approx(1)
    held = 0.0
    for counts, chance, g in every:
        found = uniformity(counts, level=0.8)
        as_far = sum(other for _, other, h in every if h <= g * (1 + 1e-9))
        assert found.p_value == pytest.approx(as_far, abs=1e-12)
        held += chance * found.inside
        assert found.inside or found.p_value <= 0.2
    assert held >= 0.8 - 1e-12


@pytest.mark.parametrize(("total", "bins", "level"), [(60, 10, 0.9), (500, 200, 0.95)])
def test_the_band_holds_uniform_numbers_as_often_as_it_says(total, bins, level):
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(total, np.full(bins, 1 / bins), size=20_000)
    band = uniformity(drawn[0], level)
    share = np.cumsum(drawn, axis=1)[:, :-1] / total
    held = np.mean(np.all((band.low <= share) & (share <= band.high), axis=1))
    error = np.sqrt(level * (1 - level) / 20_000)
    assert level - 3 * error < held < level + 3 * error + 0.01  # counts are whole


def test_p_values_of_uniform_numbers_are_uniform_but_for_steps():
    rng = np.random.default_rng(1)
    p = [uniformity(histogram(rng.uniform(size=100), 20)).p_value for _ in range(100)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize(("a", "b"), [(0.8, 0.8), (1.25, 1.25), (1.0, 1.3), (1.3, 1.0)])
def test_too_narrow_too_wide_and_shifted_are_seen(a, b):
    """Posteriors that are too narrow put the truth at the ends, and so on."""
    values = np.random.default_rng(2).beta(a, b, size=2000)
    found = uniformity(histogram(values, 200))
    assert found.p_value < 1e-3
    assert not found.inside


def test_the_histogram_is_that_of_numpy():
    values = np.append(np.random.default_rng(3).uniform(size=1000), [0.0, 1.0])
    np.testing.assert_array_equal(histogram(values, 50), np.histogram(values, 50, (0, 1))[0])


def test_coverage_is_the_share_between_the_tails():
    counts = [3, 1, 4, 1, 5, 9, 2, 6]
    share, low, high = coverage(counts, 2)
    assert share == (4 + 1 + 5 + 9) / 31
    exact = stats.binomtest(19, 31).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize("counts", [[5], [1, -1, 2], [0.5, 1], [0, 0], [[1, 2], [3, 4]]])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match=r"^expected (whole counts|at least one count)"):
        uniformity(counts)


def test_values_that_are_no_masses_are_refused():
    with pytest.raises(ValueError, match=r"expected values in \[0, 1\]"):
        histogram([0.2, 1.1], 10)
    with pytest.raises(ValueError, match="tail"):
        coverage([1, 2, 3, 4], 2)
