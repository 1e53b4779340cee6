"""RKC1 and RKC2 in plain `diffrax.diffeqsolve`: what diffrax asks of its own solvers.

After its test_integrate.py, test_adjoint.py, test_saveat_solution.py, test_step_to.py, test_vmap.py
and test_event.py; oracles are closed forms, finite differences and Tsit5 at fine tolerances.
"""

import subprocess
import sys
from functools import partial

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
import pytest
from scipy.linalg import expm

from jaxflow import RKC1, RKC2

RKC = RKC2(max_stages=16)
DECAY = diffrax.ODETerm(lambda t, y, args: jax.tree.map(jnp.negative, y))
complex_warning = partial(pytest.warns, match="Complex dtype")  # of diffrax


def solve(term, solver, y0, t0=0.0, t1=1.0, dt0=0.01, tolerance=None, **options):
    if tolerance is not None:
        options["stepsize_controller"] = diffrax.PIDController(rtol=tolerance, atol=tolerance)
    return diffrax.diffeqsolve(term, solver, t0, t1, dt0, y0, **options)


def test_order_on_a_complex_state(x64):
    rng = np.random.default_rng(0)
    A = 0.5 * (rng.standard_normal((6, 6)) + 1j * rng.standard_normal((6, 6)))
    y0 = rng.standard_normal(6) + 1j * rng.standard_normal(6)
    term = diffrax.ODETerm(lambda t, y, args: jnp.asarray(A) @ y)
    end = jax.jit(lambda dt0: solve(term, RKC, jnp.asarray(y0), dt0=dt0).ys[-1])
    with complex_warning():
        ends = [end(2.0**-k) for k in (4, 5, 6)]
    errors = [np.linalg.norm(found - expm(A) @ y0) for found in ends]
    order = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(order, 2, atol=0.2)


def test_a_stiff_complex_state(x64):
    """Relaxation to a rotation: the steps are limited by accuracy alone."""
    rates = jnp.logspace(0, 4, 20)
    term = diffrax.ODETerm(lambda t, y, args: -rates * (y - jnp.exp(1j * t)))
    with complex_warning():
        found = solve(term, RKC2(), jnp.ones(20, complex), dt0=1e-4, tolerance=1e-4)
    forced = rates / (rates + 1j)  # y = (1 - forced) e^-rt + forced e^it
    exact = (1 - forced) * jnp.exp(-rates) + forced * jnp.exp(1j)
    np.testing.assert_allclose(found.ys[-1], exact, atol=2e-3)
    assert found.stats["num_steps"] < 60


def test_everything_that_is_saved(x64):
    """Both ends, times in between, steps, and the interpolation with its derivative."""
    times = jnp.linspace(0.3, 4.0, 7)
    saveat = diffrax.SaveAt(t0=True, t1=True, ts=times, steps=3, dense=True)
    start = {"y": jnp.array([1.0, -2.0])}
    found = solve(DECAY, RKC, start, 0.3, 4.0, None, 1e-5, saveat=saveat)
    saved = np.isfinite(found.ts)
    assert saved.sum() >= 2 + len(times)
    exact = np.exp(0.3 - found.ts[saved])[:, None] * np.array([1.0, -2.0])
    np.testing.assert_allclose(found.ys["y"][saved], exact, atol=1e-3)
    for value, sign in ((found.evaluate, 1), (found.derivative, -1)):
        between = jax.vmap(value)(times)["y"][:, 0]
        np.testing.assert_allclose(between, sign * np.exp(0.3 - times), atol=1e-3)


def test_time_backward_is_the_field_turned_round(x64):
    """With the method of order one."""
    forward = diffrax.ODETerm(lambda t, y, args: y * jnp.sin(-t))
    backward = diffrax.ODETerm(lambda t, y, args: -y * jnp.sin(t))
    times = jnp.array([3.5, 0.7])
    at, mirrored = diffrax.SaveAt(ts=times), diffrax.SaveAt(ts=-times)
    found = solve(backward, RKC1(), jnp.ones(2), 4, 0.3, None, 1e-4, saveat=at)
    same = solve(forward, RKC1(), jnp.ones(2), -4, -0.3, None, 1e-4, saveat=mirrored)
    np.testing.assert_allclose(found.ys, same.ys, rtol=1e-12)
    np.testing.assert_allclose(found.ys[:, 0], np.exp(np.cos(times) - np.cos(4)), rtol=0.03)


def test_steps_to_given_times(x64):
    times = jnp.linspace(0, 2, 41)
    options = {"stepsize_controller": diffrax.StepTo(ts=times), "saveat": diffrax.SaveAt(ts=times)}
    found = solve(DECAY, RKC, jnp.ones(1), t1=2, dt0=None, **options)
    assert found.stats["num_steps"] == 40
    np.testing.assert_allclose(found.ys[:, 0], np.exp(-times), atol=1e-3)


