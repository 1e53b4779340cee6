"""Distances against brute force over rotations, Hessians against finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from jaxflow.papers.quadratic import (
    SADDLE_GROWTH,
    matrix_error,
    population_gradient,
    procrustes_distance,
    quadratic_extremes,
    quadratic_hessian,
    rotation_dimension,
)

seeds = st.integers(0, 2**32 - 1)


def problem(r=2, d=4, m=30, seed=0):
    """W (r, d), X (m, d), y (m,) of a teacher V (r, d)."""
    rng = np.random.default_rng(seed)
    W, V = rng.normal(size=(2, r, d)) / np.sqrt(d)
    X = rng.normal(size=(m, d))
    return W, X, np.sum((X @ V.T) ** 2, axis=1), V


def loss(W, X, y):
    return np.sum((np.sum((X @ W.T) ** 2, axis=1) - y) ** 2) / (4 * len(y))


def rotation(r, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(r, r)))[0]


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 7), seeds)
def test_a_rotated_teacher_is_recovered(r, d, seed):
    V = np.random.default_rng(seed).normal(size=(r, d))
    W = rotation(r, seed + 1) @ V
    assert procrustes_distance(W, V) < 1e-13
    assert matrix_error(W, V) < 1e-13


@settings(deadline=None)
@given(seeds)
def test_distance_is_the_least_over_rotations_and_reflections(seed):
    W, _, _, V = problem(r=2, d=3, seed=seed)
    angles = np.linspace(0, 2 * np.pi, 4001)
    c, s = np.cos(angles), np.sin(angles)
    turns = np.moveaxis(np.array([[c, -s], [s, c]]), -1, 0)
    turns = np.concatenate([turns, turns * [1, -1]])
    least = np.min(np.linalg.norm(turns @ W - V, axis=(1, 2))) / np.linalg.norm(V)
    found = procrustes_distance(W, V)
    assert found <= least * (1 + 1e-12)
    assert found == pytest.approx(least, abs=2e-5)


@settings(deadline=None)
@given(st.integers(1, 4), seeds)
def test_distances_do_not_see_rotations(r, seed):
    W, _, _, V = problem(r=r, d=5, seed=seed)
    Q = rotation(r, seed + 1)
    for distance in (procrustes_distance, matrix_error):
        assert distance(Q @ W, V) == pytest.approx(distance(W, V), rel=1e-12)


def test_distances_by_hand():
    V = np.array([[3.0, 0.0], [0.0, 4.0]])
    assert procrustes_distance(2 * V, V) == pytest.approx(1)
    assert matrix_error(2 * V, V) == pytest.approx(3)
    assert procrustes_distance(0 * V, V) == pytest.approx(1)
    assert matrix_error([[0, 4.0], [0, 0]], V) == pytest.approx(9 / np.sqrt(9**2 + 16**2))
    stack = np.array([V, 2 * V, -V])
    np.testing.assert_allclose(procrustes_distance(stack, V), [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(matrix_error(stack, V), [0, 3, 0], atol=1e-15)


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), seeds)
def test_hessian_by_differences(r, d, seed):
    W, X, y, V = problem(r, d, seed=seed)
    U, h = V / np.linalg.norm(V), 1e-3
    # the loss is a polynomial of degree 4: five points give its second derivative exactly
    values = [loss(W + k * h * U, X, y) for k in (-2, -1, 0, 1, 2)]
    second = np.dot([-1, 16, -30, 16, -1], values) / (12 * h**2)
    expected = pytest.approx(second, rel=1e-6, abs=1e-8 * (1 + values[2]))
    assert np.sum(U * quadratic_hessian(W, X, y, U)) == expected


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), seeds)
def test_hessian_is_linear_and_symmetric(r, d, seed):
    W, X, y, V = problem(r, d, seed=seed)
    U = np.random.default_rng(seed + 1).normal(size=(r, d))
    HU, HV = quadratic_hessian(W, X, y, U), quadratic_hessian(W, X, y, V)
    size = np.linalg.norm(HU) * np.linalg.norm(HV) + 1e-300
    assert np.sum(V * HU) == pytest.approx(np.sum(U * HV), abs=1e-10 * size + 1e-12)
    mixed = quadratic_hessian(W, X, y, 2 * U - V)
    np.testing.assert_allclose(mixed, 2 * HU - HV, atol=1e-11 * (size + 1))


def dense(W, X, y):
    """The whole Hessian (r d, r d), from its products."""
    units = np.eye(W.size).reshape(-1, *W.shape)
    return np.array([quadratic_hessian(W, X, y, unit).ravel() for unit in units])


@pytest.mark.parametrize("r", [1, 2, 3, 4])
def test_at_the_optimum_only_the_rotations_are_flat(r):
    _, X, y, V = problem(r, d=5, m=200)
    values = np.linalg.eigvalsh(dense(V, X, y))
    flat = int(rotation_dimension(r))
    assert flat == r * (r - 1) / 2
    assert np.all(np.abs(values[:flat]) < 1e-12)
    assert values[flat] > 1e-3
    assert quadratic_extremes(V, X, y) == pytest.approx((values[flat], values[-1]))


@pytest.mark.parametrize(("r", "d"), [(1, 4), (2, 4), (3, 3), (3, 1)])
def test_extremes_away_from_the_optimum(r, d):
    """Against the Hessian with the rotations' directions A W lifted above all else."""
    W, X, y, _ = problem(r, d, m=7)
    H = dense(W, X, y)
    pairs = [(i, k) for i in range(r) for k in range(i)]
    A = np.zeros((len(pairs), r, r))
    for matrix, (i, k) in zip(A, pairs, strict=True):
        matrix[i, k], matrix[k, i] = 1, -1
    moved = (A @ W).reshape(len(pairs), r * d)
    apart = np.eye(r * d) - np.linalg.pinv(moved, rtol=1e-10) @ moved if pairs else np.eye(r * d)
    values, vectors = np.linalg.eigh(apart @ H @ apart)
    inside = np.linalg.norm(apart @ vectors, axis=0) > 0.5
    assert quadratic_extremes(W, X, y) == pytest.approx(
        (values[inside].min(), values[inside].max()), rel=1e-9
    )


