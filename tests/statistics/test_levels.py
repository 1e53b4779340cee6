"""Means along an axis and where they cross a level: by hand, and by their own coverage."""

import numpy as np
import pytest

from jaxflow.statistics.levels import crossing, means, pooled

X = (10.0, 20.0, 40.0, 80.0)


def groups(*values, spread=(0.0,)):
    return [value + np.asarray(spread) for value in values]


def test_the_crossing_is_linear_in_the_logarithm():
    found = crossing(X, groups(1.0, 0.8, 0.4, 0.2), 0.6)
    assert found.value == pytest.approx(20 * 2**0.5)
    assert found.low == found.high == pytest.approx(20 * 2**0.5)  # trials that are all alike


def test_of_several_crossings_it_is_the_last():
    assert crossing(X, groups(0.0, 1.0, 0.0, 0.0), 0.5).value == pytest.approx(20 * 2**0.5)
    assert crossing(X, groups(0.0, 1.0, 0.0, 1.0), 0.5).value == pytest.approx(40 * 2**0.5)


def test_a_crossing_beyond_the_places_is_on_the_side_where_the_mean_is_nearer():
    assert crossing(X, groups(1.0, 0.9, 0.8, 0.7), 0.5).value == np.inf
    assert crossing(X, groups(0.4, 0.3, 0.2, 0.1), 0.5).value == 0
    assert np.isnan(crossing(X, groups(1.0, 1.0, 1.0, 1.0), 0.5).value)


def test_an_interval_may_be_open():
    rng = np.random.default_rng(0)
    found = crossing(X, [rng.normal(x, 0.3, 20) for x in (1.0, 0.8, 0.7, 0.52)], 0.5)
    assert 20 < found.low < np.inf and found.high == np.inf


def test_intervals_cover_as_often_as_they_say():
    """The mean 1 - log2(x/10)/3 is 1/2 at 10 * 2^1.5."""
    rng, exact, inside = np.random.default_rng(1), 10 * 2**1.5, 0
    for _ in range(200):
        drawn = [rng.normal(1 - k / 3, 0.4, 40) for k in range(4)]
        found = crossing(X, drawn, 0.5)
        inside += found.low <= exact <= found.high
    assert 180 <= inside <= 199  # 190 expected, standard deviation 3.1


def test_a_mean_of_one_trial_has_no_interval():
    found = means([np.array([1.0]), np.array([1.0, 3.0, 2.0])])
    np.testing.assert_allclose(found.value, [1.0, 2.0])
    assert np.isnan(found.low[0]) and np.isnan(found.high[0])
    assert 1.0 <= found.low[1] < 2.0 < found.high[1] <= 3.0


def test_one_place_is_no_axis():
    with pytest.raises(ValueError, match="two places or more along an axis"):
        crossing([10.0], groups(1.0), 0.5)


def test_places_of_few_trials_are_pooled():
    one = np.ones(1)
    x, found = pooled([1.0, 2.0, 4.0, 8.0, 16.0], [np.ones(12), one, one, np.ones(10), one])
    assert [len(group) for group in found] == [12, 13]
    assert x[0] == 1.0 and 4.0 < x[1] < 8.5
    x, found = pooled([1.0, 2.0], [one, one])
    assert (x.tolist(), [len(group) for group in found]) == ([1.0, 2.0], [1, 1])


def test_pooling_keeps_the_coverage_of_an_adaptive_study():
    """Ones and twos of trials at thirty places: as exact as they seem, they are not."""
    rng, inside = np.random.default_rng(2), 0
    for _ in range(200):
        x = np.sort(10 * 2 ** rng.uniform(0, 3, 30))
        drawn = [rng.normal(1 - np.log2(at / 10) / 3, 0.4, rng.integers(1, 6)) for at in x]
        found = crossing(*pooled(x, drawn), 0.5)
        inside += found.low <= 10 * 2**1.5 <= found.high
    assert inside >= 176  # of 190 expected


def test_near_an_end_of_an_adaptive_study_a_crossing_is_found():
    """Where most trials are in the middle, as a search leaves them, and those at the ends few."""
    rng, inside, found = np.random.default_rng(3), 0, 0
    for _ in range(200):
        x = np.unique(np.round(50 * np.exp(rng.normal(0, 0.5, 40))))
        drawn = [
            0.1 * (at / 50) ** -1.5 * np.exp(rng.normal(0, 0.3, rng.integers(1, 3))) for at in x
        ]
        told = crossing(*pooled(x, drawn), 0.05)
        truth = 50 * (2 * np.exp(0.3**2 / 2)) ** (1 / 1.5)
        found += 0 < told.value < np.inf
        inside += told.low <= truth <= told.high
    assert found >= 180 and inside >= 170
