import numpy as np
import pytest
from scipy.optimize import least_squares
from simulated import measured

from jaxflow.statistics.counts import Tally
from jaxflow.statistics.resamples import Measured, Thresholds, thresholds
from jaxflow.statistics.scaling import (
    FORMS,
    LINEAR,
    LOGARITHMIC,
    POWER,
    PROPORTIONAL,
    SATURATING,
    compare,
    fit,
    proportionality,
)

D = np.array([10, 20, 30, 50, 80, 120, 200])
P = np.array([25, 50, 100, 200, 400, 800])


def known(x, n50, error=0.01, resamples=100) -> Thresholds:
    """Thresholds without noise, and resamples with it."""
    rng = np.random.default_rng(0)
    drawn = np.log(n50) + error * rng.standard_normal((resamples, len(x)))
    return Thresholds(np.array(x, float), np.log(n50), np.full(len(x), error), drawn)


TRUE = [
    (PROPORTIONAL, D, (9.7,), 9.7 * D),
    (LINEAR, D, (8.0, 30.0), 8 * D + 30),
    (LINEAR, D, (8.0, -60.0), 8 * D - 60),
    (POWER, D, (12.0, 0.93), 12 * D**0.93),
    (LOGARITHMIC, P, (72.4, -42.8), 72.4 * np.log(P) - 42.8),
    (LINEAR, P, (0.366, 257.0), 0.366 * P + 257),
    (POWER, P, (120.0, 0.2), 120 * P**0.2),
    (SATURATING, P, (400.0, 6000.0), 400 - 6000 / P),
]


@pytest.mark.parametrize(("form", "x", "coefficients", "n50"), TRUE)
def test_exact_thresholds_give_the_coefficients_back(form, x, coefficients, n50):
    found = fit(form, known(x, n50))
    assert found.coefficients == pytest.approx(coefficients, rel=1e-6)
    assert found.chi2 < 1e-9
    for low, value, high in zip(found.low, coefficients, found.high, strict=True):
        assert low < value < high
    mean, low, high = found.predict(x)
    assert mean == pytest.approx(n50)
    assert np.all((low < mean) & (mean < high))
    assert found.predict(37.0)[0].shape == ()


@pytest.mark.parametrize("form", [PROPORTIONAL, LINEAR, POWER, LOGARITHMIC, SATURATING])
def test_the_fit_is_least_squares_in_log_n(form):
    """SciPy's optimizer on the same residuals, from the coefficients moved by a tenth."""
    rng = np.random.default_rng(1)
    n50 = 100 * P**0.3 * np.exp(0.1 * rng.standard_normal(len(P)))
    error = rng.uniform(0.01, 0.1, len(P))
    data = Thresholds(P.astype(float), np.log(n50), error, np.log(n50)[None].repeat(2, 0))
    found = fit(form, data)

    def residual(theta):
        return np.nan_to_num((np.log(n50) - form.log(theta, data.x)) / error, nan=1e3)

    expected = least_squares(residual, found.theta * 1.1, x_scale=np.abs(found.theta), xtol=1e-12)
    assert found.chi2 <= 2 * expected.cost * (1 + 1e-6)
    assert found.theta == pytest.approx(expected.x, rel=1e-3)
    assert found.drawn == pytest.approx(np.stack([found.theta] * 2))


def test_the_published_readings():
    """arXiv 2502.16977: N(30, p) and their 72.4 log p - 42.8 or .366 p + 257, read by eye."""
    p, n50 = np.array([100, 200, 400]), np.array([293, 347, 387])
    data = known(p, n50, error=0.03)
    logarithmic, linear = fit(LOGARITHMIC, data), fit(LINEAR, data)
    assert logarithmic.predict(p)[0] == pytest.approx(72.4 * np.log(p) - 42.8, rel=0.03)
    assert linear.predict(p)[0] == pytest.approx(0.366 * p + 257, rel=0.06)
    assert logarithmic.low[0] < 72.4 < logarithmic.high[0]
    assert linear.low[0] < 0.366 < linear.high[0]
    assert logarithmic.chi2 < linear.chi2


def test_the_interval_of_a_slope_covers_it_where_errors_are_known():
    rng = np.random.default_rng(0)
    error = np.array([0.02, 0.05, 0.01, 0.03, 0.02, 0.04, 0.02])
    inside = []
    for _ in range(300):
        seen = np.log(8 * D + 40) + error * rng.standard_normal(len(D))
        drawn = seen + error * rng.standard_normal((100, len(D)))
        found = fit(LINEAR, Thresholds(D.astype(float), seen, error, drawn))
        inside.append(found.low[0] < 8 < found.high[0])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.04)


