"""P(well-initialized) against enumeration, exact arithmetic and simulation."""

from decimal import Decimal, localcontext
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxflow.papers.initialization import (
    failure_probability,
    log_well_initialized_probability,
    well_initialized_probability,
)
from jaxflow.papers.rules import failure_bound


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
