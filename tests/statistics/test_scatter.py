"""The posterior of scatter and form against numerical integration of the same model by SciPy."""

import numpy as np
import pytest
from scipy import integrate, stats

from jaxflow.statistics.fitting import fit, left_out
from jaxflow.statistics.forms import CONSTANT, LINEAR, OFFSET, POWER
from jaxflow.statistics.scatter import SCALE, Thresholds, _of_positive

X = np.array([10.0, 20, 40, 80])
Y = np.log([95.0, 180, 405, 770])
ERROR = np.array([0.03, 0.02, 0.05, 0.02])


def evidence(y, design, error, tau):
    """The density of y with flat coefficients, given tau: of what is orthogonal to the design."""
    covariance = np.diag(error**2 + tau**2)
    free = np.linalg.svd(design)[0][:, design.shape[1] :]
    return stats.multivariate_normal(cov=free.T @ covariance @ free).pdf(free.T @ y)


def test_the_posterior_of_the_scatter_is_that_of_quadrature():
    design = np.stack([np.ones(4), np.log(X)], axis=1)

    def density(tau):
        return evidence(Y, design, ERROR, tau) * stats.halfcauchy.pdf(tau, scale=SCALE)

    total = integrate.quad(density, 0, np.inf, limit=200)[0]
    found = fit(POWER, Thresholds(X, Y, ERROR))
    for tau, mass in ((found.scatter, 0.5), (found.holds_to, 0.95)):
        below = integrate.quad(density, 0, tau, limit=200)[0] / total
        assert below == pytest.approx(mass, abs=0.015)


@pytest.mark.parametrize("i", range(4))
def test_the_density_of_a_slice_left_out_is_the_ratio_of_evidences(i):
    """p(y_i | others) = p(all) / p(others), of a constant: the predictive of the normal model."""
    rest = np.arange(4) != i

    def joint(tau):
        v = ERROR[rest] ** 2 + tau**2
        mean, spread = np.average(Y[rest], weights=1 / v), 1 / np.sum(1 / v)
        own = stats.norm.pdf(Y[i], mean, np.sqrt(spread + ERROR[i] ** 2 + tau**2))
        return own * others(tau)

    def others(tau):
        return evidence(Y[rest], np.ones((3, 1)), ERROR[rest], tau) * stats.halfcauchy.pdf(
            tau, scale=SCALE
        )

    # most of the mass lies at tau about 1, which quad is told
    both = [
        sum(integrate.quad(g, *part, limit=200)[0] for part in ((0, 0.2), (0.2, 3)))
        for g in (joint, others)
    ]
    found = left_out(CONSTANT, Thresholds(X, Y, ERROR))[i]
    assert found == pytest.approx(np.log(both[0] / both[1]), abs=0.03)


@pytest.mark.parametrize(
    ("mean", "spread"), [(1.0, 0.02), (0.95, 0.02), (1.0, 0.3), (0.7, 0.3), (0.1, 0.3), (-0.5, 0.3)]
)
@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_the_density_of_a_positive_normal_with_noise_is_that_of_quadrature(mean, spread, noise):
    normal = stats.norm(mean, spread)

    def integrand(log_f):
        return normal.pdf(np.exp(log_f)) * np.exp(log_f) * stats.norm.pdf(log_f, 0, noise)

    span = 10 * noise
    exact = integrate.quad(integrand, -span, span, points=[0.0], limit=400, epsabs=0)[0]
    expected = np.log(exact) - stats.norm.logcdf(mean / spread)
    found = _of_positive(np.array(mean), np.array(spread**2), np.array(noise**2))
    assert found == pytest.approx(expected, abs=0.001 if 0.02 in (noise, spread) else 0.05)


@pytest.mark.parametrize("form", [LINEAR, OFFSET], ids=lambda form: form.name)
def test_more_steps_and_more_nodes_change_nothing(form, monkeypatch):
    rng = np.random.default_rng(3)
    x = np.geomspace(10, 100, 8)
    data = Thresholds(x, np.log(8 * x - 50) + 0.05 * rng.normal(size=8), np.full(8, 0.05))
    found, told = fit(form, data), left_out(form, data)
    monkeypatch.setattr("jaxflow.statistics.scatter.ITERATIONS", 60)
    monkeypatch.setattr("jaxflow.statistics.scatter.NODES", 61)
    fine = np.concatenate([[0.0], np.geomspace(3e-4, 10, 90)])
    monkeypatch.setattr("jaxflow.statistics.fitting.SCATTER", fine)
    again = fit(form, data)
    half = (np.array(again.high) - again.low) / 2
    np.testing.assert_allclose((np.array(found.low) - again.low) / half, 0, atol=0.1)
    np.testing.assert_allclose((np.array(found.high) - again.high) / half, 0, atol=0.1)
    assert found.holds_to == pytest.approx(again.holds_to, rel=0.05)
    np.testing.assert_allclose(told, left_out(form, data), atol=0.05)
