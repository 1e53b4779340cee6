"""Rules of the papers against their published numbers, by hand, and along a flow.

P(well initialized) against enumeration, exact arithmetic and simulation.
"""

from decimal import Decimal, localcontext
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import relu_velocity
from solutions import relu_solution

from jaxflow.papers.bounds import (
    failure_bound,
    failure_probability,
    interpolation_count,
    largest_correlation,
    log_well_initialized_probability,
    parameter_count,
    published_horizon,
    theorem_rate,
    theorem_width,
    well_initialized_probability,
    width_rule,
)


def test_published_horizon_by_hand():
    assert published_horizon(300, 100) == 670.0  # 1.5 * 173.205 * 10.3090 / 4 + 1 = 670.6
    assert published_horizon(1700, 37) == 1040.0  # 1.5 * 250.799 * 11.0493 / 4 + 1 = 1040.2


def test_width_rule_gives_the_published_widths():
    """p(n, 0.05) = 36..38 over n = 1300..2100 (arXiv 2502.16977, experiment 1.0)."""
    widths = [width_rule(n, 0.05) for n in range(1300, 2101, 50)]
    assert sorted(set(widths)) == [36, 37, 38]
    for n in (1300, 2100):
        p = width_rule(n, 0.05)
        assert failure_bound(n, p) <= 0.05 < failure_bound(n, p - 1)


@pytest.mark.parametrize(("n", "failure"), [(0, 0.1), (5, 0.0), (5, 1.0)])
@pytest.mark.parametrize("rule", [width_rule, theorem_width])
def test_no_width_for_what_has_none(rule, n, failure):
    with pytest.raises(ValueError, match="expected"):
        rule(n, failure)


def test_failure_bound_broadcasts_and_stays_a_probability():
    found = failure_bound([[1], [1000]], [2, 40])
    np.testing.assert_allclose(found, [[0.5625, 0.75**40], [1, 1000 * 0.75**40]])


def test_the_width_of_the_theorem():
    assert theorem_width([1000, 1], [0.05, 0.5]).tolist() == [40, 3]  # 39.61 and 2.77
    n = np.arange(1, 3000)
    assert np.all(failure_bound(n, theorem_width(n, 0.3)) <= 0.3)
    assert np.all(theorem_width(n, 0.3) >= [width_rule(k, 0.3) for k in n])


def test_the_rate_of_the_theorem_by_hand():
    np.testing.assert_allclose(theorem_rate([1, 100]), [0.5, 0.005])
    assert theorem_rate(6, (2.0, 3.0), 1.5) == pytest.approx(2 / 3 * 2 * 1.5 / 6)


@pytest.mark.parametrize("length", [0.5, 3.0])
@pytest.mark.parametrize("label", [0.2, 4.0])
def test_a_neuron_for_each_sample_ends_four_times_as_fast_as_the_theorem_says(length, label):
    """mu -> 4 |x| |y| / n: the units of C, in inputs, labels and flow time."""
    X, y = length * np.eye(2), np.array([label, -label])
    rate = theorem_rate(2, (length, length), label)
    times = np.array([0, 8 / rate])
    W, a, losses = relu_solution(X, y, 0.5 * np.eye(2), np.array([0.5, -0.5]), times, atol=1e-30)
    W_velocity, a_velocity, _ = relu_velocity(X, y, W[-1], a[-1])
    curvature = (np.sum(W_velocity**2) + np.sum(a_velocity**2)) / (2 * losses[-1])
    assert losses[-1] < 1e-3 * losses[0]
    assert curvature == pytest.approx(4 * rate, rel=0.02)


def test_largest_correlation_is_that_of_the_worst_pair():
    X = np.random.default_rng(0).normal(size=(7, 4))
    pairs = [(i, k) for i in range(7) for k in range(i)]
    cosines = [abs(X[i] @ X[k]) / np.linalg.norm(X[i]) / np.linalg.norm(X[k]) for i, k in pairs]
    assert largest_correlation(X) == pytest.approx(max(cosines), rel=1e-14)
    scales = np.array([1, -2, 3, 1e-9, 5, 6, 1e9])
    assert largest_correlation(X * scales[:, None]) == pytest.approx(max(cosines), rel=1e-14)
    assert largest_correlation(3 * np.eye(4)) == 0
    assert largest_correlation([[1.0, 2], [3, 4], [-2, -4]]) == pytest.approx(1)


def test_largest_correlation_of_random_inputs():
    """2 sqrt(log(n) / d), the extreme of n^2 / 2 pairs of variance 1 / d."""
    n, d = 150, 3000
    X = np.random.default_rng(1).normal(size=(n, d))
    assert largest_correlation(X) == pytest.approx(2 * np.sqrt(np.log(n) / d), rel=0.15)


@pytest.mark.parametrize("X", [[1.0, 2.0], [[1.0, 2.0]], [[1.0], [0.0]], [[1.0], [np.nan]]])
def test_no_correlation_without_two_inputs(X):
    with pytest.raises(ValueError, match="expected"):
        largest_correlation(X)


