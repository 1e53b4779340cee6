"""The kernel against quadrature and sampling, and its bounds against networks that are trained."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm
from scipy.special import ndtr

from jaxflow.papers.overparameterized import (
    infinite_kernel,
    keeps_to_lazy_bound,
    kernel_extremes,
    lazy_descent_bound,
    lazy_distance_bound,
    lazy_loss_bound,
    lazy_width,
    sampled_kernel,
)


def unit_inputs(n, d, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@pytest.mark.parametrize("rho", [-0.9, -0.2, 0.0, 0.5, 0.99])
def test_a_pair_by_quadrature(rho):
    """P(w.x > 0, w.z > 0) = int_0^inf phi(s) Phi(rho s / sqrt(1 - rho^2)) ds."""
    side = np.sqrt(1 - rho**2)
    both, _ = quad(lambda s: np.exp(-(s**2) / 2) * ndtr(rho * s / side), 0, np.inf, epsabs=1e-13)
    H = infinite_kernel([[1.0, 0.0], [rho, side]])
    expected = rho * both / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(H, [[0.5, expected], [expected, 0.5]], atol=1e-11)


def test_sampling_is_within_its_errors():
    X = unit_inputs(8, 5)
    H = infinite_kernel(X)
    drawn = [sampled_kernel(X, 3000, seed=seed) for seed in range(20)]
    pulls = np.array([(mean - H) / error for mean, error in drawn])[:, *np.triu_indices(8)]
    assert np.all(np.abs(pulls) < 5)
    assert np.mean(pulls**2) == pytest.approx(1, abs=0.35)


def test_extremes_by_hand():
    assert kernel_extremes(np.eye(5)) == pytest.approx((0.5, 0.5))
    off = 0.5 * (np.pi - np.pi / 3) / (2 * np.pi)  # two inputs at 60 degrees
    assert kernel_extremes([[1, 0], [0.5, np.sqrt(0.75)]]) == pytest.approx((0.5 - off, 0.5 + off))
    assert kernel_extremes([[1, 0], [1, 0]])[0] == pytest.approx(0, abs=1e-15)


def test_extremes_of_many_random_inputs():
    """.246 and 1.246 of one draw at n = d = 1000, the published size; in distribution here."""
    low, high = kernel_extremes(unit_inputs(1000, 1000, seed=3))
    assert low == pytest.approx(0.246, abs=0.004)
    assert high == pytest.approx(1.246, abs=0.02)


def first_layer_velocity(X, y, W, a):
    """theta' = -grad L, L = |r|^2 / 2n, and f - y, of (1/sqrt(p)) sum_j a_j relu(w_j.x)."""
    Z = X @ W.T
    r = y - np.maximum(Z, 0) @ a / np.sqrt(len(a))
    return a[:, None] * (((Z > 0) * r[:, None]).T @ X) / (len(y) * np.sqrt(len(a))), r


@pytest.fixture(scope="module")
def wide():
    """X, y, W(0), a of a wide network on few inputs."""
    rng = np.random.default_rng(5)
    return (
        unit_inputs(5, 4, seed=1),
        rng.normal(size=5),
        rng.normal(size=(4000, 4)),
        rng.choice([-1.0, 1.0], 4000),
    )


def test_a_wide_network_follows_the_kernel_within_the_bounds(wide):
    X, y, W0, a = wide
    low, _ = kernel_extremes(X)
    times = np.array([0, 1, 4, 10, 30, 100.0]) * 5 / 2
    found = solve_ivp(
        lambda _, state: first_layer_velocity(X, y, state.reshape(W0.shape), a)[0].ravel(),
        (0, times[-1]),
        W0.ravel(),
        t_eval=times,
        rtol=1e-5,
        atol=1e-7,
    )
    states = [state.reshape(W0.shape) for state in found.y.T]
    r = np.array([first_layer_velocity(X, y, W, a)[1] for W in states])
    start = np.linalg.norm(r[0])
    predicted = np.array([expm(-infinite_kernel(X) * t / 5) @ r[0] for t in times])
    np.testing.assert_allclose(r, predicted, atol=0.05 * start)
    ratio = np.sum(r**2, axis=1) / start**2
    assert np.all(ratio <= lazy_loss_bound(times, 5, low) * (1 + 1e-9))
    assert ratio[-1] < 0.01
    moved = np.max(np.linalg.norm(np.array(states) - W0, axis=-1))
    assert 0.02 < moved / lazy_distance_bound(5, 4000, start, low) < 1


