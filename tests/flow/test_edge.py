"""The edge flow against its equations by SciPy in float64, and against descent itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from problems import drawn
from scipy.integrate import solve_ivp

from jaxflow.core.names import with_traced
from jaxflow.flow.edge import EdgeFlow, Oscillation
from jaxflow.problems.problem import Problem
from jaxflow.problems.shallow.activations import ReLU, Softplus
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

STEP, LEAST = 0.5, 1e-3


class Product(Problem):
    """(x y - 1)^2 / 2: minima on a curve, with sharpness x^2 + y^2."""

    smooth = True

    def draw(self, keys, point):
        return jnp.zeros(()), jnp.array([0.3, 2.4])

    def loss(self, data, parameters):
        return (parameters[0] * parameters[1] - 1) ** 2 / 2


def velocity(w):
    """-grad L."""
    x, y = w
    return -(x * y - 1) * np.array([y, x])


def hessian(w):
    x, y = w
    return np.array([[y * y, 2 * x * y - 1], [2 * x * y - 1, x * x]])


def rates(_, state):
    c, v, log_rho = state[:2], state[2:4] / np.linalg.norm(state[2:4]), state[4]
    rho = np.exp(log_rho)
    moving = (velocity(c + rho * v) + velocity(c - rho * v)) / 2
    turned = hessian(c) @ v
    sharpness = v @ turned
    growing = sharpness - 2 / STEP
    if log_rho <= np.log(LEAST):
        growing = max(growing, 0.0)
    return [*moving, *(turned - sharpness * v), growing]


def run(start, steps, substeps):
    """Centers, directions and magnitudes after each step, in float64."""
    rule = EdgeFlow(STEP, substeps=substeps, least=LEAST)
    problem, data = Product(), jnp.zeros(())
    with jax.enable_x64(True):
        theta = jnp.asarray(start)
        first = rule.start(problem, data, theta, jnp.zeros(2, "uint32"))
        state, found = first.integrator.state, []
        update = jax.jit(lambda theta, state: rule.update(problem, data, theta, (), state, None))
        for _ in range(steps):
            theta, state = update(theta, state)
            found.append((*theta, *state.direction, state.log_magnitude))
    return np.array(found, float)


def test_it_follows_its_equations_to_second_order():
    """Through the growth of the oscillation, its greatest, and the way to a flatter place."""
    start, steps = np.array([0.3, 2.4]), 40
    v = velocity(start) / np.linalg.norm(velocity(start))
    times = STEP * np.arange(1, steps + 1)
    exact = solve_ivp(
        rates, (0, times[-1]), [*start, *v, np.log(LEAST)], t_eval=times, rtol=1e-10, atol=1e-10
    ).y.T
    assert np.exp(exact[:, 4].max()) > 50 * LEAST
    coarse, fine = (np.abs(run(start, steps, substeps) - exact).max() for substeps in (16, 32))
    assert fine < 0.01
    assert coarse / fine == pytest.approx(4, rel=0.3)


def test_descent_is_at_the_ends_of_the_oscillation():
    """Where the sharpness, 4.4, is not far above 2 / step = 4: beyond, descent overshoots."""
    start, steps = np.array([0.48, 2.03]), 400
    w, path = start, []
    for _ in range(steps):
        w = w + STEP * velocity(w)
        path.append(w)
    path = np.array(path)
    centers = (path[1:] + path[:-1]) / 2
    magnitudes = np.linalg.norm(path[1:] - path[:-1], axis=1) / 2
    found = run(start, steps, 4)
    assert np.exp(found[:, 4].max()) == pytest.approx(magnitudes.max(), rel=0.1)
    np.testing.assert_allclose(found[-1, :2], centers[-1], atol=0.03)
    assert np.sum(found[-1, :2] ** 2) < 2 / STEP


class Valley(Problem):
    """(4.4 x^2 + 4.2 y^2 + z^2) / 2, at its least: two eigenvalues above 2 / STEP."""

    curvatures = np.array([4.4, 4.2, 1.0])

    def draw(self, keys, point):
        return jnp.zeros(()), jnp.zeros(3)

    def loss(self, data, parameters):
        return jnp.sum(self.curvatures * parameters**2) / 2


def test_the_oscillation_grows_in_every_unstable_direction():
    """rho v is u(0) exp((lambda - 2/step) t), in each direction its own."""
    rule, problem, steps = EdgeFlow(STEP, substeps=16, least=1e-4), Valley(), 12
    with jax.enable_x64(True):
        data, theta, direction = jnp.zeros(()), jnp.zeros(3), jnp.array([0.36, 0.48, 0.8])
        state = Oscillation(direction, jnp.log(0.01))
        for _ in range(steps):
            theta, state = rule.update(problem, data, theta, (), state, None)
        theta, found, first = map(np.asarray, (theta, state.direction, direction))
        found = np.exp(float(state.log_magnitude)) * found
    growing = np.exp((problem.curvatures - 2 / STEP) * STEP * steps)
    np.testing.assert_allclose(found, 0.01 * first * growing, rtol=0.01, atol=1e-9)
    np.testing.assert_allclose(theta, 0, atol=1e-12)


def whole_steps(problem, center, u, steps):
    """Both ends of the oscillation after so many whole steps, in float64: c + u and c - u."""
    rule = EdgeFlow(STEP, method="steps", least=1e-12)
    with jax.enable_x64(True):
        data, center, u = jnp.zeros(()), jnp.asarray(center), jnp.asarray(u)
        state = Oscillation(u / jnp.linalg.norm(u), jnp.log(jnp.linalg.norm(u)))
        for _ in range(steps):
            center, state = rule.update(problem, data, center, (), state, None)
        u = jnp.exp(state.log_magnitude) * state.direction
        return np.asarray(center + u), np.asarray(center - u)


def test_in_whole_steps_both_ends_descend():
    """Where the field is linear, to every digit."""
    center, u = np.array([0.3, -0.2, 0.5]), np.array([0.0036, 0.0048, 0.008])
    factors = (1 - STEP * Valley.curvatures) ** 7
    found = whole_steps(Valley(), center, u, 7)
    np.testing.assert_allclose(found, [factors * (center + u), factors * (center - u)], rtol=1e-9)


def test_in_whole_steps_both_ends_descend_to_third_order_in_the_oscillation():
    center, u, off = np.array([0.48, 2.03]), np.array([0.06, 0.08]), []
    for scale in (1, 0.5):
        descended = [center + scale * u, center - scale * u]
        for _ in range(3):
            descended = [w + STEP * velocity(w) for w in descended]
        found = whole_steps(Product(), center, scale * u, 3)
        off.append(np.abs(np.subtract(found, descended)).max())
    assert off[0] / off[1] == pytest.approx(8, rel=0.2)


@pytest.mark.parametrize(("method", "ends"), [("heun", 2), ("steps", 1)])
def test_its_loss_is_that_of_both_ends_or_of_the_one_where_descent_is(method, ends):
    rule, problem, data = EdgeFlow(STEP, method=method), Product(), jnp.zeros(())
    state = Oscillation(jnp.array([0.6, 0.8]), jnp.log(0.5))
    theta = jnp.array([1.0, 2.0])
    integrator = type("", (), {"state": state})
    expected = np.mean([(x * y - 1) ** 2 / 2 for x, y in ((1.3, 2.4), (0.7, 1.6))[:ends]])
    assert rule.objective(problem, data, theta, integrator) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("name", "at"), [("least", 0.7), ("most", 0.011), ("step", 0.25)])
def test_its_numbers_may_be_axes(name, at):
    """A number of every trial, traced, is the number itself."""
    problem, data, theta = Product(), jnp.zeros(()), jnp.array([0.48, 2.03])

    def magnitude(rule):
        first = rule.start(problem, data, theta, jnp.zeros(2, "uint32"))
        _, state = rule.update(problem, data, theta, (), first.integrator.state, None)
        return state.log_magnitude

    expected = magnitude(EdgeFlow(**{name: at}))
    traced = jax.jit(lambda x: magnitude(with_traced(EdgeFlow(), name, x)))(at)
    assert float(traced) == pytest.approx(float(expected), rel=1e-5)


def test_what_it_is_not_is_said_in_a_line():
    with pytest.raises(ValueError, match="edge flow of all samples, got 'a batch of 8'"):
        EdgeFlow(batch=8)
    with pytest.raises(ValueError, match="low < high"):
        EdgeFlow(least=1.0, most=0.5)
    with pytest.raises(ValueError, match="substeps"):
        EdgeFlow(substeps=0)
    with pytest.raises(ValueError, match="method"):
        EdgeFlow(method="midpoint")


def stable_oscillation(activation):
    """How far descent swings along the top eigenvector while its sharpness is .4 to .85 of 2/step.

    A quarter of the second difference of the parameters, the median over such steps of size 1.
    """
    problem = ShallowNetwork(network=Network(activation))
    data, theta = drawn(problem, d=50, n=430, p=30)
    first, shaped = ravel_pytree(theta)

    def field(w):
        return ravel_pytree(problem.field(data, shaped(w)))[0]

    def step(at, _):
        w, v = at
        turned = jax.linearize(lambda w: -field(w), w)[1]
        v = jax.lax.fori_loop(0, 10, lambda _, v: turned(v) / jnp.linalg.norm(turned(v)), v)
        return (w + field(w), v), (v @ turned(v), v @ field(w))

    start = first, jnp.sin(jnp.arange(first.size, dtype=first.dtype))
    _, (sharpness, along) = jax.lax.scan(step, start, None, length=220)
    swing, share = np.abs(np.diff(along)) / 4, np.asarray(sharpness)[1:] / 2
    return np.median(swing[(share > 0.4) & (share < 0.85)])


def test_the_least_oscillation_is_what_kinks_keep_alive():
    """Of a ReLU; that of a smooth network is gone before it is unstable."""
    assert EdgeFlow().least / 4 < stable_oscillation(ReLU()) < EdgeFlow().least
    assert stable_oscillation(Softplus()) < EdgeFlow().least / 1000
