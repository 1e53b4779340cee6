"""Dynamics of one's own, written as a step: against formulas, NumPy by hand, and keys apart."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import Bowl, keys_of

import jaxflow as jf
from jaxflow.core.types import Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Below, Never
from jaxflow.flow.iteration import Iteration
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.problem import Sizes

RATE = 2.0  # of the bowl L = RATE |theta|^2 / 2


@dataclass(frozen=True)
class Langevin(Iteration):
    """theta <- theta + step theta' + sqrt(2 step temperature) noise."""

    temperature: float = 0.1

    def update(self, problem, data, parameters, velocity, state, key):
        noise = jax.random.normal(key, parameters.shape)
        spread = (2 * self.step * self.temperature) ** 0.5
        return parameters + self.step * velocity + spread * noise, state


@dataclass(frozen=True)
class HeavyBall(Iteration):
    """m <- friction m + theta'; theta <- theta + step m."""

    friction: float = 0.9

    def first_state(self, parameters):
        return jax.tree.map(jnp.zeros_like, parameters)

    def update(self, problem, data, parameters, velocity, state, key):
        state = jax.tree.map(lambda m, v: self.friction * m + v, state, velocity)
        return jax.tree.map(lambda w, m: w + self.step * m, parameters, state), state


@dataclass(frozen=True)
class Sharper(Iteration):
    """Descent on the samples of the step, those weighted doubly whose label is positive."""

    def update(self, problem, data, parameters, velocity, state, key):
        weighted = data._replace(weights=data.weights * jnp.where(data.y > 0, 2.0, 1.0))
        slope = jax.grad(problem.objective, 1)(weighted, parameters)
        return jax.tree.map(lambda w, g: w - self.step * g, parameters, slope), state


def rows(problem, dynamics, trials, event=Never(), measured=("norm", "loss"), lanes=None):
    lanes = lanes or Lanes("map", 1)
    with LocalRunner(
        problem, {"it": dynamics}, event=event, measured=measured, lanes=lanes
    ) as runner:
        found = {row.trial: row for row in runner.run(trials)}
    return [found[trial] for trial in trials]


def test_noise_of_its_own_settles_where_theory_says():
    """Of w <- (1 - eta RATE) w + sqrt(2 eta T) xi the variance is T / (RATE (1 - eta RATE/2))."""
    eta, temperature, d = 0.2, 0.1, 40
    trials = [Trial("it", Point(d, 1, 1), seed, 40.0) for seed in range(60)]
    found = rows(Bowl(RATE), Langevin(eta, temperature), trials)
    losses = np.array([dict(row.measured)["loss"] for row in found])
    expected = d * temperature / (2 - eta * RATE)
    error = expected * np.sqrt(2 / d / len(losses))  # of a sum of squares of normal numbers
    assert abs(losses.mean() - expected) < 4 * error
    assert len(set(losses)) == len(losses)  # every trial has noise of its own
    assert {row.steps for row in found} == {200}


def test_what_it_remembers_is_carried():
    """Momentum as optax has it, to rounding, alone and beside others."""
    trials = [Trial("it", Point(3, 20, 4), seed, 5.0) for seed in range(3)]
    problem = DeepNetwork()
    ours = rows(problem, HeavyBall(0.1), trials)
    momentum = GradientDescent(0.1, options={"momentum": 0.9})
    theirs = rows(problem, momentum, trials)
    for a, b in zip(ours, theirs, strict=True):
        assert dict(a.measured) == pytest.approx(dict(b.measured), rel=1e-5)
    beside = rows(problem, HeavyBall(0.1), trials, lanes=Lanes("vmap", 3, chunk=2))
    for a, b in zip(ours, beside, strict=True):
        assert dict(a.measured) == pytest.approx(dict(b.measured), rel=1e-4)


@pytest.mark.parametrize("batch", [None, 5])
def test_it_sees_the_samples_of_its_step(batch):
    """Descent by an update of one's own is descent, minibatches and all."""

    @dataclass(frozen=True)
    class Plain(Iteration):
        def update(self, problem, data, parameters, velocity, state, key):
            return jax.tree.map(lambda w, v: w + self.step * v, parameters, velocity), state

    trials = [Trial("it", Point(3, 20, 4), seed, 4.0) for seed in range(2)]
    problem = DeepNetwork()
    ours = rows(problem, Plain(0.1, batch=batch), trials)
    theirs = rows(problem, GradientDescent(0.1, batch=batch), trials)
    for a, b in zip(ours, theirs, strict=True):
        assert dict(a.measured) == pytest.approx(dict(b.measured), rel=1e-6)