def test_counts_of_parameters():
    assert parameter_count(30, [50, 100]).tolist() == [1550, 3100]
    assert interpolation_count(30, [50, 100]).tolist() == [1500, 3000]
    with pytest.raises(ValueError, match="whole p >= 1"):
        interpolation_count(30, 0.5)


@pytest.mark.parametrize("norms", [(0.0, 1.0), (2.0, 1.0), (1.0, np.inf)])
def test_no_rate_without_bounds(norms):
    with pytest.raises(ValueError, match="0 < low <= high"):
        theorem_rate(5, norms)


def well_initialized(outputs, labels, sides):
    """For outputs (..., p), labels (..., n) and signs of w_j.x_i (..., n, p)."""
    serves = (outputs[..., None, :] * labels[..., :, None] > 0) & (sides > 0)
    return np.all(np.any(serves, axis=-1), axis=-1)


def signs(count):
    return np.array(list(product([-1, 1], repeat=count))).reshape(2**count, count)


@pytest.mark.parametrize(("n", "p"), [(1, 1), (1, 4), (2, 2), (2, 3), (3, 2), (4, 2), (3, 3)])
def test_enumeration_of_all_signs(n, p):
    outputs = signs(p)[:, None, None]
    labels = signs(n)[None, :, None]
    sides = signs(n * p).reshape(-1, n, p)
    share = well_initialized(outputs, labels, sides).mean(axis=(0, 2))
    assert well_initialized_probability(n, p) == pytest.approx(share.mean(), rel=1e-13, abs=1e-15)
    positive = (signs(n) > 0).sum(axis=1)
    found = well_initialized_probability(n, p, positive=positive)
    np.testing.assert_allclose(found, share, rtol=1e-13, atol=1e-15)


def test_simulation_of_orthogonal_data():
    """x_i = |x_i| e_i, uniform weights, random labels: within 4 standard errors."""
    rng = np.random.default_rng(0)
    n, p, trials = 40, 14, 5000
    W = rng.uniform(-1, 1, (trials, n, p)) * rng.uniform(1, 2, (trials, n, 1))
    a, y = rng.normal(size=(trials, p)), rng.normal(size=(trials, n))
    found = well_initialized_probability(n, p)
    assert 0.3 < found < 0.7
    error = np.sqrt(found * (1 - found) / trials)
    assert abs(well_initialized(a, y, W).mean() - found) < 4 * error


@pytest.mark.parametrize(("n", "p"), [(7, 3), (1000, 36), (10**6, 20), (10**6, 60), (10**6, 200)])
def test_exact_arithmetic_with_many_samples(n, p):
    with localcontext() as context:
        context.prec = 60
        half = Decimal(1) / 2
        share = [1 - half * (half**k + half ** (p - k)) for k in range(p + 1)]
        total = sum(comb(p, k) * half**p * share[k] ** n for k in range(p + 1))
        log, failure = float(total.ln()), float(1 - total)
    assert log_well_initialized_probability(n, p) == pytest.approx(log, rel=1e-11)
    assert failure_probability(n, p) == pytest.approx(failure, rel=1e-11)


def test_one_sample_fails_as_the_union_bound_says():
    p = np.array([1, 5, 400])
    np.testing.assert_allclose(failure_probability(1, p), 0.75**p, rtol=1e-12)
    for positive in (0, 1):
        found = failure_probability(1, p, positive=positive)
        np.testing.assert_allclose(found, 0.75**p, rtol=1e-12)


def test_random_labels_are_the_mean_over_their_signs():
    n, p = 30, np.array([1, 6, 20])
    positive = np.arange(n + 1)
    weight = np.array([comb(n, k) for k in positive]) / 2**n
    given_signs = well_initialized_probability(n, p[:, None], positive=positive)
    np.testing.assert_allclose(well_initialized_probability(n, p), given_signs @ weight, rtol=1e-12)


def test_what_cannot_be_served_and_what_need_not():
    assert well_initialized_probability(0, [1, 9]).tolist() == [1, 1]
    assert well_initialized_probability(2, 1, positive=1) == 0
    assert log_well_initialized_probability(2, 1, positive=1) == -np.inf


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 300), st.data())
def test_more_neurons_help_and_more_samples_do_not(n, p, data):
    positive = data.draw(st.none() | st.integers(0, n))
    failure = failure_probability(n, p, positive=positive)
    assert 0 < failure <= failure_bound(n, p) * (1 + 1e-11)
    log = log_well_initialized_probability([n, n, n + 1], [p, p + 1, p], positive=positive)
    assert log[1] >= log[0] * (1 + 1e-11)
    assert log[2] <= log[0] * (1 - 1e-11)


@pytest.mark.parametrize(
    ("n", "p", "positive"), [(-1, 2, None), (1.5, 2, None), (3, 0, None), (3, 2, 4), (3, 2, -1)]
)
def test_mistakes(n, p, positive):
    with pytest.raises(ValueError, match="expected"):
        failure_probability(n, p, positive=positive)
