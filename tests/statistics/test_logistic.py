"""The density on a grid against SciPy's laws, for one vector of counts and for many."""

import numpy as np
import pytest
from scipy import stats

from jaxflow.statistics.logistic import Guess, Model

AXES = np.log([150.0, 220, 300, 310]), np.log([0.05, 0.4, 1.5]), np.sqrt([0.0, 0.05, 0.2, 0.3])
X, TRIALS = np.array([120.0, 250, 305, 400]), np.array([7, 3, 40, 9])
MODELS = [Model(200, 305), Model(200, 305, rising=True), Model(100, 900, guess=Guess(250, 0.1))]


def chance(model, x):
    """From the docstring, through N and s: (4, 3, 4)."""
    n50, width, lapse = np.meshgrid(np.exp(AXES[0]), np.exp(AXES[1]), AXES[2] ** 2, indexing="ij")
    slope = 2 * np.log(9) / width * (-1 if model.rising else 1)
    N = n50 * (1 - 2 * lapse) ** (-1 / slope)
    return (1 - lapse) / (1 + (x / N) ** slope)


def prior(model):
    """Densities of SciPy's laws, up to a constant."""
    location, width, lapse = np.meshgrid(AXES[0], AXES[1], AXES[2] ** 2, indexing="ij")
    low, high = np.log(model.low), np.log(model.high)
    outside = np.abs(location - np.clip(location, low, high))
    found = stats.expon(scale=0.05 * (high - low)).logpdf(outside)
    found = (
        found + stats.norm(np.log(0.3), 1.5).logpdf(width) + stats.expon(scale=0.2).logpdf(lapse)
    )
    if model.guess is not None:
        found = found + stats.laplace(np.log(model.guess.x), model.guess.spread).logpdf(location)
    return found


@pytest.mark.parametrize("model", MODELS)
def test_the_prior_and_the_likelihood_are_those_of_scipy(model):
    converged = np.array([7, 2, 11, 0])
    chances = [chance(model, x) for x in X]
    expected = prior(model) + sum(
        stats.binom(m, q).logpmf(c) for q, m, c in zip(chances, TRIALS, converged, strict=True)
    )
    found = model.log_posterior(AXES, X, TRIALS, converged)
    told = np.all([np.abs(q - 0.5) < 0.4999 for q in chances], axis=0)  # 1 - q keeps its digits
    assert told.sum() >= 12
    assert np.ptp((found - expected)[told]) < 1e-9
    assert np.ptp(model.log_prior(AXES) - prior(model)) < 1e-12
    np.testing.assert_allclose(model.chance(305.0, AXES), chance(model, 305.0))


@pytest.mark.parametrize("model", MODELS)
def test_many_experiments_are_each_by_itself(model):
    drawn = np.random.default_rng(0).binomial(TRIALS, 0.4, (6, 4))
    found = model.log_posterior(AXES, X, TRIALS, drawn)
    each = [model.log_posterior(AXES, X, TRIALS, converged) for converged in drawn]
    assert found.shape == (6, 4, 3, 4)
    np.testing.assert_allclose(found, each, rtol=1e-12)


def test_without_trials_it_is_the_prior():
    model = MODELS[2]
    np.testing.assert_array_equal(model.log_posterior(AXES, [], [], []), model.log_prior(AXES))


def test_half_converge_at_the_threshold_and_lapses_fail_far_below():
    found = MODELS[0].chance(300.0, AXES)[2]
    np.testing.assert_allclose(found, 0.5)
    far = MODELS[0].chance(1e-200, AXES)
    np.testing.assert_allclose(far, np.broadcast_to(1 - AXES[2] ** 2, far.shape))


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="expected low < high"):
        Model(300, 200)


def test_the_prior_is_drawn_as_it_is_written():
    """Kolmogorov's test of each parameter against its density, summed up on fine nodes."""
    model, rng = Model(200, 900), np.random.default_rng(0)
    drawn = np.array([model.draw(rng) for _ in range(4000)])
    drawn[:, :2] = np.log(drawn[:, :2])
    low, high = np.log(200), np.log(900)
    far = 0.4 * (high - low)
    x = np.linspace(low - far, high + far, 4001), np.linspace(np.log(0.004), np.log(2), 4001)
    outside = np.abs(x[0] - np.clip(x[0], low, high))
    densities = (
        (x[0], stats.expon(scale=0.05 * (high - low)).pdf(outside)),
        (x[1], stats.norm(np.log(0.3), 1.5).pdf(x[1])),
        (lapse := np.linspace(0, 0.3, 4001), stats.expon(scale=0.2).pdf(lapse)),
    )
    for values, (nodes, density) in zip(drawn.T, densities, strict=True):
        assert nodes[0] <= values.min() and values.max() <= nodes[-1]
        mass = np.cumsum(density) / density.sum()
        found = stats.kstest(np.interp(values, nodes, mass), "uniform")
        assert found.pvalue > 0.01
    assert np.abs(np.corrcoef(drawn.T)[np.triu_indices(3, 1)]).max() < 0.05  # 3 standard errors


def test_a_guess_is_nothing_to_draw_from():
    with pytest.raises(ValueError, match="expected a model without a guess"):
        MODELS[2].draw(np.random.default_rng(0))