def test_descent_within_its_bound(wide):
    X, y, W, a = wide
    low, _ = kernel_extremes(X)
    step, losses = 1.0, []
    for _ in range(200):
        velocity, r = first_layer_velocity(X, y, W, a)
        losses.append(r @ r)
        W = W + step * velocity
    bound = lazy_descent_bound(np.arange(200), step, 5, low)
    assert np.all(np.array(losses) <= losses[0] * bound * (1 + 1e-12))


def test_bounds_by_hand():
    assert lazy_loss_bound(10, 5, 0.25) == pytest.approx(np.exp(-0.5))
    assert lazy_descent_bound(3, 2.0, 4, 0.5) == pytest.approx((1 - 0.125) ** 3)
    assert lazy_distance_bound(9, 4, 0.5, 0.25) == pytest.approx(4 * 3 * 0.5 / (2 * 0.25))
    assert lazy_width(10, 0.1, 0.5) == pytest.approx(1e6 / (1e-4 * 0.125))
    assert lazy_loss_bound([0, 1], [[5], [6]], 0.25).shape == (2, 2)


def test_small_steps_of_descent_are_the_flow():
    steps = np.array([10**3, 10**6])
    np.testing.assert_allclose(
        lazy_descent_bound(steps, 20 / steps, 5, 0.3), lazy_loss_bound(10, 5, 0.3), rtol=1e-3
    )


def test_a_loss_keeps_to_the_bound_until_it_is_judged_no_more():
    """At n = 4, lambda_0 = 1/2 the bound is exp(-t/8)."""
    t = np.array([0, 8, 16, 24.0])
    falls = 3 * np.exp([0, -1.1, -2.2, -2.9])  # above the last bound, exp(-3)
    assert not keeps_to_lazy_bound(t, falls, 4, 0.5)
    assert keeps_to_lazy_bound(t[:3], falls[:3], 4, 0.5)
    assert keeps_to_lazy_bound(t, falls, 4, 0.5, folds=2.5)
    assert not keeps_to_lazy_bound(t, falls, 4, 0.5, folds=3)
    assert keeps_to_lazy_bound(t[:3], falls[:3], 4, 0.5, folds=2.1)
    assert not keeps_to_lazy_bound(t[:3], falls[:3], 4, 0.5, folds=2.3)  # it stays at exp(-2.2)
    assert not keeps_to_lazy_bound(t[:2], 3 * np.exp([0, -0.99]), 4, 0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: keeps_to_lazy_bound([0, 1], [1], 5, 0.1),
        lambda: keeps_to_lazy_bound([1, 2], [1, 0.5], 5, 0.1),
        lambda: keeps_to_lazy_bound([0, 1], [1, 0.5], 5, 0.1, folds=0),
        lambda: keeps_to_lazy_bound([0, 1], [1, 0.5], 5, 0.0),
        lambda: infinite_kernel(2 * np.eye(3)),
        lambda: infinite_kernel(np.ones(3)),
        lambda: sampled_kernel(np.eye(3), 0),
        lambda: lazy_loss_bound(-1, 5, 0.1),
        lambda: lazy_descent_bound(1, 100.0, 5, 0.1),
        lambda: lazy_distance_bound(5, 5, 1.0, 0.0),
        lambda: lazy_width(5, 0.1, 1.0),
    ],
)
def test_mistakes(call):
    with pytest.raises(ValueError, match="expected"):
        call()