def test_a_jump_in_time_that_is_announced(x64):
    """The step after it begins with the field as it is then."""
    term = diffrax.ODETerm(lambda t, y, args: -y + jnp.where(t >= 0.5, 10.0, 0.0))
    control = diffrax.ClipStepSizeController(COARSE, jump_ts=jnp.array([0.5]))
    found = solve(term, RKC, jnp.ones(1), dt0=None, stepsize_controller=control)
    np.testing.assert_allclose(found.ys[-1], 10 + (np.exp(-0.5) - 10) * np.exp(-0.5), rtol=1e-5)

    y, before, after = jnp.ones(1), RKC.init(term, 0.4, 0.5, jnp.ones(1), None), (term, 0.5, 0.6)
    fresh = RKC.step(*after, y, None, RKC.init(*after, y, None), False)[0]
    np.testing.assert_array_equal(RKC.step(*after, y, None, before, jnp.asarray(True))[0], fresh)
    assert abs(RKC.step(*after, y, None, before, jnp.asarray(False))[0] - fresh) > 0.1


def test_several_terms_are_their_sum(x64):
    """Terms of ODEs, and one whose control is not time."""
    decay, forcing = lambda t, y, args: -args * y, lambda t, y, args: jnp.cos(t) * y
    term = diffrax.ODETerm(decay)
    driven = diffrax.ControlTerm(
        lambda t, y, args: jnp.diag(y), lambda t0, t1: jnp.full(2, jnp.sin(t1) - jnp.sin(t0))
    )
    together = diffrax.ODETerm(lambda t, y, args: decay(t, y, args) + forcing(t, y, args))
    run = lambda terms: solve(terms, RKC, jnp.ones(2), tolerance=1e-5, args=3.0).ys[-1]  # noqa: E731
    several = run(diffrax.MultiTerm(term, diffrax.ODETerm(forcing)))
    np.testing.assert_allclose(several, run(together), rtol=1e-12)
    np.testing.assert_allclose(several, np.exp(np.sin(1) - 3), rtol=2e-3)
    np.testing.assert_allclose(run(diffrax.MultiTerm(term, driven)), several, rtol=1e-3)


def test_a_batch_is_its_members(x64):
    """Each with steps and stages of its own."""
    rates = jnp.array([1.0, 30.0, 900.0])

    def end(rate):
        term = diffrax.ODETerm(lambda t, y, rate: {"a": -rate * y["a"], "b": (-y["b"][0],)})
        start = {"a": jnp.ones(3), "b": (jnp.ones(()),)}
        found = solve(term, RKC2(), start, dt0=None, args=rate, tolerance=1e-5)
        return found.ys, found.stats["num_steps"]

    batch, steps = jax.jit(jax.vmap(end))(rates)
    assert len(set(steps.tolist())) == 3
    np.testing.assert_allclose(batch["a"][:, -1, 0], np.exp(-rates), atol=5e-4)
    alone = jax.jit(lambda rates: jax.lax.map(end, rates))(rates)
    assert_same((batch, steps), alone, 1e-9)


@pytest.mark.slow
def test_an_event_ends_it_and_has_a_derivative(x64):
    """In a batch, where it happens to one and not to the other."""

    @jax.jit
    @jax.vmap
    @jax.value_and_grad
    def end(target):
        event = diffrax.Event(lambda t, y, args, **_: y - 1.5, optx.Newton(1e-6, 1e-6))
        term = diffrax.ODETerm(lambda t, y, target: target - y)
        options = {"args": target, "tolerance": 1e-6, "event": event}
        return solve(term, RKC2(max_stages=4), 0.0, t1=2.0, **options).ts[-1]

    times, slopes = end(jnp.array([1.0, 3.0]))
    np.testing.assert_allclose(times, [2.0, np.log(2)], atol=1e-4)  # y = a (1 - e^-t)
    np.testing.assert_allclose(slopes, [0.0, 1 / 3 - 1 / 1.5], atol=1e-3)


def test_types_are_those_of_other_solvers(x64):
    """Of time and of a state that is a tree, where JAX promotes none by itself."""
    with jax.numpy_dtype_promotion("strict"):
        for time, state in ((int, "float32"), (jnp.float64, "float32"), (jnp.float32, "float64")):
            assert types(RKC, time, state) == types(diffrax.Tsit5(), time, state)
        with complex_warning():
            found = types(RKC, jnp.float32, "complex64")
        assert found["a"][0].dtype == "complex64"


def types(solver, time, state):
    dt0 = 0.1 if time is int else time(0.1)
    start = {"a": (jnp.ones((), state), None), "b": jnp.ones((2, 1), state)}
    found = jax.eval_shape(lambda: solve(DECAY, solver, start, time(0), time(1), dt0, 1e-3))
    return found.ys | {"time": found.ts}


def test_a_finer_field_is_brought_to_the_state(x64):
    single = jnp.float32
    term = diffrax.ODETerm(lambda t, y, rate: -rate * y)
    found = solve(
        term, RKC, jnp.ones(2, single), single(0), single(1), single(0.01), 1e-5, args=jnp.ones(2)
    )
    assert found.ys.dtype == single
    np.testing.assert_allclose(found.ys[-1], np.exp(-1), rtol=1e-3)


def test_a_state_without_entries():
    assert solve(DECAY, RKC, None, tolerance=1e-3).ys is None


