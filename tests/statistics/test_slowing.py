"""The slowing down towards a boundary, against SciPy and against laws that are known."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from jaxflow.statistics.slowing import _fit, common_exponent, slowing

PLACES = np.array([100, 150, 200, 250, 270, 280, 285])
LAW = 300.0, 1.5, 3.0, 0.5  # N, z, A, s


def slowed(seed, law=LAW, per_place=6, longest=800.0, places=PLACES):
    """Trials (n, times, converged) of the law, censored at `longest`."""
    boundary, exponent, amplitude, scatter = law
    n = np.repeat(places, per_place)
    noise = np.random.default_rng(seed).standard_normal(len(n))
    times = amplitude * (1 - n / boundary) ** -exponent * np.exp(scatter * noise)
    return n, np.minimum(times, longest), times <= longest


def test_the_fit_at_one_boundary_is_the_maximum_of_the_likelihood():
    n, times, converged = slowed(0, longest=60.0)
    assert 5 < np.sum(~converged) < len(n) - 5
    x, y = -np.log1p(-n / 310), np.log(times)

    def minus_log_likelihood(parameters):
        level, exponent, log_scatter = parameters
        law = norm(level + exponent * x, np.exp(log_scatter))
        return -np.sum(np.where(converged, law.logpdf(y), law.logsf(y)))

    found = minimize(minus_log_likelihood, [1, 1, 0], method="Nelder-Mead",
                     options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000})  # fmt: skip
    ours = _fit(x, y, converged)
    expected = np.exp(found.x[0]), found.x[1], np.exp(found.x[2])
    np.testing.assert_allclose((ours.amplitude, ours.exponent, ours.scatter), expected, rtol=1e-6)
    constant = -np.log(2 * np.pi) / 2 * converged.sum()
    assert ours.height + constant == pytest.approx(-found.fun, abs=1e-9)

    def along_the_exponent(z):
        free = minimize(lambda v: minus_log_likelihood((v[0], z, v[1])), found.x[[0, 2]],
                        method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})  # fmt: skip
        return free.fun

    z, step = found.x[1], 0.05
    bend = (along_the_exponent(z + step) + along_the_exponent(z - step) - 2 * found.fun) / step**2
    assert ours.error == pytest.approx(bend**-0.5, rel=0.01)


def test_the_law_is_found():
    found = slowing(*slowed(0, per_place=2000))
    assert found.boundary == pytest.approx(300, rel=0.01)
    assert found.exponent == pytest.approx(1.5, abs=0.1)
    assert found.scatter == pytest.approx(0.5, rel=0.05)
    assert found.diverges
    np.testing.assert_allclose(found.predict(PLACES), 3 * (1 - PLACES / 300) ** -1.5, rtol=0.05)
    assert found.predict([found.boundary, 400]).tolist() == [np.inf, np.inf]
    assert found.trials == 2000 * len(PLACES)


@pytest.mark.slow
def test_the_intervals_hold_the_truth():
    """Both, in 95 % of 400 studies; 91.7 % are three standard errors less."""
    found = [slowing(*slowed(seed)) for seed in range(400)]
    for name, truth in (("boundary", 300), ("exponent", 1.5)):
        ends = np.array([getattr(f, f"{name}_interval") for f in found])
        coverage = np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
        print(name, coverage)
        assert coverage >= 0.917


def test_exponential_growth_has_no_boundary():
    n = np.repeat(PLACES, 30)
    times = 2 * np.exp(n / 60 + 0.3 * np.random.default_rng(1).standard_normal(len(n)))
    found = slowing(n, times, times <= 1e9)
    assert not found.diverges
    assert found.exponent_interval[1] == np.inf
    np.testing.assert_allclose(
        found.predict([100, 250]), 2 * np.exp([100 / 60, 250 / 60]), rtol=0.1
    )


def test_units_of_time_and_samples_change_nothing_else():
    n, times, converged = slowed(3)
    one, other = slowing(n, times, converged), slowing(7 * n, 100 * times, converged)
    assert other.boundary == pytest.approx(7 * one.boundary)
    assert other.exponent == pytest.approx(one.exponent, rel=1e-6)
    assert other.amplitude == pytest.approx(100 * one.amplitude, rel=1e-6)


def test_trials_that_never_converge_are_left_out():
    n, times, converged = slowed(3)
    never = slowing([*n, 120], [*times, np.inf], [*converged, False])
    assert never == slowing(n, times, converged)


@pytest.mark.parametrize(
    ("n", "times", "converged", "words"),
    [
        ([1, 2], [1.0, 2.0], [True, True], "3 different n"),
        ([1, 2, 3], [1.0, 2.0, 3.0], [True, True, False], "3 different n"),
        ([1, 2], [1.0, 2.0, 3.0], [True, True, True], "an n > 0 for each"),
        ([0, 1, 2], [1.0, 2.0, 3.0], [True, True, True], "an n > 0 for each"),
    ],
)
def test_too_little_is_refused(n, times, converged, words):
    with pytest.raises(ValueError, match=words):
        slowing(n, times, converged)


def test_laws_of_one_exponent_have_one_and_others_do_not():
    laws = [slowing(*slowed(seed, per_place=25)) for seed in range(4)]
    found = common_exponent(laws)
    assert found.p > 0.05
    assert found.interval[0] < 1.5 < found.interval[1]
    assert np.ptp(found.interval) < min(np.ptp(law.exponent_interval) for law in laws)
    other = slowing(*slowed(9, law=(300.0, 3.0, 0.5, 0.5), per_place=100, longest=1e6))
    assert common_exponent([*laws, other]).p < 0.01
    with pytest.raises(ValueError, match="3 laws or more"):
        common_exponent(laws[:2])


@pytest.mark.slow
def test_the_test_of_one_exponent_has_its_level():
    """Of 150 fours of studies about 5 % are rejected; intervals are as often right as they say."""
    found = []
    for k in range(150):
        laws = [slowing(*slowed(4 * k + j, per_place=25)) for j in range(4)]
        found.append(common_exponent(laws))
    held = np.mean([one.interval[0] < 1.5 < one.interval[1] for one in found])
    level = np.mean([one.p <= 0.05 for one in found])
    print(level, held)
    assert level <= 0.08
    assert held >= 0.9
