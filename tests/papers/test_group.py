"""The closed form of group initialization against the flow by SciPy, and its limits by hand."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from problems import as_float64, drawn, relu_velocity
from solutions import relu_solution

from jaxflow.papers.group import GroupFlow, group_count, group_flow, group_size
from jaxflow.problems.shallow.initialization import Group
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.labels import GroupSigns
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

# Groups of 3, 1 and 4 samples, whose labels have the signs +, -, +.
MEMBERS = ([0, 3, 4], [1], [2, 5, 6, 7])
SIGNS = (1, -1, 1)


def trial(seed=0, aligned=False):
    """X (8, 9), y, W (3, 9), a: orthonormal inputs along the axes, in any order and direction."""
    rng = np.random.default_rng(seed)
    X = np.eye(9)[rng.permutation(9)[:8]] * rng.choice([-1, 1], (8, 1))
    y, W = np.zeros(8), np.zeros((3, 9))
    for j, (members, sign) in enumerate(zip(MEMBERS, SIGNS, strict=True)):
        y[members] = sign * rng.uniform(0.5, 2, len(members))
        W[j] = (np.abs(y[members]) if aligned else rng.uniform(0.01, 1, len(members))) @ X[members]
    W *= (np.array([0.05, 0.3, 1.0]) / np.linalg.norm(W, axis=1))[:, None]
    return X, y, W, np.array(SIGNS) * np.linalg.norm(W, axis=1)


@pytest.mark.parametrize("aligned", [False, True])
def test_the_flow_of_the_network(aligned):
    X, y, W, a = trial(aligned=aligned)
    times = np.concatenate([[0], np.geomspace(0.1, 100, 25)])
    flow = group_flow(X, y, W, a)
    W, a, losses = relu_solution(X, y, W, a, times)
    norms = np.linalg.norm(W, axis=-1)
    totals = np.array([y[m] @ X[m] for m in MEMBERS])
    cosines = SIGNS * np.sum(W * totals, axis=-1) / norms / np.linalg.norm(totals, axis=-1)
    np.testing.assert_allclose(flow.cosines(times), cosines, rtol=1e-9)
    np.testing.assert_allclose(flow.products(times), np.abs(a) * norms, rtol=1e-9)
    np.testing.assert_allclose(flow.loss(times), losses, rtol=1e-8, atol=1e-12)
    residuals = y - np.einsum("kj,kji->ki", a, np.maximum(W @ X.T, 0)) / 3
    parts = np.stack([np.sum(residuals[:, m] ** 2, axis=1) / 16 for m in MEMBERS], axis=1)
    np.testing.assert_allclose(flow.losses(times), parts, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("aligned", [False, True])
def test_the_curvature_along_the_flow(aligned):
    """mu = |theta'|^2 / (kappa L), of the velocities of the network."""
    X, y, W, a = trial(1, aligned)
    times = np.linspace(0, 30, 20)
    flow = group_flow(X, y, W, a)
    states = relu_solution(X, y, W, a, times)
    for found, W, a, loss in zip(flow.curvature(times), *states, strict=True):
        W_velocity, a_velocity, _ = relu_velocity(X, y, W, a)
        expected = (np.sum(W_velocity**2) + np.sum(a_velocity**2)) / (3 * loss)
        assert found == pytest.approx(expected, rel=1e-8)


def test_one_sample_by_hand():
    """n = p = 1, y = D = 2, u0 = 1/2, c0 = 1: logistic, u = 2 / (1 + 3 exp(-4t))."""
    flow = GroupFlow(1, np.array([2.0]), np.array([0.5]), np.array([1.0]))
    t = np.array([0, 0.1, 1.0, 3.0])
    u = 2 / (1 + 3 * np.exp(-4 * t))
    np.testing.assert_allclose(flow.products(t)[:, 0], u, rtol=1e-14)
    np.testing.assert_allclose(flow.loss(t), (2 - u) ** 2 / 2, rtol=1e-9)
    np.testing.assert_allclose(flow.curvature(t), 4 * u, rtol=1e-14)
    assert flow.transition_times[0] == pytest.approx(np.log(2) / 4)


