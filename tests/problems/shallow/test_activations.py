"""Activations that are not homogeneous, and biases, against float64 JAX and SciPy by hand."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import keys_of
from scipy import special
from scipy.integrate import solve_ivp

from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import finish, start, step
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.activations import (
    ACTIVATIONS,
    GELU,
    Activation,
    Quadratic,
    ReLU,
    Softplus,
    Tanh,
    degree,
    derivative,
)
from jaxflow.problems.shallow.initialization import GaussianWeights
from jaxflow.problems.shallow.inputs import Gaussian
from jaxflow.problems.shallow.labels import Teacher
from jaxflow.problems.shallow.network import Network, balance, field, loss
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw


@dataclass(frozen=True)
class Swish:
    """A user's, with neither degree nor derivative; zero at zero."""

    beta: float = 1.5

    def __call__(self, z):
        return z / (1 + jnp.exp(-self.beta * z))


@dataclass(frozen=True)
class Cosine:
    """A user's that is not zero at zero, with its derivative."""

    def __call__(self, z):
        return jnp.cos(z)

    def derivative(self, z):
        return -jnp.sin(z)


# By hand in NumPy: sigma and sigma'.
FORMULAS = {
    Tanh(): (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    GELU(): (
        lambda z: z * special.ndtr(z),
        lambda z: special.ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi),
    ),
    Softplus(): (lambda z: np.log1p(np.exp(z)), special.expit),
    Swish(): (
        lambda z: z * special.expit(1.5 * z),
        lambda z: special.expit(1.5 * z) * (1 + 1.5 * z * special.expit(-1.5 * z)),
    ),
    Cosine(): (np.cos, lambda z: -np.sin(z)),
    ReLU(): (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
}
NETWORKS = [
    *(Network(sigma) for sigma in FORMULAS if sigma != ReLU()),
    Network(biases="zero"),
    Network(biases="drawn"),
    Network(Softplus(), "1/sqrt(p)", biases="drawn"),
    Network(Tanh(), "1", "first", biases="zero"),
]
FOLLOWED = [
    Network(Tanh()),
    Network(GELU()),
    Network(Softplus()),
    Network(biases="zero"),
    Network(Softplus(), biases="drawn"),
]
SIZES, PADDED = Sizes(4, 12, 5), Shape(6, 16, 8)
UNPADDED = Shape(*SIZES)


def named(network):
    return f"{type(network.activation).__name__}-{network.scaling}-{network.biases}"


draw_once = jax.jit(draw, static_argnums=(0, 3, 4))


def drawn(network, shape=UNPADDED):
    """A trial in float64; of weights large enough that a bend of the activation shows."""
    law = GaussianWeights("1/d", "normal")
    problem = ShallowNetwork(network=Network(biases=network.biases), initialization=law)
    return draw_once(problem, keys_of(0, *SIZES, 3), SIZES, shape, "float64")


def by_hand(data, theta):
    """X (n, d), y, and first weights, biases and output weights (p, d), (p,), (p,) in NumPy."""
    X, y, W, a = (np.asarray(v, np.float64) for v in (data.X, data.y, theta.W, theta.a))
    d = SIZES.d
    return X[:, :d], y, W[:, :d], (W[:, d] if W.shape[1] > d else np.zeros(len(W))), a


def scales(network, p):
    """c and kappa."""
    return {"1/p": (1 / p, p), "1/sqrt(p)": (p**-0.5, 1), "1": (1, 1)}[network.scaling]


def velocity_by_hand(network, X, y, W, b, a):
    """-kappa grad L in W, b and a, from the formulas of the activation."""
    (sigma, slope), (c, kappa) = FORMULAS[network.activation], scales(network, len(a))
    Z = X @ W.T + b
    r = (y - c * sigma(Z) @ a) * kappa * c / len(y)
    M = r[:, None] * slope(Z) * a
    moving = network.trained == "both"
    biased = network.biases != "none"
    return M.T @ X, M.sum(0) * biased, sigma(Z).T @ r * moving


@pytest.mark.parametrize("network", NETWORKS, ids=named)
def test_the_field_is_minus_kappa_times_the_gradient(x64, network):
    """Against `jax.grad` of the loss written out, without padding, span or masks; and by hand."""
    data, theta = drawn(network)
    X, y, W, b, a = by_hand(data, theta)
    c, kappa = scales(network, len(a))

    def written_out(W, b, a):
        h = c * network.activation(X @ W.T + b) @ a
        return jnp.sum((y - h) ** 2) / (2 * len(y))

    value, slopes = jax.value_and_grad(written_out, (0, 1, 2))(W, b, a)
    gradient = [-kappa * np.asarray(g) for g in slopes]
    if network.trained == "first":
        gradient[2] = np.zeros_like(a)
    velocity = field(network, data, theta)
    np.testing.assert_allclose(loss(network, data, theta), value, rtol=1e-12)
    for expected in (gradient, velocity_by_hand(network, X, y, W, b, a)):
        np.testing.assert_allclose(velocity.W[:, : SIZES.d], expected[0], rtol=1e-9, atol=1e-12)
        if network.biases != "none":
            np.testing.assert_allclose(velocity.W[:, SIZES.d], expected[1], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(velocity.a, expected[2], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS, ids=named)
def test_padding_adds_nothing(x64, network):
    """After some steps of Euler's method: the same loss and velocity, and none in the padding."""
    ends = []
    for shape in (UNPADDED, PADDED):
        data, theta = drawn(network, shape)
        for _ in range(3):
            velocity = field(network, data, theta)
            theta = jax.tree.map(lambda y, v: y + 0.3 * v, theta, velocity)
        ends.append((loss(network, data, theta), data.inputs.squares(velocity.W), velocity.a))
    (value, squares, a), (padded_value, padded_squares, padded_a) = ends
    np.testing.assert_allclose(padded_value, value, rtol=1e-12)
    np.testing.assert_allclose(padded_squares[: SIZES.p], squares, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(padded_a[: SIZES.p], a, rtol=1e-10, atol=1e-14)
    assert not np.any(padded_squares[SIZES.p :])
    assert not np.any(padded_a[SIZES.p :])


def solved(network, horizon):
    """Flow time and parameters at the end, padded, at a tight tolerance; the balancedness drift."""
    problem = ShallowNetwork(network=network, initialization=GaussianWeights("1/d", "normal"))
    flow = GradientFlow("Tsit5", rtol=1e-9, atol=1e-9)
    setting = Setting(problem, flow, (Certificate(1e-12),), PADDED, "float64")

    @jax.jit
    def solve(request):
        running = lambda s: s.reason == Reason.RUNNING  # noqa: E731
        state = jax.lax.while_loop(running, lambda s: step(setting, s), start(setting, request))
        return state.time, state.theta, finish(setting, state)

    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in SIZES))
    request = Request(keys_of(0, *SIZES, 3), sizes, jnp.asarray(horizon))
    time, theta, summary = solve(request)
    assert int(summary.reason) == Reason.HORIZON
    return float(time), theta, float(summary.balancedness_drift)


@pytest.mark.parametrize("network", FOLLOWED, ids=named)
def test_the_trajectory_is_scipys(x64, network):
    """To 1e-5 in every parameter, against DOP853 from the same start."""
    end, theta, drift = solved(network, 1.0)
    X, y, W, b, a = by_hand(*drawn(network))
    shapes = [W.size, W.size + b.size]

    def moving(_, flat):
        W_, b_, a_ = np.split(flat, shapes)
        v = velocity_by_hand(network, X, y, W_.reshape(W.shape), b_, a_)
        return np.concatenate([part.ravel() for part in v])

    first = np.concatenate([W.ravel(), b, a])
    exact = solve_ivp(moving, (0, end), first, "DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    W_, b_, a_ = np.split(exact, shapes)
    assert np.max(np.abs(exact - first)) > 0.1  # it has moved
    found, p = np.asarray(theta.W)[: SIZES.p], SIZES.p
    np.testing.assert_allclose(found[:, : SIZES.d], W_.reshape(W.shape), atol=1e-5)
    if network.biases != "none":
        np.testing.assert_allclose(found[:, SIZES.d], b_, atol=1e-5)
    np.testing.assert_allclose(np.asarray(theta.a)[:p], a_, atol=1e-5)
    assert np.isnan(drift) if degree(network.activation) is None else drift < 1e-6


def test_first_biases():
    """Zero beside the weights of the law, or the last of d + 1 weights of the law."""
    law = ShallowNetwork(network=Network(biases="zero"))
    plain, biased = ShallowNetwork(), replace(law, network=Network(biases="drawn"))
    keys = keys_of(0, 4, 30, 2000, 0)
    trials = [
        draw(e, keys, Sizes(4, 30, 2000), Shape(4, 30, 2000), "float32") for e in (plain, law)
    ]
    (data, theta), (seen, zero) = trials
    np.testing.assert_array_equal(zero.W, np.pad(theta.W, ((0, 0), (0, 1))))
    np.testing.assert_array_equal(zero.a, theta.a)
    np.testing.assert_array_equal(seen.X, np.pad(data.X, ((0, 0), (0, 1)), constant_values=1))
    np.testing.assert_array_equal(seen.y, data.y)
    same, drawn = draw(biased, keys, Sizes(4, 30, 2000), Shape(4, 30, 2000), "float32")
    np.testing.assert_array_equal(same.X, seen.X)
    of_five = draw(plain, keys, Sizes(5, 30, 2000), Shape(5, 30, 2000), "float32")[1]
    np.testing.assert_array_equal(drawn.W, of_five.W)
    np.testing.assert_array_equal(drawn.a, of_five.a)


def test_only_a_homogeneous_activation_saves_the_product():
    """X W^T, sigma(Z) a and M^T X; of any other sigma(Z)^T r as well."""
    data, theta = draw(ShallowNetwork(), keys_of(0, *SIZES, 0), SIZES, UNPADDED, "float32")

    def products(network):
        return str(jax.make_jaxpr(lambda theta: field(network, data, theta))(theta)).count(
            "dot_general"
        )

    assert products(Network()) == products(Network(Quadratic())) == 3
    assert products(Network(Tanh())) == products(Network(Swish())) == 4


def test_what_is_conserved_of_an_activation_that_is_not_homogeneous_is_not_a_number():
    data, theta = draw(ShallowNetwork(), keys_of(0, *SIZES, 0), SIZES, UNPADDED, "float32")
    assert np.all(np.isnan(balance(Network(GELU()), data, theta)))


@pytest.mark.parametrize("sigma", FORMULAS, ids=lambda sigma: type(sigma).__name__)
def test_values_and_derivatives_are_those_by_hand(x64, sigma):
    z = np.linspace(-6, 6, 80)
    value, slope = FORMULAS[sigma]
    np.testing.assert_allclose(sigma(jnp.asarray(z)), value(z), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(derivative(sigma, jnp.asarray(z)), slope(z), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_ours_pass_what_is_asked_of_a_users(name):
    @dataclass(frozen=True)
    class Another(ACTIVATIONS[name]):
        """Of a class that is not in the table."""

    assert degree(Another()) == (None if name in ("tanh", "gelu", "softplus") else Another().degree)
    Network(Another())
    if name == "monomial":
        Network(Another(0.7, 1.5))


def test_labels_of_a_teacher_are_zero_in_the_padding():
    problem = ShallowNetwork(Gaussian(), Teacher(2, Softplus()))
    data, _ = draw(problem, keys_of(0, *SIZES, 0), SIZES, PADDED, "float32")
    assert np.all(np.asarray(data.y)[: SIZES.n] > 0)
    assert not np.any(np.asarray(data.y)[SIZES.n :])


@dataclass(frozen=True)
class WrongDegree:
    degree = 1.0

    def __call__(self, z):
        return jnp.tanh(z)


@dataclass(frozen=True)
class WrongPower:
    degree = 1.0

    def __call__(self, z):
        return z * jnp.abs(z)


@dataclass(frozen=True)
class WrongDerivative:
    def __call__(self, z):
        return jnp.sin(z)

    def derivative(self, z):
        return jnp.sin(z)


@dataclass(frozen=True)
class Summed:
    def __call__(self, z):
        return jnp.sum(z)


@dataclass(frozen=True)
class Raising:
    def __call__(self, z):
        raise KeyError("beta")


class Loose:
    def __call__(self, z):
        return z


@pytest.mark.parametrize(
    ("activation", "words"),
    [
        (WrongDegree(), "WrongDegree at problem.network.activation homogeneous of its degree 1.0"),
        (WrongPower(), "leave it out"),
        (WrongDerivative(), "derivative of WrongDerivative"),
        (Summed(), r"got 'float32 \(\)'"),
        (Raising(), "KeyError: 'beta'"),
        (Loose(), "a frozen dataclass"),
        (Tanh, "the class Tanh"),
    ],
)
def test_an_activation_that_is_none_is_one_line(activation, words):
    with pytest.raises(ValueError, match=words) as caught:
        Network(activation)
    assert "\n" not in str(caught.value)
    assert "problem.network.activation" in str(caught.value)


def test_a_protocol_of_activations_asks_for_no_more_than_a_call():
    assert all(isinstance(sigma, Activation) for sigma in FORMULAS)
