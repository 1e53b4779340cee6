"""Stabilized steps on stiff fields, smooth and kinked, beside those of diffrax's methods.

None may be limited by stability: as many steps as accuracy needs, few of them rejected, with a
radius that covers the largest eigenvalue.
"""

from itertools import pairwise

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxflow.flow.stabilized import RKC1, RKC2, SAFETY

SMOOTH = RKC2(probe="jvp", memory=0.9)
JUMPING = RKC2(memory=0.9)


def network(sizes, activation, decades, loss=None, labels=None, n=24):
    """-grad of the loss of a network, the sizes of its inputs spread over some decades."""
    rng = np.random.default_rng(0)
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    X = rng.standard_normal((n, sizes[0])) * np.logspace(-decades / 2, decades / 2, sizes[0])
    y = rng.choice([-1.0, 1.0], n) if labels is None else labels(rng, X)
    cuts = np.cumsum([a * b for a, b in shapes])[:-1]
    start = np.concatenate([rng.standard_normal(a * b) / np.sqrt(b) for a, b in shapes])

    def value(theta, data):
        H = data[0]
        for k, (W, shape) in enumerate(zip(jnp.split(theta, cuts), shapes, strict=True)):
            H = H @ W.reshape(shape).T
            H = H if k == len(shapes) - 1 else activation(H)
        return (loss or squares)(H if sizes[-1] > 1 else H[:, 0], data[1])

    return lambda t, theta, data: -jax.grad(value)(theta, data), start, (X, y)


def squares(outputs, y):
    return jnp.mean((outputs - y) ** 2) / 2


def logistic(outputs, y):
    return jnp.mean(jnp.logaddexp(0, -y * outputs))


def softmax(outputs, y):
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(outputs) * jax.nn.one_hot(y, 3), axis=1))


def huber(outputs, y):
    r = jnp.abs(outputs - y)
    return jnp.mean(jnp.where(r < 1, r**2 / 2, r - 0.5))


def signs(rng, X):
    noise = rng.standard_normal(len(X))
    return np.sign(X @ (rng.standard_normal(X.shape[1]) / X.std(axis=0)) / 3 + noise)


def quadratic_form():
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.standard_normal((40, 40)))
    return (
        lambda t, x, A: -A @ x,
        rng.standard_normal(40),
        (Q * np.logspace(-2, 3, 40)) @ Q.T,
    )


def phase_retrieval():
    rng = np.random.default_rng(1)
    A = rng.standard_normal((80, 12)) * np.logspace(-0.5, 0.5, 12)
    data = A, (A @ rng.standard_normal(12)) ** 2
    value = lambda x, data: jnp.mean(((data[0] @ x) ** 2 - data[1]) ** 2) / 4  # noqa: E731
    return lambda t, x, data: -jax.grad(value)(x, data), rng.standard_normal(12) / 2, data


def deep_linear():
    def labels(rng, X):
        return 5 * X @ rng.standard_normal(8) / np.linalg.norm(X, axis=0).max()

    return network((8, 8, 8, 1), lambda z: z, 2, labels=labels)


# By name: the problem, the flow time, the solver and the relative tolerance. Across a jump an error
# is of the order of the step: at a finer tolerance the jumps set the step of any solver.
FIELDS = {
    "tanh": (lambda: network((6, 12, 1), jnp.tanh, 1), 300.0, SMOOTH, 1e-3),
    "tanh, 3 decades": (lambda: network((6, 12, 1), jnp.tanh, 3), 30.0, SMOOTH, 1e-3),
    "deep tanh, 3 decades": (lambda: network((6, 10, 10, 1), jnp.tanh, 3), 30.0, SMOOTH, 1e-3),
    "softplus, 3 decades": (lambda: network((6, 12, 1), jax.nn.softplus, 3), 30.0, SMOOTH, 1e-3),
    "logistic": (lambda: network((12, 1), None, 3, logistic, signs), 300.0, SMOOTH, 1e-3),
    "softmax": (
        lambda: network((12, 3), None, 3, softmax, lambda rng, X: rng.integers(0, 3, len(X))),
        100.0,
        SMOOTH,
        1e-3,
    ),
    "quadratic form": (quadratic_form, 10.0, SMOOTH, 1e-3),
    "phase retrieval": (phase_retrieval, 10.0, SMOOTH, 1e-3),
    "deep linear": (deep_linear, 30.0, SMOOTH, 1e-3),
    "huber": (lambda: network((12, 1), None, 2, huber, signs, n=60), 100.0, SMOOTH, 1e-2),
    "relu": (lambda: network((20, 16, 1), jax.nn.relu, 1, n=16), 100.0, JUMPING, 1e-2),
    "deep relu": (lambda: network((20, 12, 12, 1), jax.nn.relu, 1, n=16), 100.0, JUMPING, 1e-2),
}
TIMES = np.concatenate([[0], np.logspace(-3, 0, 6)])  # where states are looked at, over the horizon


