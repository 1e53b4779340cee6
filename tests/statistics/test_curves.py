"""Curves fitted together, against SciPy's minimization and finite differences."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import norm
from simulated import sizes

from jaxflow.statistics.curves import SHAPES, Bound, _Surface, counts, fit

DATA = counts(sizes((10, 20, 40), seed=0))
POWER = np.stack([np.ones(3), -DATA.log_size], axis=1)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_widths_are_those_from_nine_tenths_to_one_tenth(shape):
    t = np.linspace(-2, 2, 101)
    fall, rest, density = shape.at(t)
    np.testing.assert_allclose(fall + rest, 1, rtol=1e-12)
    np.testing.assert_allclose(density, -np.gradient(fall, t, edge_order=2), atol=0.02)
    ends = [brentq(lambda t, level=level: float(shape.at(t)[0]) - level, -5, 5)
            for level in (0.9, 0.5, 0.1)]  # fmt: skip
    assert ends[2] - ends[0] == pytest.approx(1, rel=1e-9)
    assert ends[1] == pytest.approx(0, abs=1e-9)


def test_the_probit_is_that_of_scipy():
    t = np.linspace(-1, 1, 9)
    rate = 2 * norm.ppf(0.9)
    np.testing.assert_allclose(SHAPES[1].at(t)[0], norm.sf(rate * t), rtol=1e-12)
    np.testing.assert_allclose(SHAPES[1].at(t)[2], rate * norm.pdf(rate * t), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_maximum_is_that_of_scipy(shape):
    bound = Bound(POWER, np.zeros(2), shape)
    seen = DATA.converged[None]
    surface, found = _Surface(DATA, bound), fit(DATA, bound, seen)
    other = minimize(lambda phi: -surface.height(phi[None], seen)[0], surface.begin, method="BFGS")
    assert found.height[0] == pytest.approx(-other.fun, abs=1e-3)
    error = np.sqrt(np.diag(found.covariance[0]))[:5]
    np.testing.assert_allclose(found.phi[0, :5], other.x[:5], atol=0.05 * error.max())


def test_gradient_and_information_are_those_of_finite_differences():
    """The information is expected: that of counts as they are expected, whole or not."""
    bound = Bound(POWER, np.zeros(2))
    surface = _Surface(DATA, bound)
    phi = surface.begin + 0.1
    chance = surface.values(surface.local(phi[None]))[0]
    counted = chance * DATA.trials
    gradient, information = surface.derivatives(phi[None], counted)

    def height(phi):
        return surface.height(phi[None], counted)[0]

    def slope(phi):
        return surface.derivatives(phi[None], counted)[0][0]

    steps = 1e-5 * np.eye(len(phi))
    rise = [(height(phi + step) - height(phi - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(gradient[0], rise, atol=1e-4)
    bend = np.array([(slope(phi - step) - slope(phi + step)) / 2e-5 for step in steps])
    np.testing.assert_allclose(information[0], bend, rtol=1e-4, atol=1e-4)


def test_sets_of_counts_are_fitted_each_by_itself():
    rng = np.random.default_rng(1)
    drawn = rng.binomial(DATA.trials.astype(int), 0.9 * DATA.converged / DATA.trials, (4, 39))
    bound = Bound(np.eye(3), np.zeros(3))
    together = fit(DATA, bound, drawn.astype(float))
    for i in range(4):
        alone = fit(DATA, bound, drawn[i : i + 1].astype(float))
        np.testing.assert_allclose(together.phi[i], alone.phi[0], rtol=1e-9)


def test_separated_counts_have_a_maximum():
    seen = np.where(DATA.log_x < DATA.located[DATA.slice, 0], DATA.trials, 0.0)[None]
    found = fit(DATA, Bound(np.eye(3), np.zeros(3)), seen)
    assert np.all(np.isfinite(found.phi)) and np.all(np.exp(found.local[0, :, 1]) < 0.1)


def test_a_slice_out_of_its_range_is_refused():
    (first, *rest) = sizes((10, 20, 40), seed=0)
    none = [t.__class__(t.x, 0, t.trials) for t in first.tallies]
    with pytest.raises(ValueError, match="a threshold within"):
        counts([first._replace(tallies=none, low=none[0].x), *rest])
