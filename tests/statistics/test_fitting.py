"""Fits against SciPy's least squares, refits, and the coverage of their intervals."""

import numpy as np
import pytest
from scipy.optimize import curve_fit
from simulated import measured

from jaxflow.statistics.fitting import fit, left_out
from jaxflow.statistics.forms import (
    CONSTANT,
    EXPONENTIAL,
    FORMS,
    LINEAR,
    LOGARITHMIC,
    OFFSET,
    POWER,
    PROPORTIONAL,
    SATURATING,
)
from jaxflow.statistics.scaling import thresholds
from jaxflow.statistics.scatter import SCATTER, Thresholds

D = np.array([10.0, 20, 30, 50, 80, 120, 200])
P = np.array([25.0, 50, 100, 200, 400, 800])


def known(x, n50, error=0.01) -> Thresholds:
    """Thresholds without noise."""
    return Thresholds(np.array(x, float), np.log(n50), np.full(len(x), error))


TRUE = [
    (CONSTANT, D, (300.0,), 300 + 0 * D),
    (PROPORTIONAL, D, (9.7,), 9.7 * D),
    (LINEAR, D, (8.0, 30.0), 8 * D + 30),
    (LINEAR, D, (8.0, -60.0), 8 * D - 60),
    (POWER, D, (12.0, 0.93), 12 * D**0.93),
    (LOGARITHMIC, P, (72.4, -42.8), 72.4 * np.log(P) - 42.8),
    (LINEAR, P, (0.366, 257.0), 0.366 * P + 257),
    (POWER, P, (120.0, 0.2), 120 * P**0.2),
    (EXPONENTIAL, D - 100, (300.0, -0.01), 300 * np.exp(-0.01 * (D - 100))),
    (SATURATING, P, (400.0, 6000.0), 400 - 6000 / P),
    (OFFSET, P, (5.0, 0.5, 20.0), 5 * P**0.5 + 20),
]


@pytest.mark.parametrize(("form", "x", "coefficients", "n50"), TRUE)
def test_exact_thresholds_give_the_coefficients_back(form, x, coefficients, n50):
    found = fit(form, known(x, n50, error=1e-4), scatter=0.0)
    # the grid of the exponent is resolved to a part of its error
    np.testing.assert_allclose(found.coefficients, coefficients, rtol=0.01)
    assert found.chi2 < 0.1
    for low, value, high in zip(found.low, coefficients, found.high, strict=True):
        assert low < value < high
    middle, low, high = found.predict(x)
    np.testing.assert_allclose(middle, n50, rtol=1e-3)
    assert np.all((low < middle) & (middle < high))
    assert found.predict(37.0)[0].shape == ()


@pytest.mark.parametrize("tau", [0.0, 0.05])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_coefficients_and_covariance_are_those_of_least_squares(form, tau):
    """SciPy's curve_fit of log N, from coefficients and errors by which the fit is near linear."""
    rng = np.random.default_rng(1)
    error = rng.uniform(0.005, 0.02, len(P))
    true = {f.name: c for f, x, c, _ in TRUE if x is P} | {
        "constant": (300,), "proportional": (9.7,), "linear": (0.366, 257),
        "exponential": (100, 0.002),
    }  # fmt: skip
    y = np.log(form.curve(np.array(true[form.name], float), P)) + error * rng.normal(size=len(P))
    best, covariance = curve_fit(
        lambda x, *c: np.log(np.maximum(form.curve(np.array(c), x), 1e-9)),
        P, y, p0=true[form.name], sigma=np.hypot(error, tau), absolute_sigma=True, maxfev=20000,
    )  # fmt: skip
    found = fit(form, Thresholds(P, y, error), scatter=tau)
    half = (np.array(found.high) - found.low) / 2
    expected = 1.96 * np.sqrt(np.diag(covariance))
    if form is OFFSET:  # whose three are far from normal: of the curve
        expected = _band(form, best, covariance)
        middle, low, high = found.predict(P)
        np.testing.assert_allclose(np.log(high / low) / 2, expected, rtol=0.25)
        np.testing.assert_allclose(np.log(middle / form.curve(best, P)) / expected, 0, atol=0.2)
        return
    np.testing.assert_allclose(half, expected, rtol=0.06)
    np.testing.assert_allclose((np.array(found.coefficients) - best) / expected, 0, atol=0.06)
    if tau == 0:
        away = (y - np.log(form.curve(best, P))) / error
        assert found.chi2 == pytest.approx(away @ away, rel=1e-3)
        freedom = len(P) - len(best)
        assert found.misfit == pytest.approx(found.chi2 / freedom)