def solved(name, solver, dtype):
    """Steps kept, steps rejected, and estimated radius over largest eigenvalue along the way."""
    make, horizon, _, rtol = FIELDS[name]
    field, y, args = jax.tree.map(lambda a: jnp.asarray(a, dtype) if _real(a) else a, make())
    term = diffrax.ODETerm(field)
    times = jnp.asarray(TIMES * horizon, dtype)
    controller = diffrax.PIDController(rtol=rtol, atol=rtol / (100 if rtol < 1e-2 else 10))
    stabilized = isinstance(solver, RKC2)

    @jax.jit
    def run(t0, t1, dt, y, state):
        found = diffrax.diffeqsolve(
            term,
            solver,
            t0,
            t1,
            dt,
            y,
            args,
            stepsize_controller=controller,
            max_steps=20_000,
            throw=False,
            solver_state=state,
            saveat=diffrax.SaveAt(t1=True, solver_state=True),
        )
        end, state = found.ys[-1], found.solver_state
        radius = solver.step(term, t1, t1 + dt, end, args, state, False)[3].radius
        counts = found.stats["num_accepted_steps"], found.stats["num_rejected_steps"]
        return end, state, radius, jnp.stack(counts)

    if not stabilized:
        found = diffrax.diffeqsolve(
            term,
            solver,
            times[0],
            times[-1],
            times[1] / 100,
            y,
            args,
            stepsize_controller=controller,
            max_steps=20_000,
            throw=False,
        )
        return found.stats["num_accepted_steps"], found.stats["num_rejected_steps"], []
    state = solver.init(term, times[0], times[1], y, args)
    counts, ratios = np.zeros(2, int), []
    for t0, t1 in pairwise(times):
        y, state, radius, more = run(t0, t1, (t1 - t0) / 50, y, state)
        counts += np.asarray(more)
        ratios.append(float(radius) / largest_eigenvalue(field, y, args))
    return *counts, ratios


def _real(a):
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def largest_eigenvalue(field, y, args):
    """Of the Jacobian, by central differences of the field in float64, entry by entry."""
    wide = lambda a: jnp.asarray(a, "float64") if a.dtype.kind == "f" else a  # noqa: E731
    y, args = wide(y), jax.tree.map(wide, args)
    steps = 1e-6 * np.linalg.norm(y) * np.eye(len(y))
    f = jax.jit(jax.vmap(lambda y: field(0.0, y, args)))
    J = np.asarray(f(y + steps) - f(y - steps)).T / (2 * steps[0, 0])
    return np.max(np.abs(np.linalg.eigvals(J)))


QUICK = {("tanh, 3 decades", "float32"), ("logistic", "float64"), ("phase retrieval", "float32")}
CASES = [
    pytest.param(name, dtype, marks=() if (name, dtype) in QUICK else pytest.mark.slow)
    for name in FIELDS
    for dtype in ("float32", "float64")
]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_steps_are_limited_by_accuracy_alone(x64, name, dtype):
    """A hundred steps, few rejected, the largest eigenvalue within the safety factor."""
    solver = FIELDS[name][2]
    kept, rejected, ratios = solved(name, solver, dtype)
    assert kept < 120
    assert rejected <= (0.15 if solver is SMOOTH else 0.2) * (kept + rejected)
    assert min(ratios) * SAFETY >= 1
    np.testing.assert_allclose(ratios[-1], 1, atol=0.15)


