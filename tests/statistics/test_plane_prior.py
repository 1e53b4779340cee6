"""The prior of a boundary: Matern's correlation by its definition, the trend's powers."""

from typing import get_args

import numpy as np
import pytest
from scipy.special import gamma, kv

from jaxflow.statistics.forms import FORMS
from jaxflow.statistics.plane_prior import POWERS, Axis, Kernel, Prior, Trend, axes_of, root_lapse

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
    constant = Axis("d", 10, 100, trend="constant")
    flat = Prior((constant,), 10, 1000).of_threshold(v, v)[0] - kernel(v, v)
    assert np.array([-1, 1]) @ flat @ np.array([-1, 1]) == pytest.approx(0, abs=1e-12)


def test_trends_are_the_forms_that_are_linear_in_log_n():
    assert set(get_args(Trend)) == {form.name for form in FORMS if form.logarithmic}


def without_process(prior, x):
    """Mean and covariance of log N at x by the trend alone."""
    v = prior.scaled([[one] for one in x])
    return prior.mean(v)[:, 0], prior.of_threshold(v, v)[0] - prior.kernels[0](v, v)


def test_a_proportional_trend_leaves_nothing_but_the_level():
    """log N is log d and a constant, which alone is not known."""
    d = np.array([10.0, 25.0, 100.0])
    mean, C = without_process(Prior((Axis("d", 10, 100, trend="proportional"),), 10, 1000), d)
    np.testing.assert_allclose(np.diff(mean), np.diff(np.log(d)))
    np.testing.assert_allclose(C, C[0, 0])


def test_an_exponential_trend_is_a_line_in_the_coordinate():
    """log N = a + b d: second differences vanish at equal distances, the slope is as wide."""
    for axis in (
        Axis("d", 10, 100, trend="exponential"),
        Axis("d", 10, 100, logarithmic=False),
    ):
        mean, C = without_process(Prior((axis,), 10, 1000), [10.0, 55.0, 100.0])
        curved, whole = np.array([1, -2, 1]), np.array([-1, 0, 1])
        assert np.ptp(mean) == 0
        assert curved @ C @ curved == pytest.approx(0, abs=1e-10)
        spread = POWERS * (np.log(10) if axis.logarithmic else 1)
        assert (whole @ C @ whole) ** 0.5 == pytest.approx(spread)


def test_axes_of_places_have_what_is_said_of_them():
    places = [{"d": 10, "p": 5, "shift": -1.0}, {"d": 20, "p": 5, "shift": 1.0}]
    d, shift = axes_of(places, {"d": "proportional"}, {"shift": "decreasing"})
    assert d == Axis("d", 10, 20, trend="proportional")
    assert shift == Axis("shift", -1.0, 1.0, logarithmic=False, monotone="decreasing")
    assert axes_of(places[:1] * 2) == ()
    with pytest.raises(ValueError, match="positive shift for a trend that is power"):
        axes_of(places, "power")
    assert [axis.trend for axis in axes_of(places, "constant")] == ["constant", "constant"]


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
