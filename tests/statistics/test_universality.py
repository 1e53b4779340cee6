"""Differences of boundaries: by hand, by other libraries, and of ensembles of known truth."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats
from simulated import measured, simulate

from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.universality import Differences, differences, holm, verdict


def ensemble(sizes, ratio, seed, trials=60):
    """Posteriors of slices of a boundary N = 10 size ratio(size)."""
    return [measured(10 * L * ratio(L), seed, trials) for L in sizes]


def compared(sizes, ratio, seed, trials=60) -> Differences:
    """Two ensembles, the second with its thresholds at that ratio to those of the first."""
    first = ensemble(sizes, lambda L: 1.0, 2 * seed, trials)
    return differences(sizes, first, ensemble(sizes, ratio, 2 * seed + 1, trials))


def known(value, error=0.01, size=(10.0, 20.0, 40.0)) -> Differences:
    count = np.shape(value)
    return Differences(np.resize(size, count), np.array(value), np.broadcast_to(error, count))


def test_a_score_is_the_difference_of_log_thresholds_over_its_error():
    first, other = ensemble([20, 40], lambda L: 1.0, 0), ensemble([20, 40], lambda L: 1.1, 1)
    found = differences([20, 40], first, other)
    for i in range(2):
        lengths = [np.log(p.interval()[1] / p.interval()[0]) for p in (first[i], other[i])]
        error = np.hypot(*lengths) / 3.92
        assert found.z[i] == pytest.approx(np.log(other[i].median / first[i].median) / error)
    assert np.all(np.diff([found.value, np.log([1.1, 1.1])], axis=0) < 3 * found.error)


def test_the_parts_of_chi_squared_by_hand():
    rng = np.random.default_rng(0)
    error = rng.uniform(0.01, 0.03, 9)
    found = known(0.01 + error * rng.standard_normal(9), error)
    mean = np.average(found.value, weights=error**-2)
    scatter = np.sum(((found.value - mean) / error) ** 2)
    alone = stats.norm.sf(abs(mean) * np.sum(error**-2) ** 0.5) * 2
    assert found.common.value == pytest.approx(mean)
    assert found.common.p == pytest.approx(alone)
    assert found.common.p_scatter == pytest.approx(stats.chi2.sf(scatter, 8))
    assert found.p_all == pytest.approx(stats.chi2.sf(scatter + mean**2 * np.sum(error**-2), 9))
    assert found.p_normal == pytest.approx(stats.ks_1samp(found.z, stats.norm.cdf).pvalue)
    assert np.isnan(known([0.1, 0.2]).p_normal)
    assert found.p == pytest.approx(min(1, 2 * min(alone, found.common.p_scatter)))
    assert known([0.02]).p == pytest.approx(2 * stats.norm.sf(2))


def test_the_trend_is_the_regression_and_so_are_its_errors():
    rng = np.random.default_rng(1)
    size = np.array([10.0, 10, 20, 40, 80, 160])
    error = rng.uniform(0.01, 0.03, 6)
    for times in (0.1, 5.0):  # less scatter than the errors say, and more
        value = 0.05 - 0.3 * size**-0.5 + times * error * rng.standard_normal(6)
        trend = Differences(size, value, error).trend
        (slope, limit), covariance = np.polyfit(size**-0.5, value, 1, w=1 / error, cov="unscaled")
        excess = np.sum(((value - limit - slope * size**-0.5) / error) ** 2) / 4
        covariance *= max(1.0, excess)
        assert (trend.limit, trend.coefficient) == pytest.approx((limit, slope))
        assert trend.error == pytest.approx(covariance[0, 0] ** 0.5)
        half = 1.96 * covariance[1, 1] ** 0.5
        assert trend.at(np.inf) == pytest.approx((limit, limit - half, limit + half))
        at = np.array([30**-0.5, 1.0])
        found = trend.at(30.0)
        assert found.high - found.value == pytest.approx(1.96 * (at @ covariance @ at) ** 0.5)
        assert found.value == pytest.approx(at @ [slope, limit])
    assert known([0.1, 0.2], size=[7.0]).trend is None


def test_the_scatter_is_that_of_the_truth():
    """3 % on average, and 4 % beside it from place to place."""
    rng = np.random.default_rng(2)
    found = [known(0.03 + np.hypot(0.04, 0.01) * rng.standard_normal(8)).common for _ in range(600)]
    squares = [common.scatter**2 for common in found]
    assert np.mean(squares) == pytest.approx(0.04**2, rel=0.06)
    covered = np.mean([common.low <= 0.03 <= common.high for common in found])
    assert covered == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("places", [1, 2, 6])
def test_errors_that_are_normal_find_a_difference_as_often_as_said(places):
    rng = np.random.default_rng(3)
    found = [known(0.01 * rng.standard_normal(places)) for _ in range(1500)]
    share = np.mean([verdict(one).kind not in ("same", "open") for one in found])
    assert share == pytest.approx(0.05, abs=0.017)  # three standard errors
    covered = [one.common.low <= 0 <= one.common.high for one in found]
    assert np.mean(covered) >= 0.935


def test_equal_ensembles_differ_by_chance_alone():
    found = [compared([20, 40], lambda L: 1.0, seed, trials=20) for seed in range(200)]
    share = np.mean([verdict(one).kind not in ("same", "open") for one in found])
    assert share <= 0.07
    scores = np.concatenate([one.z for one in found])
    assert stats.kstest(scores, "norm").pvalue > 1e-3


@pytest.mark.slow
def test_three_percent_are_found_and_covered():
    found = [compared([20, 40], lambda L: 1.03, seed) for seed in range(1000)]
    told = Counter(verdict(one).kind for one in found)
    inside = [one.common.low <= np.log(1.03) <= one.common.high for one in found]
    print(told, np.mean(inside))
    assert told["different"] >= 900
    assert told["same"] + told["open"] == 0
    assert np.mean(inside) >= 0.93


@pytest.mark.slow
def test_a_difference_that_vanishes_is_told_as_such():
    sizes = [10, 20, 40, 80]
    found = [compared(sizes, lambda L: np.exp(-0.2 * L**-0.5), seed) for seed in range(200)]
    told = Counter(verdict(one, "d").kind for one in found)
    inside = [one.trend.at(np.inf).low <= 0 <= one.trend.at(np.inf).high for one in found]
    print(told, np.mean(inside))
    assert told["shrinks"] >= 180
    assert np.mean(inside) >= 0.92


@pytest.mark.slow
def test_searches_that_end_when_they_know_enough_do_not_find_more():
    """Both ensembles alike, each place searched by itself to 5 %."""
    plan, found = ThresholdPlan(50, 2000, 0.05), []
    for seed in range(200):
        first, other = (
            [plan.posterior(simulate(plan, (n, 0.3, 0.02), [seed, side, n])) for n in (300, 600)]
            for side in range(2)
        )
        found.append(differences([20, 40], first, other))
    share = np.mean([verdict(one).kind not in ("same", "open") for one in found])
    inside = [one.common.low <= 0 <= one.common.high for one in found]
    print(share, np.mean(inside))
    assert share <= 0.07
    assert np.mean(inside) >= 0.92


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ([0.001, -0.002, 0.001], "same", "the same within 1.2 %, on average over 3 places"),
        ([0.0], "same", "the same within 2.0 %"),
        ([0.0601], "different", "different by 6.2 % [4.1, 8.3]"),
        ([0.03, 0.031, 0.029], "different", "different by 3.0 % [1.9, 4.2]"),
        ([0.05, -0.10, 0.05], "scatters", "different from place to place, by -9.5 to 5.1 %"),
        (
            [-0.0632, -0.0447, -0.0316],  # -0.2 L^(-1/2)
            "shrinks",
            "the difference shrinks with d: -6.1 % at d = 10, 0.0 % [-4.1, 4.3] extrapolated",
        ),
        (
            [0.0051, 0.0329, 0.0526],  # 0.1 - 0.3 L^(-1/2)
            "grows",
            "the difference grows with d: 0.5 % at d = 10, 5.4 % [3.6, 7.2] at d = 40",
        ),
    ],
)
def test_verdicts_in_words(value, kind, text):
    found = verdict(known(value), "d")
    assert found.kind == kind
    assert found.text == text


def test_a_wide_interval_shows_no_equality():
    found = verdict(known([0.0], error=0.03))
    assert found.kind == "open"
    assert found.text == "these trials cannot tell differences below 6.1 %"
    assert verdict(known([0.0], error=0.03), bound=0.1).kind == "same"
    assert verdict(known([0.022]), p=0.06).text == "the same within 4.3 %"


def test_holm():
    """Worked by hand from the definition."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]


@pytest.mark.parametrize(
    "arrays",
    [([], [], []), ([1.0], [0.1, 0.2], [0.1]), ([0.0], [0.1], [0.1]), ([1.0], [0.1], [0.0])],
)
def test_mistakes_are_one_line(arrays):
    with pytest.raises(ValueError, match="expected") as caught:
        Differences(*map(np.array, arrays))
    assert "\n" not in str(caught.value)


def test_places_must_be_matched():
    with pytest.raises(ValueError, match="two posteriors a place"):
        differences([20], ensemble([20], lambda L: 1.0, 0), [])