def test_the_weighted_loss_of_a_problem():
    """One step by hand in float64 NumPy, of a linear network of doubly weighted samples."""
    problem = Perceptron()
    trial = Trial("it", Point(4, 10, 1), 0, 0.1)
    (row,) = rows(problem, Sharper(0.1), [trial])
    data, _ = problem.prepare(
        keys_of(0, 4, 10, 1, 0), Sizes(4, 10, 1), problem.shape(trial.point), "float32"
    )
    x, y, weights = (np.asarray(v, float) for v in (data.x, data.y, data.weights))
    w = 0.1 * ((np.where(y > 0, 2, 1) * weights * y) @ x)  # the slope of max(0, 1 - yf)^2/2 at 0
    assert dict(row.measured)["norm"] == pytest.approx(np.linalg.norm(w), rel=1e-5)


def test_mistakes():
    with pytest.raises(ValueError, match="finite number step"):
        Langevin(-1.0)
    with pytest.raises(ValueError, match="a batch with replacement"):
        Langevin(0.1, replacement=True)
    with pytest.raises(TypeError, match="update"):
        Iteration(0.1)
    with pytest.raises(ValueError, match="samples of Bowl to make batches of"):
        rows(Bowl(), Langevin(0.1, batch=2), [Trial("it", Point(3, 4, 1), 0, 1.0)])


def test_an_event_of_a_noisy_rule_is_that_of_its_own_path():
    event = Below("norm", 0.5)
    trials = [Trial("it", Point(3, 1, 1), seed, 10.0) for seed in range(4)]
    found = rows(Bowl(RATE), Langevin(0.1, 0.01), trials, event)
    assert all(dict(row.measured)["norm"] < 0.5 for row in found if row.reason == "event")
    assert len({row.steps for row in found}) > 1


@dataclass(frozen=True)
class Alone(Iteration):
    def update(self, problem, data, parameters, velocity, state, key):
        return parameters


@dataclass(frozen=True)
class OtherShape(Iteration):
    def update(self, problem, data, parameters, velocity, state, key):
        return parameters[:1], state


@dataclass(frozen=True)
class Few(Iteration):
    def update(self, problem, data):
        return data


@dataclass(frozen=True)
class Branches(Iteration):
    def update(self, problem, data, parameters, velocity, state, key):
        if velocity[0] > 0:
            return parameters, state
        return parameters + velocity, state


@dataclass(frozen=True)
class Hidden(Iteration):
    def update(self, problem, data, parameters, velocity, state, key):
        return parameters + np.random.default_rng().normal(), state


@dataclass(frozen=True)
class Grows(Iteration):
    def update(self, problem, data, parameters, velocity, state, key):
        return parameters, (*state, velocity)


@dataclass(frozen=True)
class Shadows(Iteration):
    decay: float = 0.9

    def update(self, problem, data, parameters, velocity, state, key):
        return parameters, state


class Undeclared(Iteration):
    def __init__(self, beta):
        object.__setattr__(self, "beta", beta)

    def update(self, problem, data, parameters, velocity, state, key):
        return parameters, state


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda: Alone(), "a pair from update of Alone.*return both"),
        (lambda: OtherShape(), r"parameters of the form \(4,\) from update of OtherShape"),
        (lambda: Few(), "a step of Few that can be traced.*positional arguments.*fix its update"),
        (lambda: Branches(), "a step of Branches that does not depend on values.*jnp.where"),
        (lambda: Hidden(), "the same step of Hidden from the same key.*jax.random"),
        (lambda: Grows(), "state of the form .* from update of Grows"),
        (lambda: Shadows(), "no field decay of Shadows.*call the field otherwise"),
        (lambda: Undeclared(0.1), "a frozen dataclass at dynamics.*decorate"),
    ],
)
def test_faults_of_a_rule_are_told_as_its_own_before_anything_runs(rule, said):
    with pytest.raises(ValueError, match=said) as error:
        jf.transition(
            Perceptron(), rule(), event=Never(), measure="norm", d=4, values=[6], trials=1,
            steps=3, quiet=True,
        )  # fmt: skip
    assert "\n" not in str(error.value) and len(str(error.value)) < 600
