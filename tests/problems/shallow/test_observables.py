"""The observables against dense float64 NumPy, finite differences and formulas by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import as_float64, keys_of, relu_velocity

from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.activations import LeakyReLU, Quadratic, Softplus
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.network import Network, Parameters, field
from jaxflow.problems.shallow.observables import OBSERVABLES, OF_TEACHER, check, observe
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw
from jaxflow.problems.shallow.spectra import extremes

NAMES = tuple(name for name in OBSERVABLES if name not in OF_TEACHER)
LEAKY = Network(LeakyReLU(0.2), "1/sqrt(p)")
SQUARES = Network(Quadratic(), "1", "first")
SOFT = Network(Softplus(), "1/sqrt(p)", biases="drawn")
SIZES, PADDED = Sizes(4, 12, 10), Shape(4, 16, 12)
observed = jax.jit(observe, static_argnums=(0, 1))
velocity_of = jax.jit(field, static_argnums=0)
drawn = jax.jit(draw, static_argnums=(0, 3, 4, 5))


def moved(network, data, theta, steps=40, h=0.2):
    """A later state of the flow, by Euler's method."""
    for _ in range(steps):
        v = velocity_of(network, data, theta)
        theta = Parameters(jax.tree.map(lambda y, v: y + h * v, theta.W, v.W), theta.a + h * v.a)
    return theta


def seen(network, data, theta, first):
    """All observables of a state by name."""
    values = observed(NAMES, network, data, theta, velocity_of(network, data, theta), first)
    return dict(zip(NAMES, map(float, values), strict=True))


def trial(network=Network(), sizes=SIZES, shape=PADDED, coordinates="ambient", **laws):
    """Data and first parameters in float64."""
    problem = ShallowNetwork(network=network, **laws)
    return drawn(problem, keys_of(0, *sizes, 1), sizes, shape, "float64", coordinates)


def unpadded(data, theta):
    """X, y, W, a in NumPy."""
    X, y, W, a = as_float64(data, theta)
    n, p = int(data.n), int(data.p)
    return X[:n], y[:n], W[:p], a[:p]


# By hand, of flat parameters (W, a): outputs, and the velocity of those that are trained.


def sigma(network, Z):
    if network == SOFT:
        return np.log1p(np.exp(Z)), 1 / (1 + np.exp(-Z))
    if network == LEAKY:
        return np.where(Z > 0, Z, 0.2 * Z), np.where(Z > 0, 1.0, 0.2)
    return (Z**2, 2 * Z) if network == SQUARES else (np.maximum(Z, 0), (Z > 0).astype(float))


def scales(network, p):
    """c and kappa."""
    return {"1/p": (1 / p, p), "1/sqrt(p)": (p**-0.5, 1), "1": (1, 1)}[network.scaling]


def outputs(network, X, W, a):
    return scales(network, len(a))[0] * sigma(network, X @ W.T)[0] @ a


def velocity(network, X, y, W, a):
    (c, kappa), (S, D) = scales(network, len(a)), sigma(network, X @ W.T)
    r = (y - c * S @ a) * kappa * c / len(y)
    return np.concatenate([(a[:, None] * ((D * r[:, None]).T @ X)).ravel(), S.T @ r])


def jacobian(function, network, W, a, h=1e-6):
    """Central differences in the trained parameters; one column each."""
    flat = np.concatenate([W.ravel(), a])
    split = lambda flat: (flat[: W.size].reshape(W.shape), flat[W.size :])  # noqa: E731
    count = flat.size if network.trained == "both" else W.size
    steps = h * np.eye(flat.size)[:count]
    return np.stack(
        [(function(*split(flat + e)) - function(*split(flat - e))) / (2 * h) for e in steps], 1
    )


def dense(network, data, theta):
    """All eigenvalues of kappa times the Hessian, and of the kernel, by differences."""
    X, y, W, a = unpadded(data, theta)
    assert np.min(np.abs(X @ W.T)) > 2e-6  # no kink within the differences
    count = W.size + (a.size if network.trained == "both" else 0)
    H = -jacobian(lambda W, a: velocity(network, X, y, W, a)[:count], network, W, a)
    J = jacobian(lambda W, a: outputs(network, X, W, a), network, W, a)
    K = scales(network, len(a))[1] * J @ J.T / len(y)
    return np.linalg.eigvalsh((H + H.T) / 2), np.linalg.eigvalsh(K)


