"""One trial against closed forms, Euler in float64 NumPy and SciPy."""

from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import as_float64, drawn, euler, keys_of
from scipy.integrate import solve_ivp

from jaxflow.core.trees import norm
from jaxflow.flow.controller import GroupWise
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.solvers import STABILIZED, evaluations_per_step
from jaxflow.flow.stabilized import RKC2
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import finish, start, step
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.activations import Quadratic
from jaxflow.problems.shallow.initialization import (
    Dominated,
    ExplicitWeights,
    GaussianWeights,
    Group,
)
from jaxflow.problems.shallow.inputs import ExplicitInputs, Gaussian, Orthogonal
from jaxflow.problems.shallow.labels import ExplicitLabels, GroupSigns, RandomSigns, Teacher
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork


def run(
    problem, dynamics, sizes, horizon, event=Certificate(1.0), seed=0, shape=None, dtype="float32"
):
    """Start, step to the end, finish; and the last state."""
    setting = Setting(problem, dynamics, (event,), shape or Shape(*sizes), dtype)
    integers = Sizes(*(jnp.asarray(size, jnp.int32) for size in sizes))
    request = Request(keys_of(0, *sizes, seed), integers, jnp.asarray(horizon, dtype))
    state = jax.jit(lambda request: start(setting, request))(request)
    advance = jax.jit(
        lambda state: jax.lax.while_loop(
            lambda s: s.reason == Reason.RUNNING, lambda s: step(setting, s), state
        )
    )
    state = advance(state)
    return finish(setting, state), state


SMALL = (10, 20, 24)


def test_flow_agrees_with_euler_in_float64():
    """Time of convergence and loss of a small trial; tighter as the tolerance falls."""
    arrays = as_float64(*drawn(d=10, p=24, seed=3))
    expected, _ = euler(*arrays, step=0.002, horizon=60.0, target=1 / 40)
    errors = []
    for rtol in (0.05, 0.002):
        found, _ = run(
            ShallowNetwork(), GradientFlow(rtol=rtol, atol=rtol / 10), SMALL, 60.0, seed=3
        )
        assert Reason(int(found.reason)) is Reason.CERTIFICATE
        errors.append(abs(float(found.flow_time) - expected) / expected)
    assert errors[0] < 0.05
    assert errors[1] < 0.01


def test_descent_is_euler_with_its_step():
    arrays = as_float64(*drawn(d=10, p=24, seed=3))
    expected, losses = euler(*arrays, step=0.25, horizon=20.25, target=1 / 40)
    found, state = run(ShallowNetwork(), GradientDescent(0.25), SMALL, 20.3, seed=3)
    if np.isfinite(expected):
        np.testing.assert_allclose(found.flow_time, expected)
    else:
        assert int(state.steps) == 81  # floor(20.3 / 0.25)
    np.testing.assert_allclose(found.last_loss, losses[int(state.steps)], rtol=1e-3)
    assert int(found.evaluations) == int(found.steps) + 1


def test_optimizers_of_optax_are_selectable():
    plain, _ = run(ShallowNetwork(), GradientDescent(0.1), SMALL, 5.0)
    momentum = GradientDescent(0.1, "sgd", (("momentum", 0.9),))
    faster, _ = run(ShallowNetwork(), momentum, SMALL, 5.0)
    assert faster.last_loss < plain.last_loss