def _band(form, best, covariance):
    """1.96 standard errors of log N, by derivatives in the coefficients."""
    step = 1e-4 * np.sqrt(np.diag(covariance))
    rows = [
        (np.log(form.curve(best + s, P)) - np.log(form.curve(best - s, P))) / (2 * s.sum())
        for s in np.diag(step)
    ]
    return 1.96 * np.sqrt(np.einsum("ic,ij,jc->c", rows, covariance, rows))


@pytest.mark.parametrize(
    ("form", "coefficients", "exact"),
    [
        (POWER, (12.0, 0.8), lambda x: 0.8 + 0 * x),
        (LINEAR, (8.0, 60.0), lambda x: 8 * x / (8 * x + 60)),
        (LOGARITHMIC, (72.4, -42.8), lambda x: 72.4 / (72.4 * np.log(x) - 42.8)),
        (EXPONENTIAL, (300.0, -0.01), lambda x: -0.01 * x),
        (SATURATING, (400.0, 3000.0), lambda x: 3000 / x / (400 - 3000 / x)),
        (OFFSET, (5.0, 0.5, 20.0), lambda x: 2.5 * x**0.5 / (5 * x**0.5 + 20)),
    ],
)
def test_the_local_exponent_is_the_derivative(form, coefficients, exact):
    found = fit(form, known(D, form.curve(np.array(coefficients), D)), scatter=0.0)
    ends = D[[0, -1]]
    value, low, high = found.exponent(ends)
    np.testing.assert_allclose(value, exact(ends), atol=0.01)
    assert np.all(low <= exact(ends) + 1e-6) and np.all(exact(ends) - 1e-6 <= high)


@pytest.mark.parametrize("form", [PROPORTIONAL, LINEAR, POWER], ids=lambda form: form.name)
def test_left_out_is_that_of_refits_one_by_one(form):
    """Draws of tau and of the curve from each refit, with their noise, give the same density."""
    rng = np.random.default_rng(2)
    y = np.log(9 * D + 20) + 0.04 * rng.normal(size=len(D))
    error = np.full(len(D), 0.03)
    told = left_out(form, Thresholds(D, y, error))
    for i in (0, 3, 6):
        rest = np.arange(len(D)) != i
        others = Thresholds(D[rest], y[rest], error[rest])
        mass = np.array([_evidence(form, others, tau) for tau in SCATTER]) * _lengths(SCATTER)
        mass /= (1 + (SCATTER / 0.05) ** 2) * np.sum(mass / (1 + (SCATTER / 0.05) ** 2))
        density = 0.0
        for tau, weight in zip(SCATTER, mass, strict=True):
            if weight > 1e-6:
                curves = fit(form, others, scatter=float(tau)).drawn
                n = form.curve(tuple(curves.T), D[i])
                noise = np.hypot(error[i], tau)
                away = (y[i] - np.log(n[n > 0])) / noise
                density += weight * np.mean(np.exp(-(away**2) / 2)) / noise / np.sqrt(2 * np.pi)
        assert told[i] == pytest.approx(np.log(density), abs=0.03)


def _lengths(tau):
    return np.diff(np.concatenate([tau[:1], (tau[1:] + tau[:-1]) / 2, tau[-1:]]))


def _evidence(form, data, tau):
    """Over flat log N at the ends, by a sum over a grid of them."""
    ends, v = data.x[[0, -1]], data.error**2 + tau**2
    reach = 6 * np.sqrt(v.max())
    about = [np.log(fit(form, data, scatter=0.0).predict(end)[0]) for end in ends[: form.anchors]]
    axes = np.meshgrid(*(np.linspace(a - reach, a + reach, 201) for a in about), indexing="ij")
    values = np.stack([axis.ravel() for axis in axes], axis=-1)
    curves = form.named(values, ends, np.zeros(len(values)))
    away = data.log_threshold - np.log(
        np.maximum(form.curve(tuple(curves.T[:, :, None]), data.x), 1e-9)
    )
    cell = (2 * reach / 200) ** form.anchors
    return np.sum(np.exp(-0.5 * np.sum(away**2 / v + np.log(v), axis=-1))) * cell


