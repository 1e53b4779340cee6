"""The linearized flow against SciPy in float64, and against the network's own flow where lazy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import as_float64, drawn, keys_of
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from jaxflow.core.names import with_traced
from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.linearized import LinearizedFlow, tangent_kernel
from jaxflow.problems.examples.least_squares import LeastSquares
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.problem import Problem, Shape, Sizes
from jaxflow.problems.shallow.activations import Tanh
from jaxflow.problems.shallow.initialization import GaussianWeights
from jaxflow.problems.shallow.inputs import Sphere
from jaxflow.problems.shallow.labels import GaussianLabels
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

KEY = jnp.zeros(2, "uint32")


def relu_jacobian(X, W, a):
    """J of (y - h(X)) / sqrt(n) for the network (1/p) sum_j a_j relu(w_j . x), in float64."""
    n, p = len(X), len(a)
    Z = X @ W.T
    by_weights = ((Z > 0) * a)[:, :, None] * X[:, None, :]
    return -np.concatenate([by_weights.reshape(n, -1), np.maximum(Z, 0)], axis=1) / p / np.sqrt(n)


def relu_residuals(X, y, W, a):
    return (y - np.maximum(X @ W.T, 0) @ a / len(a)) / np.sqrt(len(y))


def follow(rule, problem, data, theta, times):
    """Parameters and losses at the times, by one step to each from the one before."""
    integrator, found, now = rule.start(problem, data, theta, KEY).integrator, [], 0.0
    for time in times:
        attempt = rule.attempt(problem, data, theta, (), integrator, jnp.asarray(time - now))
        theta, integrator, now = attempt.theta, attempt.integrator, time
        found.append((theta, rule.objective(problem, data, theta, integrator)))
    return found


def test_it_is_the_exponential_of_the_kernel_by_hand():
    problem = ShallowNetwork()
    data, theta = drawn(problem, d=6, n=20, p=8)
    X, y, W, a = as_float64(data, theta)
    J, r = relu_jacobian(X, W, a), relu_residuals(X, y, W, a)
    K = len(a) * J @ J.T
    np.testing.assert_allclose(tangent_kernel(problem, data, theta), K, atol=1e-6)
    for time, (moved, loss) in zip(
        (3.0, 40.0), follow(LinearizedFlow(), problem, data, theta, (3.0, 40.0)), strict=True
    ):
        left = expm(-K * time) @ r
        assert loss == pytest.approx(left @ left / 2, rel=1e-4)
        by = -len(a) * J.T @ np.linalg.solve(K, r - left)
        np.testing.assert_allclose((moved.W - theta.W).ravel(), by[: W.size], atol=2e-4)
        np.testing.assert_allclose(moved.a - theta.a, by[W.size :], atol=2e-4)


def test_its_velocity_and_decay_are_derivatives():
    """Of the parameters and of the loss, by differences in float64."""
    rule, problem = LinearizedFlow(), ShallowNetwork()
    with jax.enable_x64(True):
        data, theta = drawn(problem, d=6, n=20, p=8, dtype="float64")
        h = 1e-5
        (before, high), (middle, _), (after, low) = follow(
            rule, problem, data, theta, (5 - h, 5.0, 5 + h)
        )
        integrator = rule.start(problem, data, theta, KEY).integrator._replace(time=5.0)
        velocity = rule.velocity(problem, data, middle, integrator)
        np.testing.assert_allclose(velocity.W, (after.W - before.W) / (2 * h), atol=1e-8)
        np.testing.assert_allclose(velocity.a, (after.a - before.a) / (2 * h), atol=1e-8)
        decay = rule.decay(problem, data, middle, velocity, integrator)
        assert float(decay) == pytest.approx(float((high - low) / (2 * h)), rel=1e-6)


@pytest.mark.parametrize("trained", ["both", "first"])
@pytest.mark.parametrize("scaling", ["1/p", "1/sqrt(p)", "1"])
def test_the_preconditioned_gradient_is_what_a_network_descends(trained, scaling):
    problem = ShallowNetwork(network=Network(Tanh(), scaling, trained, "drawn"))
    shape = Shape(8, 32, 8)
    data, theta = drawn(problem, d=6, n=20, p=7, shape=shape)
    gradient = problem.precondition(data, jax.grad(problem.loss, argnums=1)(data, theta))
    field = problem.field(data, theta)
    for one, other in zip(gradient, field, strict=True):
        np.testing.assert_allclose(-one, other, atol=1e-6)
    residuals = problem.residuals(data, theta)
    assert jnp.sum(residuals**2) / 2 == pytest.approx(float(problem.loss(data, theta)), rel=1e-5)


def test_of_a_linear_problem_it_is_the_flow():
    """Least squares is its own linearization: the same times of the event."""
    dynamics = {"exact": LinearizedFlow(), "flow": GradientFlow("Dopri5", rtol=1e-5, atol=1e-7)}
    trials = [Trial(name, Point(10, 8, 1), seed, 1e4) for name in dynamics for seed in range(6)]
    with LocalRunner(LeastSquares(), dynamics, event=Certificate(1e-2)) as runner:
        rows = {(row.dynamics, row.seed): row for row in runner.run(trials)}
    for seed in range(6):
        exact, flow = rows["exact", seed], rows["flow", seed]
        assert exact.outcome is flow.outcome is Outcome.CONVERGED
        assert exact.flow_time == pytest.approx(flow.flow_time, rel=2e-3)


def test_events_are_where_the_loss_by_scipy_meets_them():
    problem, point = ShallowNetwork(), Point(6, 16, 12)
    trials = [Trial("exact", point, seed, 500.0) for seed in range(4)]
    with LocalRunner(problem, {"exact": LinearizedFlow()}, event=Certificate(1.0)) as runner:
        rows = {row.seed: row for row in runner.run(trials)}
    for seed, row in rows.items():
        X, y, W, a = as_float64(*drawn(problem, d=6, n=16, p=12, seed=seed))
        J, r = relu_jacobian(X, W, a), relu_residuals(X, y, W, a)
        K, target = len(a) * J @ J.T, 1 / (2 * len(y))
        crossing = lambda t, r: r @ r / 2 - target  # noqa: E731, B023
        crossing.terminal = True
        found = solve_ivp(
            lambda t, r: -K @ r,  # noqa: B023
            (0, 500),
            r,
            events=crossing,
            rtol=1e-9,
            atol=1e-12,
            method="LSODA",
        ).t_events[0]
        assert (row.outcome is Outcome.CONVERGED) == (len(found) > 0)
        if len(found):
            assert row.flow_time == pytest.approx(found[0], rel=1e-3)


def test_padding_and_lanes_change_rounding_only():
    problem, rule = ShallowNetwork(), LinearizedFlow()
    found = []
    for shape in (Shape(6, 20, 8), Shape(16, 32, 8)):
        data, theta = drawn(problem, d=6, n=20, p=8, shape=shape)
        found.append([float(loss) for _, loss in follow(rule, problem, data, theta, (3.0, 40.0))])
    np.testing.assert_allclose(*found, rtol=1e-4)
    trials = [Trial("exact", Point(6, 20, 8), seed, 50.0) for seed in range(5)]
    times = []
    for transform in ("map", "vmap"):
        lanes = Lanes(transform, width=3, threads=1)
        with LocalRunner(problem, {"exact": rule}, event=Certificate(1.0), lanes=lanes) as runner:
            times.append([r.flow_time for r in sorted(runner.run(trials), key=lambda r: r.seed)])
    np.testing.assert_allclose(*times, rtol=1e-4)


def test_a_wide_network_at_the_lazy_scaling_comes_to_it():
    """Their times part as 1/sqrt(p) (arXiv 1812.07956)."""
    problem = ShallowNetwork(
        inputs=Sphere(1.0, 1.0),
        labels=GaussianLabels(),
        network=Network(Tanh(), "1/sqrt(p)"),
        initialization=GaussianWeights(),
    )
    dynamics = {"exact": LinearizedFlow(), "flow": GradientFlow("Dopri5", rtol=1e-4, atol=1e-6)}
    parted = []
    for p in (32, 2048):
        point = Point(20, 16, p)
        trials = [Trial(name, point, seed, 1e4) for name in dynamics for seed in range(6)]
        with LocalRunner(problem, dynamics, event=Certificate(1e-2)) as runner:
            rows = {(row.dynamics, row.seed): row.flow_time for row in runner.run(trials)}
        parted.append(np.mean([abs(np.log(rows["flow", i] / rows["exact", i])) for i in range(6)]))
    assert parted[1] < parted[0] / 4
    assert parted[1] < 0.05


def test_what_is_no_sum_of_squares_is_said_in_a_line():
    class Quartic(Problem):
        def draw(self, keys, point):
            return jnp.ones(()), jnp.ones(point.d)

        def loss(self, data, parameters):
            return jnp.sum(parameters**4)

    for problem in (Quartic(), Perceptron()):
        data, theta = problem.draw(keys_of(0, 5, 8, 1, 0), Sizes(5, 8, 1))
        with pytest.raises(ValueError, match=r"a loss of \w+ that is \|r\|\^2 / 2, got 'another'"):
            LinearizedFlow().start(problem, data, theta, KEY)
    with pytest.raises(ValueError, match="resolution"):
        LinearizedFlow(resolution=0.0)
    with pytest.raises(ValueError, match="max_steps"):
        LinearizedFlow(max_steps=0)


def test_it_is_a_dynamics_and_its_resolution_may_be_an_axis():
    rule = LinearizedFlow()
    assert isinstance(rule, Dynamics)
    problem = ShallowNetwork()
    data, theta = drawn(problem)

    def first_step(resolution):
        traced = with_traced(rule, "resolution", resolution)
        return traced.start(problem, data, theta, KEY).dt

    assert float(jax.jit(first_step)(0.1)) == pytest.approx(
        float(LinearizedFlow(resolution=0.1).start(problem, data, theta, KEY).dt), rel=1e-5
    )