sizes = st.floats(1e-3, 1e3)


@settings(deadline=None)
@given(sizes, sizes, st.floats(1e-3, 1), st.floats(0, 6))
def test_the_formulas_as_published(D, u0, c0, tau):
    """Written with hyperbolic functions, where these do not overflow; p = 1, n = 3."""
    flow = GroupFlow(3, np.array([D]), np.array([u0]), np.array([c0]))
    t = tau * 3 / D
    g = np.cosh(tau) + c0 * np.sinh(tau)
    c = (np.sinh(tau) + c0 * np.cosh(tau)) / g
    S = tau * (1 - c0**2) / 2 + (1 + c0**2) * np.sinh(2 * tau) / 4 + c0 * np.sinh(tau) ** 2
    u = D * u0 * g**2 / (D + 2 * u0 * S)
    assert flow.cosines(t)[0] == pytest.approx(c, rel=1e-12)
    assert flow.products(t)[0] == pytest.approx(u, rel=1e-11)
    scale = (D**2 + u**2) / 6
    assert flow.loss(t) == pytest.approx((D**2 + u**2 - 2 * u * D * c) / 6, abs=1e-11 * scale)


@settings(deadline=None)
@given(sizes, sizes, st.floats(1e-3, 1), st.floats(0.01, 100))
def test_the_loss_keeps_its_precision_as_it_vanishes(D, u0, c0, tau):
    """mu is the slope of the logarithm of the loss, down to 1e-174."""
    flow = GroupFlow(3, np.array([D]), np.array([u0]), np.array([c0]))
    assume(flow.loss(0) > 0)
    t = tau * 3 / D
    mu = flow.curvature(t)
    h = min(1e-4 * t, 1e-4 / mu)
    before, after = np.log(flow.loss([t - h, t + h]))
    assert (before - after) / (2 * h) == pytest.approx(mu, rel=1e-5, abs=1e-8 * D)


def test_late_the_curvature_is_that_of_the_slowest_group_though_no_loss_is_left():
    D, u0 = np.array([1.0, 3.0, 4.0]), np.full(3, 0.01)
    skew, aligned = (GroupFlow(10, D, u0, np.full(3, c0)) for c0 in (0.5, 1.0))
    low, high = skew.curvature_limits
    np.testing.assert_allclose(low, [0.2, 0.6, 0.8])
    np.testing.assert_allclose(high, 2 * low)
    t = np.array([1e3, 1e4, 1e6])
    assert np.all(skew.loss(t[1:]) == 0)
    np.testing.assert_allclose(skew.curvature(t), low[0], rtol=1e-12)
    np.testing.assert_allclose(aligned.curvature(t), high[0], rtol=1e-12)
    np.testing.assert_allclose(skew.curvatures(t[-1]), low, rtol=1e-12)


def two_groups(n):
    """The published figure: p = 2, D = sqrt(n) and 2 sqrt(n)."""
    return GroupFlow(n, np.array([1.0, 2.0]) * np.sqrt(n), np.full(2, 1.0), np.full(2, 0.5))


def test_the_limit_is_a_staircase():
    """At times at a distance from each step, with larger n the nearer."""
    off = []
    for n in (1e6, 1e12, 1.7e18):
        flow = two_groups(n)
        second, first = flow.transition_times
        t = np.array([0, first / 2, first * 1.5, second / 1.5, second * 1.5])
        assert flow.staircase(t) == pytest.approx([2.5, 2.5, 0.5, 0.5, 0], rel=1e-12)
        off.append(np.max(np.abs(flow.loss(t) - flow.staircase(t))))
    assert off[0] > off[1] > off[2]
    assert off[2] < 5e-3


def test_times_of_fall():
    flow = two_groups(1e4)
    for fallen in (1e-6, 0.1, 0.5, 0.9, 1 - 1e-9):
        times = flow.fall_times(fallen)
        left = np.diagonal(flow.losses(times)) / flow.losses(0)
        np.testing.assert_allclose(left, 1 - fallen, rtol=1e-9)


