"""The limit of long times, against trials whose boundaries are drawn."""

import numpy as np
import pytest

from jaxflow.statistics.limit import limit

PLACES = (60, 70, 80, 90, 100, 110, 125)
TIMES = (1e2, 1e3, 1e4, 1e5)
LAW = 100.0, 2.5, 1.0, 0.3  # N, z, A, 10-90 % width


def counted(seed, trials=250, times=TIMES, law=LAW):
    """How many of the trials at each place have T = A (1 - n/N_i)^-z within each time."""
    boundary, exponent, amplitude, width = law
    rng, found = np.random.default_rng(seed), []
    for n in PLACES:
        own = boundary * np.exp(rng.logistic(scale=width / (2 * np.log(9)), size=trials))
        time = np.where(n < own, amplitude * np.maximum(1 - n / own, 1e-12) ** -exponent, np.inf)
        found.append([int(np.sum(time <= t)) for t in times])
    return PLACES, [trials] * len(PLACES), found, times


def test_the_law_of_very_many_trials_is_found():
    found = limit(*counted(0, trials=200_000))
    assert found.threshold == pytest.approx(100, rel=0.003)
    assert found.exponent == pytest.approx(2.5, rel=0.05)
    assert found.amplitude == pytest.approx(1.0, rel=0.2)
    assert found.width == pytest.approx(0.3, rel=0.03)
    assert found.low < 100 < found.high
    exact = 100 * (1 - np.array(TIMES) ** (-1 / 2.5))
    np.testing.assert_allclose(found.by(TIMES), exact, rtol=0.01)
    assert found.by(found.amplitude / 2) == 0


def test_a_unit_of_time_or_of_places_changes_nothing_else():
    places, trials, found, times = counted(1)
    one = limit(places, trials, found, times)
    other = limit(np.array(places) * 7, trials, found, np.array(times) * 100)
    assert other.threshold == pytest.approx(7 * one.threshold, rel=1e-3)
    assert (other.low, other.high) == pytest.approx((7 * one.low, 7 * one.high), rel=1e-3)
    assert other.amplitude == pytest.approx(100 * one.amplitude, rel=0.02)


def test_where_nothing_slows_the_limit_is_the_threshold():
    found = limit(*counted(2, law=(100.0, 2.5, 1e-9, 0.3)))
    assert found.low < 100 < found.high and found.high - found.low < 10
    np.testing.assert_allclose(found.by(TIMES), found.threshold, rtol=0.01)


def test_a_threshold_that_grows_like_the_logarithm_of_time_has_no_limit():
    times = np.array([1e1, 1e2, 1e3, 1e4])
    chance = 1 / (1 + (np.array(PLACES)[:, None] / (40 + 8 * np.log(times))) ** 15)
    found = limit(PLACES, [100] * 7, np.round(100 * chance), times)
    assert found.high == np.inf


@pytest.mark.parametrize(
    ("converged", "times", "words"),
    [
        ([[1, 2]], [1, 2], "3 times"),
        ([[1, 2, 3]], [1, 3, 2], "3 times"),
        ([[1, 2]], [1, 2, 3], "converged"),
        ([[2, 1, 3]], [1, 2, 3], "counts that grow"),
        ([[2, 3, 9]], [1, 2, 3], "counts that grow"),
    ],
)
def test_mistakes(converged, times, words):
    with pytest.raises(ValueError, match=words):
        limit([10], [5], converged, times)


@pytest.mark.slow
def test_the_interval_holds_the_truth():
    """In 95 % of 200; 90 % are three standard errors less."""
    found = [limit(*counted(seed)) for seed in range(200)]
    coverage = np.mean([one.low <= 100 <= one.high for one in found])
    print(coverage)
    assert coverage >= 0.90
