"""Intervals against SciPy, asymptotic theory and their own coverage; counts drawn again."""

import numpy as np
import pytest
from scipy import stats

from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Posterior
from jaxflow.statistics.powers import slope
from jaxflow.statistics.resamples import (
    bootstrap,
    mean_interval,
    percentiles,
    redrawn,
    resampled,
)


def mean(groups):
    return np.mean(groups[0], axis=-1)


def medians(groups):
    return np.stack([np.median(group, axis=-1) for group in groups], axis=-1)


def test_the_interval_of_a_mean_is_that_of_student():
    values = np.random.default_rng(0).normal(3, 2, (7, 4))
    found = mean_interval(values)
    expected = stats.t.interval(0.95, 6, values.mean(0), stats.sem(values, axis=0))
    np.testing.assert_allclose(found.value, values.mean(0))
    np.testing.assert_allclose((found.low, found.high), expected)


def test_one_more_trial_lies_in_its_interval_as_often_as_said():
    values = np.random.default_rng(1).normal(size=(4, 20000))
    found = mean_interval(values[:3], of_one=True)
    covered = np.mean((found.low < values[3]) & (values[3] < found.high))
    assert covered == pytest.approx(0.95, abs=0.01)


def test_the_interval_of_a_bootstrap_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        found = bootstrap([rng.normal(1.0, 1.0, 40)], mean, seed, 400)
        inside += found.low <= 1.0 <= found.high
    assert 178 <= inside <= 200  # 190 expected, standard deviation 3.1; a little narrow at 40


def test_the_bootstrap_is_that_of_scipy():
    """Other draws of the same distribution: the ends differ by what 20 000 draws leave."""
    values = np.random.default_rng(3).exponential(size=50)
    ours = bootstrap([values], mean, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    )
    assert ours.value == values.mean()
    expected = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx(tuple(expected), abs=0.1 * theirs.standard_error)


def test_groups_are_drawn_by_themselves_and_trials_whole():
    pairs = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    groups = [pairs, [7.0], [5.0, 6.0]]

    def kept(found):
        assert [group.shape for group in found] == [(50, 3, 2), (50, 1), (50, 2)]
        np.testing.assert_array_equal(found[0][..., 1], 10 * found[0][..., 0])
        assert set(found[2].flat) == {5, 6}
        return found[1][..., 0]

    drawn = resampled(groups, kept, np.random.default_rng(0), 50)
    np.testing.assert_array_equal(drawn, np.full(50, 7.0))


def test_draws_are_those_of_one_resample_after_another():
    """A group's place in the sequence is fixed, so that an interval once told stays what it is."""
    groups = [np.arange(5.0), np.arange(10.0, 13.0)]
    rng, kept = np.random.default_rng(4), []
    for _ in range(20):
        kept.append([group[rng.integers(len(group), size=len(group))] for group in groups])
    one, other = (np.array(found) for found in zip(*kept, strict=True))

    def same(found):
        np.testing.assert_array_equal(found[0], one)
        np.testing.assert_array_equal(found[1], other)
        return found[0].mean(-1)

    resampled(groups, same, np.random.default_rng(4), 20)


def test_the_slope_of_medians_and_its_error():
    """Against the asymptotic standard error 1/(2 f(median) sqrt(n)) of a normal sample's median."""
    rng = np.random.default_rng(1)
    x = np.log([25.0, 50.0, 100.0, 200.0])
    groups = [0.125 * place + 0.3 * rng.normal(size=400) for place in x]

    def grown(found):
        return slope(x, medians(found))

    found = bootstrap(groups, grown)
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    error = 0.3 * np.sqrt(np.pi / 2 / 400) * np.linalg.norm(weights)
    assert found.value == pytest.approx(np.dot(weights, [np.median(g) for g in groups]))
    assert (found.high - found.low) / 3.92 == pytest.approx(error, rel=0.25)
    assert found.low < 0.125 < found.high
    assert found == bootstrap(groups, grown)


def test_percentiles_leave_a_fortieth_at_either_end():
    low, high = percentiles(np.stack([np.arange(41), -np.arange(41)], axis=1))
    assert (low.tolist(), high.tolist()) == ([1, -39], [39, -1])


def test_counts_drawn_again_are_binomial_at_the_mean_of_the_posterior():
    tallies = [Tally(100, 9, 10), Tally(200, 4, 10), Tally(300, 40, 400)]
    posterior = Posterior(tallies, 50, 500)
    drawn = redrawn(tallies, posterior, np.random.default_rng(0), 4000)
    chance = posterior.curve([100, 200, 300])[0]
    trials = np.array([10, 10, 400])
    error = np.sqrt(trials * chance * (1 - chance) / 4000)
    assert np.all(np.abs(drawn.mean(axis=0) - trials * chance) < 4 * error)
    assert drawn.var(axis=0) == pytest.approx(trials * chance * (1 - chance), rel=0.1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mean_interval([1.0]),
        lambda: mean_interval(3.0),
        lambda: mean_interval([1.0, 2.0], level=1.5),
        lambda: bootstrap([[1.0], []], mean),
        lambda: bootstrap([], mean),
    ],
)
def test_mistakes_are_one_line(call):
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert "\n" not in str(caught.value)