def test_smooth_flow_agrees_with_scipy(x64):
    """Quadratic activation, no kinks: every digit that the tolerance allows."""
    network = Network(Quadratic(), "1", "first")
    problem = ShallowNetwork(Gaussian(), Teacher(2), network, GaussianWeights("1/d", "ones"))
    data, theta = drawn(problem, 4, 40, 3, dtype="float64")
    X, y, W0, a = as_float64(data, theta)

    def velocity(t, flat):
        Z = X @ flat.reshape(3, 4).T
        r = y - (Z**2) @ a
        return (2 * a[:, None] * ((Z * r[:, None]).T @ X) / 40).ravel()

    tight = GradientFlow(rtol=1e-7, atol=1e-8)
    _, state = run(problem, tight, (4, 40, 3), 0.4, event=Certificate(1e-12), dtype="float64")
    end = float(state.time)  # the end of the step that passes the horizon
    assert end >= 0.4
    exact = solve_ivp(velocity, (0, end), W0.ravel(), rtol=1e-11, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(np.asarray(state.theta.W).ravel(), exact, atol=1e-5)
    assert int(state.reason) == Reason.HORIZON


def closed_form_loss(t, size, count, n, p, u0):
    """Loss of one group under theta' = -p grad L; unit labels, orthonormal inputs, c(0) = 1.

    arXiv 2502.16977 in the form of its group initialization: with D = sqrt(size) and
    tau = t D / n, u(tau) = pD u0 e^{2 tau} / (pD + u0 (e^{2 tau} - 1)).
    """
    D = np.sqrt(size)
    growth = np.exp(2 * t * D / n)
    u = p * D * u0 * growth / (p * D + u0 * (growth - 1))
    return count * (D - u / p) ** 2 / (2 * n)


def test_group_initialization_follows_the_closed_form(x64):
    n, p, scale = 24, 4, 0.1
    problem = ShallowNetwork(Orthogonal(1.0, 1.0), GroupSigns(), initialization=Group(scale))
    flow = GradientFlow(rtol=1e-9, atol=1e-10)
    for horizon in (10.0, 30.0, 60.0):
        found, _ = run(problem, flow, (n, n, p), horizon, event=Certificate(1e-9), dtype="float64")
        expected = closed_form_loss(horizon, n // p, p, n, p, scale**2)
        np.testing.assert_allclose(found.last_loss, expected, rtol=1e-5, atol=1e-7)
    assert float(found.balancedness_drift) < 1e-6


def two_points(a1):
    """The counterexample without Assumption 1 of arXiv 2502.16977."""
    return ShallowNetwork(
        ExplicitInputs(((1.0, 0.0), (0.0, 1.0))),
        ExplicitLabels((1.0, -1.0)),
        initialization=ExplicitWeights(((0.1, 2.0), (-0.5, 0.5)), (a1, -1.0)),
    )


@pytest.mark.parametrize("a1", [0.1, 0.5])
def test_assumption_1_is_needed(a1):
    flow = GradientFlow(rtol=1e-3, atol=1e-5)
    found, state = run(two_points(a1), flow, (2, 2, 2), 3000.0, event=Certificate(1e-3))
    assert Reason(int(found.reason)) is Reason.STATIONARY
    np.testing.assert_allclose(found.last_loss, 0.25, rtol=1e-3)
    assert float(state.theta.a[0]) < 0
    assert bool(found.well_initialized)


@pytest.mark.parametrize("a1", [1.0, 2.01])
def test_assumption_1_suffices(a1):
    found, state = run(two_points(a1), GradientFlow(), (2, 2, 2), 3000.0, event=Certificate(1e-3))
    assert Reason(int(found.reason)) is Reason.CERTIFICATE
    assert float(state.theta.a[0]) > 0


def test_horizon_is_reached_exactly():
    for dynamics in (GradientFlow(), GradientDescent(0.3)):
        found, _ = run(ShallowNetwork(), dynamics, (3, 60, 4), 2.0)
        assert Reason(int(found.reason)) is Reason.HORIZON
        expected = 2.0 if isinstance(dynamics, GradientFlow) else 6 * 0.3
        np.testing.assert_allclose(found.flow_time, expected, rtol=1e-6)


def test_a_budget_of_steps_is_a_failure():
    found, _ = run(ShallowNetwork(), GradientFlow(max_steps=3), (3, 60, 4), 50.0)
    assert Reason(int(found.reason)) is Reason.BUDGET
    assert int(found.steps) + int(found.rejections) == 3


def test_descent_that_diverges_is_a_failure():
    found, _ = run(ShallowNetwork(), GradientDescent(300.0), (3, 30, 4), 1e6)
    assert Reason(int(found.reason)) is Reason.NOT_FINITE


def test_time_does_not_stall_in_float32():
    """A thousand steps of 0.001 after a time of 2^17 still add up to 1."""
    setting = Setting(
        ShallowNetwork(), GradientDescent(0.001), (Certificate(1e-9),), Shape(3, 60, 4), "float32"
    )
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in (3, 60, 4)))
    request = Request(keys_of(0, 3, 60, 4, 0), sizes, jnp.float32(2**18))
    state = start(setting, request)._replace(time=jnp.float32(2**17))
    state = jax.lax.fori_loop(0, 1000, lambda _, s: step(setting, s), state)
    passed = (float(state.time) - 2**17) + float(state.time_rest)
    np.testing.assert_allclose(passed, 1.0, rtol=1e-4)


