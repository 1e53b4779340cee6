"""The prior of a boundary: Matern's correlation by its definition, the trend's powers."""

import numpy as np
import pytest
from scipy.special import gamma, kv

from jaxflow.statistics.plane_prior import POWERS, Axis, Kernel, Prior, root_lapse

AXES = Axis("d", 10, 100), Axis("shrink", -1.0, 3.0, logarithmic=False)


@pytest.mark.parametrize("nu", [1.5, 2.5])
def test_materns_correlation_by_its_bessel_function(nu):
    """Rasmussen and Williams (2006), eq. 4.14."""
    v, w = np.array([[0.1, 0.2]]), np.random.default_rng(0).uniform(size=(20, 2))
    r = np.sqrt(2 * nu * (((w - v) / [0.3, 0.7]) ** 2).sum(1))
    expected = 0.2**2 * 2 ** (1 - nu) / gamma(nu) * r**nu * kv(nu, r)
    found = Kernel(0.2, (0.3, 0.7), nu)(v, w)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_trend_has_powers_of_the_stated_spread():
    """log N(100)/N(10) of the trend alone is normal, 1.5 log 10 wide."""
    prior = Prior(AXES[:1], 10, 1000)
    v = prior.scaled([[10.0], [100.0]])
    kernel = prior.kernels[0]
    C = prior.of_threshold(v, v)[0] - kernel(v, v)
    spread = np.array([-1, 1]) @ C @ np.array([-1, 1])
    assert spread**0.5 == pytest.approx(POWERS * np.log(10))
    flat = Prior(AXES[:1], 10, 1000, trend="constant").of_threshold(v, v)[0] - kernel(v, v)
    assert np.array([-1, 1]) @ flat @ np.array([-1, 1]) == pytest.approx(0, abs=1e-12)


def test_covariances_are_positive():
    prior = Prior(AXES, 10, 1000)
    v = np.random.default_rng(1).uniform(size=(12, 2))
    for C in (*prior.of_threshold(v, v), *prior.of_others(v, v)):
        assert np.linalg.eigvalsh(C).min() > -1e-10


def test_scaling_goes_there_and_back():
    for axis, x in zip(AXES, (37.0, 0.5), strict=True):
        assert axis.unscaled(axis.scaled(np.array(x))) == pytest.approx(x)
    prior = Prior(AXES, 10, 1000)
    np.testing.assert_allclose(prior.scaled([[10, -1], [100, 3]]), [[0, 0], [1, 1]])


def test_the_lapse_stays_below_its_largest():
    lapse = root_lapse(np.array([-40.0, 0.0, 40.0])) ** 2
    np.testing.assert_allclose(lapse, [0, 0.15, 0.3], atol=1e-12)
