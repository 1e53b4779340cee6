"""Crossings, rates and intervals against paths and samples of which they are known."""

import numpy as np
import pytest

from jaxflow.statistics.trajectories import bootstrap, median_slope, stays_positive, tail_rate


def test_the_last_crossing_is_linear_between_times():
    assert stays_positive([0, 1, 3, 4], [-2, -1, 3, 5]) == 1.5
    assert stays_positive([0, 1, 2, 3], [1, -1, 1, 1]) == 1.5
    assert stays_positive([0, 1], [1, 0]) == np.inf
    assert stays_positive([2, 3], [1, 1]) == 2


def test_the_rate_is_that_of_the_tail_alone():
    """Two exponentials: early on the faster one, in the tail the slower."""
    t = np.linspace(0, 10, 101)
    y = np.exp(-1.5 * t) + 50 * np.exp(-9 * t)
    assert tail_rate(t, y, 1e-2, 1e-6) == pytest.approx(1.5, rel=1e-6)
    assert tail_rate(t, y, 40, 2) > 6
    bumpy = np.where(t < 2, 1e-3, y)  # below `high` before it rises again
    bumpy[20] = 1.0
    assert tail_rate(t, bumpy, 1e-1, 1e-6) == pytest.approx(1.5, rel=1e-6)
    assert np.isnan(tail_rate(t, y, 1e-9, 1e-10))


def test_the_interval_of_a_mean_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        found = bootstrap([rng.normal(1.0, 1.0, 40)], lambda g: float(np.mean(g[0])), seed, 400)
        inside += found.low <= 1.0 <= found.high
    assert 178 <= inside <= 200  # 190 expected, standard deviation 3.1; a little narrow at 40


def test_the_slope_of_medians_and_its_error():
    """Against the asymptotic standard error 1/(2 f(median) sqrt(n)) of a normal sample's median."""
    rng = np.random.default_rng(1)
    x = np.log([25.0, 50.0, 100.0, 200.0])
    groups = [0.125 * place + 0.3 * rng.normal(size=400) for place in x]
    found = bootstrap(groups, median_slope(x))
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    error = 0.3 * np.sqrt(np.pi / 2 / 400) * np.linalg.norm(weights)
    assert found.value == pytest.approx(np.dot(weights, [np.median(g) for g in groups]))
    assert (found.high - found.low) / 3.92 == pytest.approx(error, rel=0.25)
    assert found.low < 0.125 < found.high
    assert found == bootstrap(groups, median_slope(x))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: stays_positive([0, 1], [1]),
        lambda: tail_rate([0, 1], [1, 1], 1e-3, 1e-2),
        lambda: bootstrap([[1.0], []], median_slope([0, 1])),
    ],
)
def test_mistakes_are_one_line(mistake):
    with pytest.raises(ValueError, match="expected") as caught:
        mistake()
    assert "\n" not in str(caught.value)