@pytest.mark.slow
def test_the_interval_of_the_slope_covers_it():
    inside = []
    for seed in range(150):
        slices = [measured(d, 8 * d + 40, seed, trials=6) for d in (20, 40, 80, 160)]
        found = fit(LINEAR, thresholds(slices, 100, seed))
        inside.append(found.low[0] < 8 < found.high[0])
    print(np.mean(inside))
    assert np.mean(inside) >= 0.9  # 95 %, 2.8 standard errors


@pytest.mark.parametrize(
    ("along", "x", "form", "n50"),
    [
        ("d", D, "proportional", 9.7 * D),
        ("d", D, "linear", 8.0 * D + 60),
        ("d", D, "power", 12.0 * D**0.8),
        ("p", P, "logarithmic", 72.4 * np.log(P) - 42.8),
        ("p", P, "power", 60.0 * P**0.4),
        ("p", P, "linear", 0.366 * P + 157),
        ("p", P, "saturating", 400 - 6000 / P),
    ],
)
def test_the_form_that_made_the_data_wins(along, x, form, n50):
    slices = [measured(a, b, 1, trials=40) for a, b in zip(x, n50, strict=True)]
    found = compare(slices, along, resamples=100)
    assert found.fits[0].form.name == form
    assert found.decided == form
    assert found.weights[0] > 0.7
    assert sum(found.weights) == pytest.approx(1)
    assert sum(found.best_in) == pytest.approx(1)
    assert list(found.criterion) == sorted(found.criterion)
    assert found.left_out[0] < 0.03


def test_it_is_said_when_the_data_cannot_tell():
    p = np.array([100, 150, 200, 300])
    slices = [measured(x, 72.4 * np.log(x) - 42.8, 0, trials=4) for x in p]
    found = compare(slices, "p", resamples=60)
    assert found.decided == ""
    assert max(found.weights) < 0.8
    assert len(found.fits) == len(FORMS["p"])


def test_proportionality():
    slices = [
        measured((d, p), 2 * np.log(p) * d, 3) for p in (50, 200) for d in (10, 20, 40, 80)
    ] + [measured((d, 400), 9 * d**0.8, 3) for d in (10, 20, 40, 80)]
    found = proportionality(slices, resamples=60)
    assert list(found) == [50, 200, 400]
    for p in (50, 200):
        assert found[p].low[0] < 2 * np.log(p) < found[p].high[0]
        assert found[p].misfit < 4
    assert found[400].misfit > 20


def test_two_slices_at_one_place_are_no_error():
    slices = [measured(d, 9 * d, seed) for seed, d in enumerate([30, 30, 60, 90])]
    found = compare(slices, "d", resamples=20)
    assert all(np.isfinite(found.left_out))
    fits = proportionality([measured((30, p), 3 * p, 0) for p in (50, 100, 200)], resamples=20)
    assert np.isnan(fits[50].misfit)


def test_the_same_seed_gives_the_same():
    slices = [measured(d, 9 * d, 0, trials=5) for d in (10, 30, 90)]
    first, again, other = (compare(slices, "d", resamples=20, seed=s) for s in (1, 1, 2))
    assert first.fits[0].low == again.fits[0].low
    assert first.fits[0].low != other.fits[0].low
    assert first.fits[0].coefficients == other.fits[0].coefficients


def test_mistakes():
    slices = [measured(d, 9 * d, 0) for d in (10, 30, 90)]
    with pytest.raises(ValueError, match="expected at least 3 different slices, got 2"):
        compare([*slices[:2], slices[0]], "d")
    with pytest.raises(ValueError, match="expected axis in "):
        compare(slices, "n")
    with pytest.raises(ValueError, match="expected slices at pairs"):
        proportionality(slices, resamples=2)
    beyond = Measured(50, [Tally(100, 9, 9), Tally(200, 9, 9)], 100, 200)
    with pytest.raises(ValueError, match=r"expected a threshold within 100\.\.200, got 50"):
        compare([*slices, beyond], "d", resamples=2)
    with pytest.raises(ValueError, match="expected x > 0"):
        fit(LINEAR, known(D, 9.0 * D)).predict([0, 1])