def test_published_solvers_are_selectable_and_counted():
    assert evaluations_per_step(diffrax.Tsit5()) == 6
    assert evaluations_per_step(diffrax.Heun()) == 2
    assert evaluations_per_step(diffrax.Euler()) == 1
    found, _ = run(ShallowNetwork(), GradientFlow("Tsit5", 1e-3, 1e-4), SMALL, 60.0, seed=3)
    expected, _ = euler(
        *as_float64(*drawn(d=10, p=24, seed=3)), step=0.002, horizon=60.0, target=1 / 40
    )
    np.testing.assert_allclose(found.flow_time, expected, rtol=0.02)
    assert int(found.evaluations) == 1 + 6 * (int(found.steps) + int(found.rejections))
    steps, state = run(ShallowNetwork(), GradientFlow("Euler", step=0.05), SMALL, 3.0)
    assert int(steps.steps) == 60
    assert norm(state.velocity) > 0


def test_a_strict_target_is_reached_on_time():
    """Far below the certificate, where the parameters have long been accurate to the tolerance."""
    problem = ShallowNetwork(Orthogonal(), initialization=Dominated(shrink=0.01))
    tight = GradientFlow(rtol=0.003, atol=0.0003)
    times = []
    for flow in (GradientFlow(), tight):
        found, _ = run(problem, flow, (40, 40, 24), 20_000.0, event=Certificate(1e-6))
        assert Reason(int(found.reason)) is Reason.CERTIFICATE
        times.append(float(found.flow_time))
    np.testing.assert_allclose(times[0], times[1], rtol=0.05)


def test_hardly_a_step_is_rejected():
    """The radius is that of the field between its kinks, not the jump at one of them or none."""
    rejections = attempts = 0
    for seed in range(4):
        found, _ = run(ShallowNetwork(), GradientFlow(), (30, 300, 100), 300.0, seed=seed)
        rejections += int(found.rejections)
        attempts += int(found.steps + found.rejections)
    assert attempts > 100
    assert rejections <= 0.03 * attempts


def stepwise(dynamics, sizes, horizon, seed=0):
    """The states of a trial, attempt by attempt, to its end."""
    setting = Setting(ShallowNetwork(), dynamics, (Certificate(1.0),), Shape(*sizes), "float32")
    integers = Sizes(*(jnp.asarray(size, jnp.int32) for size in sizes))
    request = Request(keys_of(0, *sizes, seed), integers, jnp.asarray(horizon, "float32"))
    advance = jax.jit(lambda state: step(setting, state))
    states = [jax.jit(lambda request: start(setting, request))(request)]
    while states[-1].reason == Reason.RUNNING:
        states.append(advance(states[-1]))
    return states


def test_no_step_is_longer_than_its_stages_are_stable(monkeypatch):
    """With few stages accuracy would allow longer steps than are stable: each would be rejected."""
    few = partial(RKC2, max_stages=3)
    monkeypatch.setitem(STABILIZED, "RKC2", few)
    states = stepwise(GradientFlow(), (10, 200, 48), 80.0)
    solver, limited = few(), 0
    for state in states:
        bound = float(solver.longest_step(state.integrator.stepper.state.radius))
        assert float(state.dt) <= bound * (1 + 1e-6)
        limited += float(state.dt) > 0.99 * bound
    assert limited > 20
    assert int(states[-1].rejections) < 0.1 * int(states[-1].steps)


