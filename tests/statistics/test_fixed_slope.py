"""The published estimator, on published proportions and against its definition."""

import numpy as np
import pytest

from jaxflow.statistics.counts import Tally
from jaxflow.statistics.fixed_slope import published_estimator, published_interval

# arXiv 2502.16977: d = 30, p = 100, 25 repetitions, and experiment 1.0, 80 repetitions
SMALL = dict.fromkeys(range(250, 451, 10), 0.0) | dict(
    zip(
        range(250, 370, 10),
        [1, 0.96, 0.88, 0.68, 0.72, 0.2, 0.24, 0.16, 0.08, 0.04, 0.04, 0.04],
        strict=True,
    )
)
LARGE = dict.fromkeys(range(1300, 2101, 50), 0.0) | dict(
    zip(
        range(1300, 1800, 50),
        [1, 0.988, 1, 1, 0.963, 0.85, 0.85, 0.675, 0.25, 0.038],
        strict=True,
    )
)


def published(proportions: dict[int, float], repetitions: int) -> list[Tally]:
    return [Tally(n, round(q * repetitions), repetitions) for n, q in proportions.items()]


def test_published_thresholds():
    assert published_estimator(published(SMALL, 25)) == pytest.approx(293, abs=0.5)
    assert published_estimator(published(LARGE, 80), scale=1) == pytest.approx(1651, abs=0.5)


def test_published_estimator_finds_its_own_curve():
    tallies = [
        Tally(n, round(10**6 / (1 + np.exp(80 * n / 100 - 87.3))), 10**6) for n in range(100, 121)
    ]
    assert published_estimator(tallies) == pytest.approx(87.3 * 100 / 80, abs=1e-3)


def test_published_estimator_is_the_global_minimum():
    rng = np.random.default_rng(0)
    for _ in range(20):
        n = np.sort(rng.choice(np.arange(100, 160), 8, replace=False))
        c = rng.integers(0, 11, 8)
        k = np.linspace(80, 80 * n[-1] / n[0], 20_001)
        with np.errstate(over="ignore"):
            fitted = 1 / (1 + np.exp(80 * n[:, None] / n[0] - k))
        misfit = ((fitted - c[:, None] / 10) ** 2).sum(0)
        tallies = [Tally(int(a), int(b), 10) for a, b in zip(n, c, strict=True)]
        got = published_estimator(tallies) * 80 / n[0]
        assert np.interp(got, k, misfit) <= misfit.min() + 1e-6


def test_published_estimator_stays_in_range():
    assert published_estimator([Tally(100, 5, 5)]) == 100
    assert published_estimator([Tally(100, 5, 5), Tally(10**6, 5, 5)]) == pytest.approx(10**6)
    assert published_estimator([Tally(100, 0, 5), Tally(200, 0, 5)]) == pytest.approx(100)


def test_the_published_interval_is_the_spread_of_repeated_experiments():
    n = np.arange(250, 451, 10)
    truth = 1 / (1 + (n / 300.0) ** 25)
    rng = np.random.default_rng(0)
    studies = [
        [Tally(int(x), int(rng.binomial(25, q)), 25) for x, q in zip(n, truth, strict=True)]
        for _ in range(200)
    ]
    spread = np.ptp(np.quantile([published_estimator(study) for study in studies], [0.025, 0.975]))
    intervals = np.array([published_interval(study, resamples=300) for study in studies[:50]])
    assert np.median(np.diff(intervals)) == pytest.approx(spread, rel=0.2)
    for study, (low, high) in zip(studies, intervals, strict=False):
        assert low <= published_estimator(study) <= high


@pytest.mark.parametrize("scale", [0, -1.0, float("nan"), float("inf"), True])
def test_published_estimator_refuses(scale):
    with pytest.raises(ValueError, match="expected a finite number scale > 0"):
        published_estimator([Tally(1, 1, 1)], scale)
    with pytest.raises(ValueError, match="expected at least one tally"):
        published_estimator([Tally(1, 0, 0)])
