"""Whether the interval of a threshold holds what it says, on studies whose truth is known."""

from itertools import product

import numpy as np
import pytest
from simulated import proportion, simulate

from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Posterior

WIDTHS = 0.05, 0.12, 0.4  # 10-90 % of the transition, in log n
LAPSES = 0.0, 0.1, 0.2
TRUTHS = [(1500.0, width, lapse) for width, lapse in product(WIDTHS, LAPSES)]
STUDIES = 504


@pytest.mark.slow
def test_the_interval_covers_the_truth():
    """95 % of 504 studies, three standard errors spared, is more than 92 %; asked for are 93 %."""
    plan = ThresholdPlan(600, 3600)
    hits = {truth: [] for truth in TRUTHS}
    for seed in range(STUDIES):
        n50, width, lapse = TRUTHS[seed % len(TRUTHS)]
        n50 *= np.exp(0.3 * np.sin(seed))  # nowhere in particular on the lattice
        low, high = Posterior(simulate(plan, (n50, width, lapse), seed), 600, 3600).interval()
        hits[TRUTHS[seed % len(TRUTHS)]].append(low <= n50 <= high)
    coverage = {truth[1:]: round(float(np.mean(found)), 3) for truth, found in hits.items()}
    print(coverage)
    assert np.mean([hit for found in hits.values() for hit in found]) >= 0.93
    assert min(coverage.values()) >= 0.84  # 95 % of 56, less than 4 standard errors


@pytest.mark.slow
def test_it_covers_where_the_probability_rises_along_a_continuous_axis():
    plan = ThresholdPlan(0.01, 1.0, along="problem.initialization.shrink", rising=True)
    truth = 0.0917, 0.1, 0.05
    intervals = [plan.posterior(simulate(plan, truth, seed)).interval() for seed in range(100)]
    coverage = np.mean([low <= truth[0] <= high for low, high in intervals])
    print(coverage)
    assert coverage >= 0.89  # 95 %, 2.7 standard errors


@pytest.mark.slow
@pytest.mark.parametrize(("width", "lapse"), [(0.05, 0.0), (0.12, 0.1), (0.4, 0.0), (0.4, 0.2)])
def test_the_interval_shrinks_like_the_root_of_the_trials(width, lapse):
    """Fixed designs of eleven n over twice the transition, each with the same trials."""
    truth = 1500.0, width, lapse
    n = np.unique(np.round(1500 * np.exp(np.linspace(-width, width, 11))).astype(int))
    rng = np.random.default_rng(0)
    per_n = np.array([10, 20, 40, 80, 160, 320])
    widths = [
        np.mean([interval_width(n, rng.binomial(trials, proportion(n, truth)), trials)
                 for _ in range(12)])
        for trials in per_n
    ]  # fmt: skip
    slope = np.polyfit(np.log(per_n), np.log(widths), 1)[0]
    print(width, lapse, slope)
    assert slope == pytest.approx(-0.5, abs=0.1)


def interval_width(n, converged, trials) -> float:
    tallies = [Tally(int(a), int(c), int(trials)) for a, c in zip(n, converged, strict=True)]
    low, high = Posterior(tallies, 600, 3600).interval()
    return float(np.log(high / low))