def coverage(slices, tau, error, runs, seed=0):
    """How often the interval of the exponent of a power covers it, and how much wider it is.

    Than where tau is known.
    """
    rng = np.random.default_rng(seed)
    x = np.geomspace(10, 100, slices)
    inside, wider = [], []
    for _ in range(runs):
        errors = error * np.exp(rng.uniform(-0.5, 0.5, slices))
        y = np.log(5 * x**0.8) + np.hypot(errors, tau) * rng.normal(size=slices)
        found = fit(POWER, Thresholds(x, y, errors))
        inside.append(found.low[1] < 0.8 < found.high[1])
        v = errors**2 + tau**2
        moved = np.log(x) - np.average(np.log(x), weights=1 / v)
        wider.append((found.high[1] - found.low[1]) / (2 * 1.96 * np.sum(moved**2 / v) ** -0.5))
    return float(np.mean(inside)), float(np.median(wider))


@pytest.mark.parametrize(("slices", "least", "wide"), [(4, 0.93, 3.5), (10, 0.93, 1.6)])
def test_the_exponent_is_covered(slices, least, wide):
    for tau in (0.0, 0.03):
        covered, wider = coverage(slices, tau, 0.02, 200)
        assert covered >= least - 0.02
        assert wider < wide


@pytest.mark.slow
@pytest.mark.parametrize("slices", [4, 6, 10])
@pytest.mark.parametrize("tau", [0.0, 0.03])
def test_the_exponent_is_covered_as_often_as_said(slices, tau):
    """93 to 97 % where thresholds scatter; more of few slices, or where they happen not to."""
    for error in (0.01, 0.03):
        covered, wider = coverage(slices, tau, error, 1000, seed=1)
        print(slices, tau, error, covered, wider)
        assert covered >= 0.93
        if tau > error and slices > 4:
            assert covered <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("form", [LINEAR, OFFSET], ids=lambda form: form.name)
def test_bands_cover_the_curve_that_made_the_data(form):
    rng = np.random.default_rng(4)
    x, inside = np.geomspace(10, 100, 8), []
    for _ in range(400):
        n50 = form.curve(np.array([8.0, 60.0] if form is LINEAR else [20.0, 0.5, 30.0]), x)
        y = np.log(n50) + np.hypot(0.02, 0.03) * rng.normal(size=8)
        found = fit(form, Thresholds(x, y, np.full(8, 0.02)))
        _, low, high = found.predict(x)
        inside.append((low < n50) & (n50 < high))
    print(np.mean(inside, axis=0))
    assert 0.93 <= np.mean(inside) <= 0.985


@pytest.mark.slow
def test_the_slope_is_covered_by_fits_to_trials():
    inside = []
    for seed in range(150):
        d = np.array([20.0, 40, 80, 160])
        found = fit(LINEAR, thresholds(d, [measured(8 * x + 40, seed, trials=6) for x in d]))
        inside.append(found.low[0] < 8 < found.high[0])
    print(np.mean(inside))
    assert np.mean(inside) >= 0.93


def test_a_form_that_does_not_hold_says_how_far():
    """Scatter of 20 % on a constant; and none, known to a part of the errors."""
    rng = np.random.default_rng(0)
    x = np.geomspace(10, 100, 40)
    far = fit(CONSTANT, Thresholds(x, 5 + 0.2 * rng.normal(size=40), np.full(40, 0.02)))
    assert far.scatter == pytest.approx(0.2, rel=0.25) and far.scatter < far.holds_to < 0.3
    near = fit(CONSTANT, Thresholds(x, 5 + 0.02 * rng.normal(size=40), np.full(40, 0.02)))
    assert near.holds_to < 0.02


def test_the_same_thresholds_give_the_same():
    data = known(D, 9 * D + 20)
    assert fit(OFFSET, data).low == fit(OFFSET, data).low


def test_mistakes():
    with pytest.raises(ValueError, match="expected finite x > 0"):
        fit(POWER, known([0, 1, 2], [1, 2, 3]))
    with pytest.raises(ValueError, match="expected finite error > 0"):
        fit(POWER, known(D, 9 * D, error=0.0))
    with pytest.raises(ValueError, match="expected at least 2 different x, got 1"):
        fit(LINEAR, known([5, 5], [1, 2]))
    with pytest.raises(ValueError, match="expected at least 2 different x, got 1"):
        left_out(LINEAR, known([5, 5, 6], [1, 2, 3]))
    with pytest.raises(ValueError, match="expected finite x > 0"):
        fit(POWER, known(D, 9.0 * D)).predict([0, 1])
    assert fit(LINEAR, known([-1, 0, 1], [1, 2, 3])).predict(0.5)[0] == pytest.approx(2.5, rel=0.1)
