"""What a dynamics takes, and one of a user's own beside ours."""

from dataclasses import dataclass, replace

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxflow.core.types import Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.dynamics import Attempt, Dynamics, Start
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.shallow.shallow_network import ShallowNetwork


@dataclass(frozen=True)
class Euler:
    """Descent written by hand, as a user would."""

    step: float = 0.5
    max_steps: int = 1000

    interpolates = False
    equivariant = True

    @property
    def slack(self):
        return 0.999 * self.step

    @property
    def euler_step(self):
        return self.step

    def check_precision(self, dtype):
        pass

    def objective(self, problem, data, theta, integrator):
        return problem.objective(data, theta)

    def velocity(self, problem, data, theta, integrator):
        return problem.field(data, theta)

    def decay(self, problem, data, theta, velocity, integrator):
        return problem.decay(data, velocity)

    def start(self, problem, data, theta, key, advance_by="step"):
        return Start((), jnp.asarray(self.step, theta.a.dtype), 1)

    def attempt(self, problem, data, theta, velocity, integrator, dt, advance_by="step"):
        moved = jax.tree.map(lambda x, v: x + dt * v, theta, velocity)
        yes, one = jnp.asarray(True), jnp.asarray(1, jnp.int32)
        return Attempt(moved, integrator, dt, yes, yes, one)


@pytest.mark.parametrize("transform", ["map", "vmap"])
def test_a_dynamics_of_ones_own_runs_as_ours_do(transform):
    """Its rows are those of the descent that it is, up to the rounding of x - (-v) and x + dt v."""
    assert isinstance(Euler(), Dynamics)
    dynamics = {"own": Euler(), "ours": GradientDescent(0.5)}
    trials = [Trial(name, Point(8, 16, 12), seed, 20.0) for name in dynamics for seed in range(3)]
    lanes = Lanes(transform, width=2, threads=1)
    with LocalRunner(ShallowNetwork(), dynamics, event=Certificate(1.0), lanes=lanes) as runner:
        rows = {(row.dynamics, row.seed): row for row in runner.run(trials)}
    for seed in range(3):
        own, ours = rows["own", seed], rows["ours", seed]
        assert (own.outcome, own.steps, own.evaluations) == (
            ours.outcome,
            ours.steps,
            ours.evaluations,
        )
        np.testing.assert_allclose(own.last_loss, ours.last_loss, rtol=1e-4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GradientFlow(rtol=1, atol=1), GradientFlow(rtol=1.0, atol=1.0)),
        (GradientFlow(rtol=np.float32(0.5)), GradientFlow(rtol=0.5)),
        (GradientFlow("Euler", step=np.int64(2)), GradientFlow("Euler", step=2.0)),
        (GradientFlow(max_steps=np.int32(9)), GradientFlow(max_steps=9)),
        (GradientDescent(np.float64(1)), GradientDescent(1)),
        (GradientDescent(max_steps=9.0), GradientDescent(max_steps=9)),
        (
            GradientDescent(0.1, "adam", {"b1": np.float64(0.5)}),
            GradientDescent(0.1, "adam", (("b1", 0.5),)),
        ),
        (
            GradientDescent(0.1, "adam", [["nesterov", np.bool_(True)]]),
            GradientDescent(0.1, "adam", (("nesterov", True),)),
        ),
    ],
)
def test_equal_numbers_make_equal_dynamics(one, other):
    """Whatever their type: equal, of one hash, and written alike."""
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda: GradientFlow(rtol=-1.0), "rtol > 0"),
        (lambda: GradientFlow(rtol=float("nan")), "finite number rtol"),
        (lambda: GradientFlow(atol=float("inf")), "finite number atol"),
        (lambda: GradientFlow(atol=True), "finite number atol"),
        (lambda: GradientFlow(rtol="0.1"), "finite number rtol"),
        (lambda: GradientFlow(max_steps=0), "max_steps >= 1"),
        (lambda: GradientFlow(max_steps=2.5), "max_steps >= 1"),
        (lambda: GradientFlow(max_steps=True), "max_steps >= 1"),
        (lambda: GradientFlow("Tsit6"), "'Tsit5'"),
        (lambda: GradientFlow("Kvaerno5"), "explicit solver"),
        (lambda: GradientFlow("Euler"), "error estimate"),
        (lambda: GradientFlow(diffrax.Tsit5), "name of a solver, got 'Tsit5'"),
        (lambda: GradientFlow(diffrax.Tsit5()), "name of a solver, got 'Tsit5'"),
        (lambda: GradientFlow(["Tsit5"]), "name of a solver, got 'list'"),
        (lambda: GradientFlow(step=0.0), "finite number step"),
        (lambda: GradientFlow(step=float("inf")), "finite number step"),
        (lambda: GradientDescent(0.0), "finite number step"),
        (lambda: GradientDescent(float("nan")), "finite number step"),
        (lambda: GradientDescent(True), "finite number step"),
        (lambda: GradientDescent(1.0, "sdg"), "'sgd'"),
        (lambda: GradientDescent(1.0, optax.adam), "name of an optimizer, got 'adam'"),
        (lambda: GradientDescent(1.0, "sgd", (("momentums", 0.9),)), "options of optax.sgd"),
        (lambda: GradientDescent(1.0, "sgd", (("momentum", {}),)), "plain values"),
        (lambda: GradientDescent(1.0, "sgd", 0.9), "plain values"),
        (lambda: GradientDescent(1.0, "sgd", (("nesterov", True),) * 2), "every option once"),
    ],
)
def test_mistakes_name_what_was_expected(mistake, said):
    with pytest.raises(ValueError, match="expected") as caught:
        mistake()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "dynamics",
    [
        GradientFlow(rtol=1e-12),
        GradientFlow("Euler", step=1e39),
        GradientFlow(step=1e-40),
        GradientDescent(1e39),
        GradientDescent(1e-40, "adam"),
    ],
)
def test_float32_is_refused_what_it_cannot_hold(dynamics):
    with pytest.raises(ValueError, match="in float32") as caught:
        dynamics.check_precision("float32")
    assert "\n" not in str(caught.value)
    dynamics.check_precision("float64")
    with pytest.raises(ValueError, match="in float32"):
        LocalRunner(ShallowNetwork(), {"mine": dynamics})


def test_fixed_steps_ask_nothing_of_the_tolerance():
    replace(GradientFlow(step=0.1), rtol=1e-12).check_precision("float32")


def test_only_plain_descent_is_eulers_method():
    assert GradientDescent(0.3).euler_step == GradientFlow("Euler", step=0.3).euler_step == 0.3
    others = GradientDescent(0.3, "adam"), GradientDescent(0.3, "sgd", (("momentum", 0.9),))
    assert [rule.euler_step for rule in (*others, GradientFlow(step=0.3))] == [None] * 3
