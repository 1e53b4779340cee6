import numpy as np
import pytest
from simulated import base_point, row

from jaxflow.core.types import Outcome, Trial
from jaxflow.statistics.survival import convergence_times, survival

# Weeks of remission under 6-mercaptopurine. E. J. Freireich et al., "The effect of
# 6-mercaptopurine on the duration of steroid-induced remissions in acute leukemia", Blood 21
# (1963) 699-716; estimates as in D. R. Cox and D. Oakes, "Analysis of Survival Data" (1984).
WEEKS = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35])
RELAPSED = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], bool)
ESTIMATES = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
ERRORS = {6: 0.0764, 7: 0.0869, 10: 0.0963, 13: 0.1068, 16: 0.1141, 22: 0.1282, 23: 0.1346}


def test_the_textbook_example():
    found = survival(WEEKS, RELAPSED)
    assert found.times.tolist() == [0, *ESTIMATES]
    assert found.at_risk.tolist() == [21, 21, 17, 15, 12, 11, 7, 6]
    assert found.survival[1:] == pytest.approx(list(ESTIMATES.values()), abs=6e-4)
    for t, error in ERRORS.items():  # Greenwood's standard error, carried to log(-log S)
        s, low, high = found.at(t)
        half = 1.96 * error / (s * abs(np.log(s)))
        assert np.log(np.log(low) / np.log(s)) == pytest.approx(half, rel=2e-3)
        assert np.log(np.log(s) / np.log(high)) == pytest.approx(half, rel=2e-3)
    assert found.median == 23
    assert found.median_interval == (13, np.inf)


def test_without_censoring_it_is_the_empirical_distribution():
    rng = np.random.default_rng(0)
    for m in (1, 2, 7, 40):
        times = rng.exponential(size=m).round(1) + 0.1
        found = survival(times, np.ones(m, bool))
        t = np.linspace(0, 9, 50)
        assert found.at(t)[0] == pytest.approx(np.mean(times[:, None] > t, axis=0))
        assert found.median == pytest.approx(np.median(times))


def test_a_step_is_taken_at_its_time_and_a_tie_is_censored_after():
    found = survival([1, 2, 2, 3], [True, True, False, True])
    assert found.at([0, 0.99, 1, 1.99, 2, 2.99, 3, 99])[0] == pytest.approx(
        [1, 1, 0.75, 0.75, 0.5, 0.5, 0, 0]
    )
    assert found.median == 2.5


def test_trials_that_never_converge_stay_at_risk():
    found = survival([1, np.inf, 5, np.inf], [True, False, False, False])
    assert found.at(1e9)[0] == 0.75
    assert found.median == np.inf
    assert found.median_interval[1] == np.inf
    dropped = survival([1, 5], [True, False])
    assert dropped.at(1)[0] == 0.5


def test_beyond_the_last_horizon_nothing_is_told():
    found = survival([1, 4, 4], [True, False, False])
    assert np.isfinite(found.at(4)).all()
    assert np.isnan(found.at(4.01)).all()


def test_none_converged_is_the_exact_binomial_bound():
    found = survival([7] * 24, [False] * 24)
    assert [float(x) for x in found.at(5)] == pytest.approx([1, 0.025 ** (1 / 24), 1])
    assert found.median_interval == (np.inf, np.inf)


def test_the_band_holds_the_estimate():
    rng = np.random.default_rng(3)
    for m in range(1, 30):
        times = rng.exponential(size=m)
        found = survival(np.minimum(times, 1.5), times < 1.5)
        assert np.all((found.low <= found.survival) & (found.survival <= found.high))
        low, high = found.median_interval
        assert low <= found.median <= high


def test_the_interval_of_the_median_covers_it():
    """Exponential times, a third of them censored at random; the median is log 2."""
    rng = np.random.default_rng(1)
    studies, trials = 1000, 40
    times, until = rng.exponential(size=(2, studies, trials)) * [[[1]], [[2]]]
    intervals = [
        survival(np.minimum(t, u), t <= u).median_interval
        for t, u in zip(times, until, strict=True)
    ]
    low, high = np.transpose(intervals)
    covered = np.mean((low <= np.log(2)) & (np.log(2) <= high))
    assert covered == pytest.approx(0.95, abs=0.02)


def test_the_band_covers_the_truth():
    rng = np.random.default_rng(2)
    times = rng.exponential(size=(1000, 40))
    bands = [survival(np.minimum(t, 1.2), t <= 1.2).at(1.0)[1:] for t in times]
    low, high = np.transpose(bands)
    assert np.mean((low <= np.exp(-1)) & (np.exp(-1) <= high)) == pytest.approx(0.95, abs=0.02)


def test_rows_become_times():
    trials = [Trial("flow", base_point("n").moved("n", 50), seed, 100.0) for seed in range(4)]
    outcomes = Outcome.CONVERGED, Outcome.UNDECIDED, Outcome.STALLED, Outcome.FAILED
    rows = [
        row(trial, outcome is Outcome.CONVERGED, 30.0 if seed != 1 else None, outcome=outcome)
        for seed, (trial, outcome) in enumerate(zip(trials, outcomes, strict=True))
    ]
    times, converged = convergence_times(rows)
    assert times.tolist() == [30, 100, np.inf, np.inf]
    assert converged.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("times", "converged"),
    [([], []), ([1, 2], [True]), ([np.inf], [True]), ([0], [True]), ([np.nan], [False])],
)
def test_survival_refuses(times, converged):
    with pytest.raises(ValueError, match="expected times"):
        survival(times, converged)
    with pytest.raises(ValueError, match="times t >= 0"):
        survival([1], [True]).at(-1)