def test_one_neuron_and_many_samples():
    """In the mean over x ~ N(0, I), 2 |v|^2 across v and 6 |v|^2 along it."""
    v = np.array([[0.6, 0.0, 0.8]])
    X = np.random.default_rng(2).normal(size=(100_000, 3))
    low, high = quadratic_extremes(v, X, (X @ v[0]) ** 2)
    assert (low, high) == pytest.approx((2, 6), rel=0.05)


def test_far_from_the_teacher_the_loss_is_not_convex():
    W, X, y, _ = problem(m=200)
    assert quadratic_extremes(0.01 * W, X, y)[0] < -0.1


@pytest.mark.parametrize(
    "call",
    [
        lambda: procrustes_distance(np.eye(2), np.eye(3)),
        lambda: matrix_error(np.ones(3), np.ones(3)),
        lambda: matrix_error(np.eye(2) * np.nan, np.eye(2)),
        lambda: procrustes_distance(np.eye(2), np.zeros((2, 2))),
        lambda: rotation_dimension(0),
        lambda: quadratic_hessian(np.eye(2), np.ones((5, 2)), np.ones(4), np.eye(2)),
        lambda: quadratic_hessian(np.eye(2), np.ones((5, 2)), np.ones(5), np.eye(3)),
        lambda: quadratic_extremes(np.eye(2), np.ones((5, 3)), np.ones(5)),
    ],
)
def test_mistakes(call):
    with pytest.raises(ValueError, match="expected"):
        call()


def test_the_population_gradient_is_the_mean_over_samples():
    """Of the gradient over a million samples, by central differences of their loss."""
    W, X, y, V = problem(r=2, d=3, m=1_000_000)
    h, found = 1e-4, np.zeros_like(W)
    for place in np.ndindex(W.shape):
        moved = [W.copy(), W.copy()]
        moved[0][place] -= h
        moved[1][place] += h
        found[place] = (loss(moved[1], X, y) - loss(moved[0], X, y)) / (2 * h)
    expected = population_gradient(W, V)
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())
    np.testing.assert_allclose(population_gradient(np.stack([W, V]), np.stack([V, V]))[0], expected)
    assert np.all(population_gradient(V, V) == 0)


@pytest.mark.parametrize("r", [1, 2, 5])
def test_overlaps_grow_exponentially_at_the_saddle(r):
    """The flow of the population loss, from a student orthogonal to its teacher but for 1e-6."""
    d = 2 * r
    V = np.eye(d)[:r]
    W = np.sqrt(r / (r + 2)) * np.eye(d)[r:] + 1e-6 * V
    flow = lambda t, w: -population_gradient(w.reshape(r, d), V).ravel()  # noqa: E731
    times = np.array([1.0, 3.0])
    found = solve_ivp(flow, (0, 3), W.ravel(), t_eval=times, rtol=1e-10, atol=1e-14).y
    overlaps = [np.trace(w.reshape(r, d) @ V.T) for w in found.T]
    rate = np.log(overlaps[1] / overlaps[0]) / (times[1] - times[0])
    assert rate == pytest.approx(SADDLE_GROWTH, rel=1e-3)
