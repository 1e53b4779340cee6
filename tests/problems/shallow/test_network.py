"""The hand-written field against automatic differentiation, and the formulas by hand."""

from itertools import product

import jax
import numpy as np
import pytest
from problems import as_float64, drawn, relu_velocity

from jaxflow.problems.problem import Shape
from jaxflow.problems.shallow.activations import LeakyReLU, Monomial, Quadratic, ReLU
from jaxflow.problems.shallow.network import Network, Parameters, balance, curvature, field, loss
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

ACTIVATIONS = [ReLU(), LeakyReLU(0.2), Quadratic(), Monomial(0.7, 1.5)]


@pytest.mark.parametrize(
    ("activation", "scaling", "trained"),
    list(product(ACTIVATIONS, ["1/p", "1/sqrt(p)", "1"], ["both", "first"])),
)
def test_field_is_minus_kappa_times_the_gradient(x64, activation, scaling, trained):
    network = Network(activation, scaling, trained)
    data, theta = drawn(ShallowNetwork(network=network), dtype="float64")
    gradient = jax.grad(lambda theta: loss(network, data, theta))(theta)
    kappa = len(theta.a) if scaling == "1/p" else 1
    velocity = field(network, data, theta)
    np.testing.assert_allclose(velocity.W, -kappa * gradient.W, rtol=1e-11, atol=1e-13)
    expected = -kappa * gradient.a if trained == "both" else np.zeros_like(theta.a)
    np.testing.assert_allclose(velocity.a, expected, rtol=1e-11, atol=1e-13)


def test_field_and_loss_by_hand():
    data, theta = drawn()
    W, a, value = relu_velocity(*as_float64(data, theta))
    velocity = field(Network(), data, theta)
    np.testing.assert_allclose(velocity.W, W, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(velocity.a, a, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(loss(Network(), data, theta), value, rtol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: type(a).__name__)
def test_padding_adds_nothing(activation):
    network = Network(activation)
    problem = ShallowNetwork(network=network)
    data, theta = drawn(problem)
    wide, theta_wide = drawn(problem, shape=Shape(9, 32, 16))
    velocity, padded = field(network, data, theta), field(network, wide, theta_wide)
    np.testing.assert_allclose(padded.W[:8, :6], velocity.W, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(padded.a[:8], velocity.a, rtol=1e-5, atol=1e-6)
    for padding in (padded.W[8:], padded.W[:, 6:], padded.a[8:]):
        assert not np.any(padding)
    np.testing.assert_allclose(
        loss(network, wide, theta_wide), loss(network, data, theta), rtol=1e-6
    )


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: type(a).__name__)
def test_curvature_and_balance_along_the_field(x64, activation):
    """mu = -L'/L and d/dt (a^2 - |w|^2/degree) = 0, by central differences along the flow."""
    network = Network(activation)
    data, theta = drawn(ShallowNetwork(network=network), dtype="float64")
    velocity, value = field(network, data, theta), loss(network, data, theta)

    def moved(h: float) -> Parameters:
        return Parameters(theta.W + h * velocity.W, theta.a + h * velocity.a)

    h = 1e-6
    slope = (loss(network, data, moved(h)) - loss(network, data, moved(-h))) / (2 * h)
    np.testing.assert_allclose(curvature(network, data, velocity, value), -slope / value, rtol=1e-6)
    drift = (balance(network, data, moved(h)) - balance(network, data, moved(-h))) / (2 * h)
    np.testing.assert_allclose(drift, 0, atol=1e-8)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: LeakyReLU(1.5),
        lambda: Monomial(1.0, 0.5),
        lambda: Network(scaling="1/n"),
        lambda: Network(trained="last"),
    ],
)
def test_mistakes_are_one_line(mistake):
    with pytest.raises((ValueError, TypeError)) as caught:
        mistake()
    assert caught.type is not ValueError or "\n" not in str(caught.value)
