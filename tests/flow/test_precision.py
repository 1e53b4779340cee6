"""A float32 trial is the same whether the script has enabled 64-bit JAX or not."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import keys_of

from jaxflow.core.types import Point, Recording, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.recording import solve_recorded
from jaxflow.flow.stabilized import RKC1, RKC2
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.trial import finish, start, step
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

OBSERVABLES = ("loss", "curvature", "sharpness", "flips", "distance", "balancedness")
DYNAMICS = {
    "flow": GradientFlow(),
    "tsit5": GradientFlow("Tsit5", 0.01, 0.001),
    "descent": GradientDescent(),
    "adam": GradientDescent(0.01, "adam"),
}
TRIALS = [Trial(name, Point(8, 16, 12), seed, 20.0) for name in DYNAMICS for seed in range(3)]


def traced(dynamics, advance_by):
    """Everything that is computed of a trial, as the text of what JAX has traced."""
    sizes = Sizes(*(jnp.asarray(6, jnp.int32),) * 3)
    request = Request(keys_of(0, 6, 6, 6, 1), sizes, jnp.float32(60))
    times, live = jnp.ones(3, jnp.float32), jnp.asarray(True)
    setting = Setting(
        ShallowNetwork(),
        dynamics,
        (Certificate(1.0),),
        Shape(8, 8, 8),
        "float32",
        "ambient",
        advance_by,
    )
    begin = lambda request: start(setting, request)  # noqa: E731
    state = jax.eval_shape(begin, request)
    made = [
        jax.make_jaxpr(begin)(request),
        jax.make_jaxpr(lambda state: step(setting, state))(state),
        jax.make_jaxpr(lambda state: finish(setting, state))(state),
    ]
    if advance_by == "step":
        watch = lambda request: solve_recorded(setting, OBSERVABLES, request, live, times)  # noqa: E731
        made.append(jax.make_jaxpr(watch)(request))
    return [str(jaxpr) for jaxpr in made]


@pytest.fixture(scope="module")
def of_32_bits():
    """What is traced by 32-bit JAX."""
    return {(n, by): traced(DYNAMICS[n], by) for n in DYNAMICS for by in ("step", "evaluation")}


@pytest.mark.parametrize("advance_by", ["step", "evaluation"])
@pytest.mark.parametrize("name", list(DYNAMICS))
def test_the_same_is_traced(of_32_bits, x64, name, advance_by):
    assert jnp.ones(()).dtype == "float64"
    found = traced(DYNAMICS[name], advance_by)
    assert found == of_32_bits[name, advance_by]
    assert not any("f64" in text for text in found)


def rows(transform, names):
    """Rows and trajectories of the trials of dynamics, the first of each recorded."""
    lanes = Lanes(transform, width=2, threads=1)
    recording = Recording(OBSERVABLES, trials=1, points=6)
    with LocalRunner(
        ShallowNetwork(), DYNAMICS, event=Certificate(1.0), lanes=lanes, recording=recording
    ) as runner:
        found = runner.run([trial for trial in TRIALS if trial.dynamics in names])
        return found, runner.trajectories(found)


@pytest.mark.parametrize(("transform", "names"), [("map", {"flow", "adam"}), ("vmap", {"flow"})])
def test_rows_are_equal_bit_for_bit(transform, names):
    """What is traced alike is compiled alike: of a few, that the engine adds nothing to it."""
    expected, expected_seen = rows(transform, names)
    jax.config.update("jax_enable_x64", True)
    try:
        found, seen = rows(transform, names)
    finally:
        jax.config.update("jax_enable_x64", False)
    assert found == expected
    assert len(seen) == len(names)
    for trial, columns in expected_seen.items():
        for name, column in columns.items():
            np.testing.assert_array_equal(seen[trial][name], column)


@pytest.mark.parametrize("solver", [RKC1, RKC2])
def test_a_stabilized_solver_keeps_the_type_of_the_state(x64, solver):
    """In plain diffrax, on a float32 state, whose field vanishes in one of two solves."""
    for rate in (1.0, 0.0):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, rate: -rate * y),
            solver(),
            jnp.float32(0),
            jnp.float32(1),
            jnp.float32(0.01),
            jnp.ones(2, jnp.float32),
            args=jnp.float32(rate),
            stepsize_controller=diffrax.PIDController(rtol=1e-3, atol=1e-4),
        )
        assert solution.ys.dtype == "float32"
        np.testing.assert_allclose(solution.ys[-1], np.exp(-rate), rtol=0.03)