def test_a_method_without_stabilization_takes_many_times_the_steps(x64):
    kept, rejected, _ = solved("logistic", SMOOTH, "float64")
    assert kept + rejected < solved("logistic", diffrax.Tsit5(), "float64")[0] / 50


def test_memory_keeps_long_differences_of_a_smooth_field_from_many_steps(x64):
    """An estimate that is too low one time and too high the next: as high as it has been."""
    name = "tanh, 3 decades"
    forgetful, often, _ = solved(name, RKC2(), "float32")
    kept, rejected, _ = solved(name, RKC2(memory=0.9), "float32")
    assert kept + rejected < (forgetful + often) / 2
    assert rejected < 0.2 * (kept + rejected)


@pytest.mark.parametrize(
    "solver",
    [RKC1(), RKC2(), RKC1(probe="jvp", memory=0.9), SMOOTH],
    ids=lambda s: type(s).__name__,
)
def test_backward_in_time(x64, solver):
    """The end, the states in between and a field that depends on time: as Tsit5 has them."""

    def back(solver, rtol):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, args: -y + jnp.sin(3 * t)),
            solver,
            1.0,
            0.0,
            -0.01,
            jnp.array([1.0, -2.0]),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol),
            saveat=diffrax.SaveAt(ts=jnp.array([0.9, 0.45, 0.0])),
            max_steps=100_000,
        ).ys

    np.testing.assert_allclose(back(solver, 1e-6), back(diffrax.Tsit5(), 1e-10), rtol=3e-3)


def test_decay_backward_in_time_is_growth(x64):
    term = diffrax.ODETerm(lambda t, y, args: -y)
    found = diffrax.diffeqsolve(term, RKC2(), 1.0, 0.0, -0.001, jnp.ones(1))
    np.testing.assert_allclose(found.ys[-1], np.e, rtol=1e-6)


@pytest.mark.parametrize("solver", [RKC1(probe="jvp", memory=0.9), SMOOTH, JUMPING])
def test_a_step_is_its_evaluations(x64, solver):
    """Evaluation by evaluation, side by side, the steps are those taken whole."""
    field, y, data = quadratic_form()
    term, y, data = diffrax.ODETerm(field), jnp.asarray(y), jnp.asarray(data)
    starts = jnp.stack([y, y[::-1]])
    h = 0.02

    def whole(y):
        state = solver.init(term, 0.0, h, y, data)
        for _ in range(4):
            y, error, _, state, _ = solver.step(term, 0.0, h, y, data, state, False)
        return y, error

    def staged(y):
        state, stage = solver.init(term, 0.0, h, y, data), solver.first_stage(y)

        def advance(carry):
            y, _, state, stage, steps = carry
            complete, end, found, state, stage = solver.evaluate(
                term, jnp.asarray(h), y, data, state, stage
            )
            y = jnp.where(complete, end, y)
            return y, found, state, stage, steps + complete

        carry = y, jnp.zeros_like(y), state, stage, jnp.asarray(0)
        return jax.lax.while_loop(lambda c: c[-1] < 4, advance, carry)[:2]

    expected, _ = jax.jit(jax.vmap(whole))(starts)
    found, _ = jax.jit(jax.vmap(staged))(starts)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_radius_that_was_not_finite_is_forgotten(x64):
    term, y = diffrax.ODETerm(lambda t, y, args: -7 * y), jnp.ones(3)
    for bad in (jnp.inf, jnp.nan):
        state = SMOOTH.init(term, 0.0, 0.1, y, None)
        state = state._replace(radius=jnp.asarray(bad), age=jnp.asarray(1, jnp.int32))
        found = SMOOTH.step(term, 0.0, 0.1, y, None, state, False)[3]
        np.testing.assert_allclose(found.radius, 7)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"probe": "exact"}, "probe in"), ({"memory": 1.0}, "memory < 1"), ({"memory": -0.1}, "0 <=")],
)
def test_options_that_mean_nothing_are_refused(options, expected):
    with pytest.raises(ValueError, match=expected):
        RKC2(**options)