def test_a_step_into_infinity_is_rejected_and_shortened():
    """A candidate whose size overflows has an infinite error, not infinity over infinity."""
    data, theta = drawn(d=4, n=8, p=6)
    controller, zero = GroupWise(0.1, 0.01, ShallowNetwork.geometry), jnp.zeros(())
    one = jnp.ones(())
    state = controller.init(None, zero, one, theta, one, data, None, 3)[1]
    for size in (1e15, 1e25, 1e38, jnp.inf):
        huge = jax.tree.map(lambda leaf: jnp.full_like(leaf, size), theta)  # noqa: B023
        keep, t0, t1, *_ = controller.adapt_step_size(zero, one, theta, huge, data, huge, 3, state)
        assert not keep
        assert 0 < t1 - t0 < 0.5


def test_a_step_that_is_no_number_is_a_failure():
    state = stepwise(GradientFlow(), SMALL, 1.0)[0]
    setting = Setting(
        ShallowNetwork(), GradientFlow(), (Certificate(1.0),), Shape(*SMALL), "float32"
    )
    broken = step(setting, state._replace(dt=jnp.asarray(jnp.nan)))
    assert Reason(int(broken.reason)) is Reason.NOT_FINITE


@pytest.mark.parametrize("dynamics", [GradientFlow(), GradientDescent()])
@pytest.mark.parametrize("size", [1e20, 1e-25])
def test_labels_beyond_the_range_of_float32_certify_nothing(dynamics, size):
    """Their squares overflow, or underflow, and no loss compares with a target of them."""
    problem = ShallowNetwork(labels=RandomSigns(size, 2 * size))
    found, state = run(problem, dynamics, (4, 8, 6), 10.0, event=Certificate())
    assert float(state.targets[0]) == (0 if size < 1 else jnp.inf)
    assert Reason(int(found.reason)) is Reason.NOT_FINITE
    assert int(found.steps) == 0


@pytest.mark.parametrize("solver", ["RKC2", "RKC1", "Tsit5"])
def test_a_neuron_that_is_alone_fits_or_dies(solver):
    """d = n = p = 1: it reaches the target if active and of the label's sign, else dies at w = 0.

    |a| > |w| is conserved (arXiv 2502.16977, section 2), so a keeps its sign: the outcome is known
    from the draw. A neuron that dies does so in finite time, across its own kink.
    """
    flow = GradientFlow(solver, 0.01, 0.001)
    setting = Setting(ShallowNetwork(), flow, (Certificate(1.0),), Shape(1, 1, 1), "float32")
    one, seeds = jnp.ones(60, jnp.int32), range(60)
    keys = jax.tree.map(lambda *rows: jnp.stack(rows), *(keys_of(0, 1, 1, 1, s) for s in seeds))
    horizons, values = jnp.full(60, 600.0, jnp.float32), jnp.zeros((60, 0), jnp.float32)
    requests = Request(keys, Sizes(one, one, one), horizons, values)

    def solve(request):
        first = start(setting, request)
        running = lambda state: state.reason == Reason.RUNNING  # noqa: E731
        last = jax.lax.while_loop(running, lambda state: step(setting, state), first)
        return first, finish(setting, last)

    first, found = jax.jit(lambda requests: jax.lax.map(solve, requests))(requests)
    X, y = np.float64(first.data.inputs.XT)[:, 0, 0], np.float64(first.data.y)[:, 0]
    W, a = np.float64(first.theta.W)[:, 0, 0], np.float64(first.theta.a)[:, 0]
    fits = (W * X > 0) & (a * y > 0) | ((y - a * np.maximum(W * X, 0)) ** 2 <= 1)
    expected = np.where(fits, Reason.CERTIFICATE, Reason.STATIONARY)
    assert 5 < fits.sum() < 30
    assert np.sum((W * X > 0) & ~fits) > 5
    np.testing.assert_array_equal(found.reason, expected)
    assert np.max(found.steps + found.rejections) < 300
    np.testing.assert_allclose(found.last_loss[~fits], y[~fits] ** 2 / 2, rtol=1e-6)