def test_a_complex_field_of_a_real_state_is_refused():
    term = diffrax.ODETerm(lambda t, y, args: 1j * y)
    with pytest.raises(ValueError, match=r"expected a real field.*begin from a complex") as caught:
        RKC.init(term, 0.0, 0.1, jnp.ones(2), None)
    assert "\n" not in str(caught.value)


def test_importing_it_loads_neither_engine_nor_store():
    code = """if True:
        import sys
        from jaxflow import RKC1, RKC2
        loaded = {name.split(".")[1] for name in sys.modules if name.startswith("jaxflow.")}
        sys.exit(not loaded <= {"core", "flow"} or "jaxflow.flow.flow" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Field(eqx.Module):
    """A field with parameters of its own, beside those in `args`."""

    matrix: jax.Array

    def __call__(self, t, y, args):
        return -self.matrix @ jnp.tanh(y) + args["push"] * jnp.sin(t)


START = np.array([0.5, 1.0, 1.5])
PUSH = 0.7
FINE, COARSE = (diffrax.PIDController(rtol=tol, atol=tol) for tol in (1e-8, 1e-7))
CHECKPOINTS = diffrax.RecursiveCheckpointAdjoint()


def stiff(rate):
    return jnp.asarray(np.diag([1.0, 2.0, rate]) + 0.1)


def value(matrix, y0, push, solver=RKC, adjoint=CHECKPOINTS, controller=FINE):
    """A function of the matrix, the start and a parameter, by the states at two times."""
    args = {"push": push, "name": "of no derivative"}
    options = {"args": args, "adjoint": adjoint, "stepsize_controller": controller}
    at = diffrax.SaveAt(ts=jnp.array([0.4, 1.0]))
    return jnp.sum(solve(diffrax.ODETerm(Field(matrix)), solver, y0, saveat=at, **options).ys ** 2)


def gradient(rate, take=jax.grad, **options):
    derivative = jax.jit(take(partial(value, **options), (0, 1, 2)))
    return derivative(stiff(rate), jnp.asarray(START), jnp.asarray(PUSH))


def assert_same(found, expected, atol):
    jax.tree.map(partial(np.testing.assert_allclose, atol=atol, rtol=0), found, expected)


@pytest.fixture(scope="module")
def expected():
    """By Tsit5, for a mild and a stiff field."""
    with jax.enable_x64(True):
        derivative = jax.jit(jax.grad(partial(value, solver=diffrax.Tsit5()), (0, 1, 2)))
        start = jnp.asarray(START), jnp.asarray(PUSH)
        return {rate: derivative(stiff(rate), *start) for rate in (3.0, 300.0)}


def test_reverse_mode_of_a_batch(x64, expected):
    """A stiff field and a mild one: as Tsit5 has them, and as differences of solves have them."""
    rates, smooth = (3.0, 300.0), RKC2(16, probe="jvp", memory=0.9)
    matrices, starts = jnp.stack([stiff(rate) for rate in rates]), jnp.stack([START, START])

    def total(matrices, starts):
        return jnp.sum(jax.vmap(partial(value, push=PUSH, solver=smooth))(matrices, starts))

    found = jax.jit(jax.grad(total, (0, 1)))(matrices, starts)
    for i, rate in enumerate(rates):
        assert_same((found[0][i], found[1][i]), expected[rate][:2], 1e-5)
    along = jnp.asarray(1e-4 * np.eye(3)[0])
    total = jax.jit(total)
    difference = (total(matrices, starts + along) - total(matrices, starts - along)) / 2e-4
    np.testing.assert_allclose(jnp.sum(found[1][:, 0]), difference, atol=1e-5)


ADJOINTS = [
    pytest.param(diffrax.DirectAdjoint(), jax.grad, marks=pytest.mark.slow),
    (diffrax.BacksolveAdjoint(), jax.grad),
    pytest.param(diffrax.ForwardMode(), jax.jacfwd, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("adjoint", "take"), ADJOINTS, ids=lambda x: type(x).__name__)
def test_other_adjoints(x64, adjoint, take, expected):
    found = gradient(3.0, take, adjoint=adjoint, controller=COARSE)
    assert_same(found, expected[3.0], 1e-4)


def test_reverse_mode_of_what_a_field_closes_over(x64, expected):
    """And of a field whose reverse mode is its author's own."""

    @jax.custom_vjp
    def tanh(y):
        return jnp.tanh(y)

    tanh.defvjp(lambda y: (jnp.tanh(y), y), lambda y, c: (c / jnp.cosh(y) ** 2,))

    def closed(matrix):
        term = diffrax.ODETerm(lambda t, y, args: -matrix @ tanh(y) + PUSH * jnp.sin(t))
        at = diffrax.SaveAt(ts=jnp.array([0.4, 1.0]))
        return jnp.sum(solve(term, RKC, jnp.asarray(START), tolerance=1e-7, saveat=at).ys ** 2)

    assert_same(jax.jit(jax.grad(closed))(stiff(3.0)), expected[3.0][0], 1e-4)