def test_a_step_narrows_like_one_over_log_n():
    limit = np.log((np.sqrt(10) - 1) / (np.sqrt(10 / 9) - 1))
    relative = []
    for n in (1e3, 1e6, 1e12, 1.7e18):
        flow = two_groups(n)
        relative.append(flow.widths / flow.transition_times * np.log(2 * flow.D))
    np.testing.assert_allclose(relative[0], limit, rtol=0.05)
    np.testing.assert_allclose(relative[-1], limit, rtol=1e-8)
    assert limit == pytest.approx(3.688, abs=1e-3)


def test_a_group_that_starts_fitted_stays_so():
    flow = GroupFlow(1, np.array([2.0]), np.array([2.0]), np.array([1.0]))
    assert flow.loss([0, 1, 1e3]).tolist() == [0, 0, 0]
    assert np.isnan(flow.curvature(1.0))


@pytest.mark.parametrize(("alpha", "size"), [(0.5, 10000), (0.75, 100), (1, 1)])
def test_sizes_of_groups_make_the_rates(alpha, size):
    n = 10**4
    assert group_size(n, alpha) == pytest.approx(size)
    p = n // size
    assert group_count(n, alpha) == p
    flow = GroupFlow(n, np.full(p, np.sqrt(size)), np.full(p, 0.1), np.full(p, 0.9))
    assert flow.curvature(1e9) == pytest.approx(2 * n**-alpha)


def test_trials_drawn_in_float32_fit_the_premises():
    problem = ShallowNetwork(
        inputs=Orthogonal(1.0, 1.0), labels=GroupSigns(1.0, 2.0), initialization=Group(0.05)
    )
    data, theta = drawn(problem, d=30, n=20, p=4)
    X, y, W, a = as_float64(data, theta)
    flow = group_flow(X, y, W, a)
    np.testing.assert_allclose(flow.D**2, [np.sum(y[j::4] ** 2) for j in range(4)])
    assert flow.loss(0) == pytest.approx(relu_velocity(X, y, W, a)[2], rel=1e-6)


@pytest.mark.parametrize(
    ("premise", "spoil"),
    [
        ("orthonormal inputs", lambda X, y, W, a: (2 * X, y, W, a)),
        ("one active neuron", lambda X, y, W, a: (X, y, W + 0.01 * X[1], a)),
        ("a group for each", lambda X, y, W, a: (X, y, np.append(W, -W[:1], 0), [*a, 1])),
        ("labels of the sign", lambda X, y, W, a: (X, -y, W, a)),
        ("in the span", lambda X, y, W, a: (X, y, W - 0.1 * X[[1, 2, 0]], a)),
        ("|a_j| = |w_j|", lambda X, y, W, a: (X, y, W, 1.001 * a)),
        ("match n, d and p", lambda X, y, W, a: (X, y, W, a[:2])),
    ],
)
def test_premises(premise, spoil):
    with pytest.raises(ValueError, match="expected") as error:
        group_flow(*spoil(*trial()))
    assert premise in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("n", "D", "u0", "c0"),
    [
        (0, [1.0], [1.0], [1.0]),
        (9, [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]),
        (9, [1.0], [-1.0], [1.0]),
        (9, [1.0], [1.0], [1.1]),
        (9, [1.0, 2.0, 3.0], [1.0, 2.0], [1.0]),
        (9, [[1.0]], [[1.0]], [[1.0]]),
    ],
)
def test_mistakes(n, D, u0, c0):
    with pytest.raises(ValueError, match="expected"):
        GroupFlow(n, np.array(D), np.array(u0), np.array(c0))


def test_neither_times_before_the_start_nor_rates_that_do_not_exist():
    with pytest.raises(ValueError, match="t >= 0"):
        two_groups(9).loss(-1)
    with pytest.raises(ValueError, match="fallen"):
        two_groups(9).fall_times(1)
    with pytest.raises(ValueError, match="alpha"):
        group_size(9, 0.4)