@pytest.mark.parametrize("network", [Network(), LEAKY, SQUARES, SOFT])
def test_spectra_agree_with_dense_matrices(x64, network):
    """Of the Hessian and the kernel, at the start and later; more parameters than iterations."""
    data, first = trial(network)
    for theta in (first, moved(network, data, first, h=0.03)):
        found = seen(network, data, theta, first)
        (low, *_, high), (kernel_low, *_, kernel_high) = dense(network, data, theta)
        np.testing.assert_allclose(found["sharpness"], high, rtol=1e-6)
        np.testing.assert_allclose(found["flattest"], low, atol=1e-4 * (high - low))
        assert found["flattest"] > low - 1e-6 * (high - low)  # from inside
        np.testing.assert_allclose(found["kernel_low"], kernel_low, atol=1e-8 * kernel_high)
        np.testing.assert_allclose(found["kernel_high"], kernel_high, rtol=1e-7)
        assert 2 * kernel_low <= found["curvature"] <= 2 * kernel_high


def test_a_krylov_space_that_ends_early_has_no_eigenvalue_of_its_own(x64):
    """Three eigenvalues and more iterations; none is found beyond the least and the largest."""
    A = jnp.diag(jnp.array([2.0, 2.0, 5.0, 3.0, 3.0]))
    found = extremes(lambda v: A @ v, jnp.dot, jnp.arange(1.0, 6.0), 12)
    np.testing.assert_allclose(found, (2, 5), rtol=1e-12)
    found = extremes(lambda v: -A @ v, jnp.dot, jnp.arange(1.0, 6.0), 12)
    np.testing.assert_allclose(found, (-5, -2), rtol=1e-12)
    np.testing.assert_array_equal(extremes(lambda v: A @ v, jnp.dot, jnp.zeros(5), 12), (0, 0))


def test_curvature_is_the_rate_of_the_loss(x64):
    """-(log L)' by a tiny step of Euler's method in NumPy."""
    data, theta = trial()
    X, y, W, a = unpadded(data, theta)
    W_velocity, a_velocity, before = relu_velocity(X, y, W, a)
    h = 1e-6
    values = [relu_velocity(X, y, W + s * W_velocity, a + s * a_velocity)[2] for s in (-h, 0, h)]
    found = seen(Network(), data, theta, theta)
    np.testing.assert_allclose(found["loss"], before, rtol=1e-12)
    rate = -(np.log(values[2]) - np.log(values[0])) / (2 * h)
    np.testing.assert_allclose(found["curvature"], rate, rtol=1e-7)


def test_signs_distances_and_balance_by_hand(x64):
    data, first = trial()
    theta = moved(Network(), data, first)
    found = seen(Network(), data, theta, first)
    X, _, W, a = unpadded(data, theta)
    _, _, W0, a0 = unpadded(data, first)
    flips = ((X @ W.T > 0) != (X @ W0.T > 0)).mean()
    assert flips > 0.05
    np.testing.assert_allclose(found["flips"], flips)
    np.testing.assert_allclose(found["distance"], np.max(np.linalg.norm(W - W0, axis=1)))
    change = (a**2 - np.sum(W**2, 1)) - (a0**2 - np.sum(W0**2, 1))
    np.testing.assert_allclose(found["balancedness"], np.max(np.abs(change)) / np.max(a**2))


@pytest.mark.parametrize("network", [LEAKY, SOFT])
def test_padding_changes_nothing(x64, network):
    """A slope at zero: neurons of the padding would have a gradient, were they not masked."""
    found = []
    for shape in (Shape(*SIZES), PADDED):
        data, first = trial(network, shape=shape)
        found.append(list(seen(network, data, moved(network, data, first), first).values()))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9, atol=1e-12)


def test_every_coordinates_see_the_same_and_the_bounds_are_those_by_hand(x64):
    """More dimensions than samples, so that there are directions that the data do not see."""
    found = []
    for coordinates in ("ambient", "span", "orthogonal"):
        data, first = trial(
            Network(), Sizes(20, 12, 6), Shape(20, 16, 8), coordinates, inputs=Orthogonal()
        )
        theta = moved(Network(), data, first)
        found.append(seen(Network(), data, theta, first))
        if coordinates == "ambient":
            X, _, W, a = unpadded(data, theta)
    for other in found[1:]:
        np.testing.assert_allclose(
            list(other.values()), list(found[0].values()), rtol=1e-8, atol=1e-11
        )
    E, squares = (X @ W.T > 0) @ a**2 / 6, np.sum(X**2, axis=1)
    np.testing.assert_allclose(found[0]["curvature_low"], 2 * squares.min() / 12 * E.min())
    np.testing.assert_allclose(found[0]["curvature_high"], 4 * squares.max() / 12 * E.max())


def test_a_state_that_is_not_finite_is_seen_as_such(x64):
    data, theta = trial()
    found = seen(Network(), data, Parameters(theta.W * jnp.nan, theta.a), theta)
    assert all(np.isnan(found[name]) for name in ("loss", "curvature", "sharpness", "kernel_low"))


def test_names_are_checked():
    with pytest.raises(ValueError, match="did you mean 'sharpness'"):
        check(["loss", "sharpnes"])
    with pytest.raises(ValueError, match="once"):
        check(["loss", "loss"])
