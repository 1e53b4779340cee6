"""Fields of problems that have no closed form: against SciPy in float64, and optax by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from problems import keys_of
from scipy.integrate import solve_ivp
from scipy.special import expit

from jaxflow.core.types import Point, Recording, Trial
from jaxflow.engine.local import run_trial
from jaxflow.flow.descent import GradientDescent, Optax
from jaxflow.flow.events import Below
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.trial import start, step
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.examples.phase_retrieval import PhaseRetrieval
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.supervised import Samples

D, N, P = 4, 12, 3
TRIAL = Trial("it", Point(D, N, P), 0, 1.0)
NEVER = Below("loss", -1.0)


class Logistic(Perceptron):
    """Logistic regression of labels that a plane separates."""

    loss = "logistic"

    def sample(self, key, nature, point):
        x = jax.random.normal(key, (point.d,))
        return x, jnp.where(x[0] + x[1] > 0, 1.0, -1.0)


def begun(problem, dtype="float64"):
    keys = keys_of(0, D, N, P, 0)
    return problem.prepare(keys, Sizes(D, N, P), Shape(D, N, P), dtype)


def logistic(theta, x, y):
    """L and its gradient, by hand."""
    f = x @ theta["w"]
    pull = -y * expit(-y * f) / N
    return np.mean(np.logaddexp(0, -y * f)), {"w": pull @ x}


def phase_retrieval(theta, x, y):
    f = x @ theta["w"]
    return np.mean((f**2 - y) ** 2) / 4, {"w": ((f**2 - y) * f / N) @ x}


def deep(theta, x, y):
    U, b, V, c, a = (theta[name] for name in "UbVca")
    h = np.tanh(x @ U.T + b)
    g = np.tanh(h @ V.T + c)
    f = g @ a
    pull = -y * expit(-y * f) / N
    at_g = pull[:, None] * a * (1 - g**2)
    at_h = (at_g @ V) * (1 - h**2)
    gradient = {"U": at_h.T @ x, "b": at_h.sum(0), "V": at_g.T @ h, "c": at_g.sum(0), "a": pull @ g}
    return np.mean(np.logaddexp(0, -y * f)), gradient


CASES = {
    "logistic": (Logistic(), logistic),
    "phase retrieval": (PhaseRetrieval(), phase_retrieval),
    "three layers with biases": (DeepNetwork(gain=1.5), deep),
}


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("clock", "weight_decay"), [("time", 0.0), ("loss", 0.0), ("time", 0.3)])
def test_trajectories_are_those_of_scipy(name, clock, weight_decay):
    """The loss over a time in which it halves, or falls as far as weight decay lets it."""
    problem, by_hand = CASES[name]
    data, first = begun(problem)
    tree = first if isinstance(first, dict) else {"w": first}
    names, shapes = list(tree), [np.shape(tree[k]) for k in tree]
    cuts = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
    x, y = np.asarray(data.x), np.asarray(data.y)

    def unpacked(v):
        parts = zip(names, shapes, np.split(v, cuts), strict=True)
        return {k: part.reshape(shape) for k, shape, part in parts}

    def velocity(t, v):
        value, gradient = by_hand(unpacked(v), x, y)
        slope = np.concatenate([np.ravel(gradient[k]) for k in names])
        return -(slope + weight_decay * v) / (value if clock == "loss" else 1)

    origin = np.concatenate([np.ravel(tree[k]) for k in names]).astype(float)
    begin = by_hand(unpacked(origin), x, y)[0]
    halved = lambda t, v: by_hand(unpacked(v), x, y)[0] - begin / 2  # noqa: E731
    halved.terminal = True
    fine = {"rtol": 1e-11, "atol": 1e-12, "events": halved, "dense_output": True}
    exact = solve_ivp(velocity, (0, 20), origin, "DOP853", **fine)
    assert weight_decay or exact.status == 1
    flow = GradientFlow("Tsit5", rtol=1e-8, atol=1e-10, clock=clock, weight_decay=weight_decay)
    trial = Trial("it", TRIAL.point, 0, float(exact.t[-1]))
    recording = Recording(("loss",), points=6)
    row, seen = run_trial(problem, flow, trial, recording, event=NEVER, dtype="float64")
    expected = [by_hand(unpacked(exact.sol(t)), x, y)[0] for t in seen["time"]]
    np.testing.assert_allclose(seen["loss"], expected, rtol=1e-5)
    assert row.flow_time == pytest.approx(trial.horizon, rel=1e-9)


def batch_by_hand(data, key, number, size):
    """The samples of a step of a pass over all N."""
    steps = N // size
    order = jnp.argsort(jax.random.uniform(jax.random.fold_in(key, number // steps), (N,)))
    chosen = jnp.take(order, number % steps * size + jnp.arange(size))
    weights = jnp.full(size, 1 / size, jnp.float32)
    return Samples(data.x[chosen], data.y[chosen], jnp.int32(size), weights)


@pytest.mark.parametrize("case", ["adam on a cosine", "minibatches", "online", "clipped momentum"])
def test_descents_are_those_of_optax_by_hand(case):
    """To the bit, in float32."""
    batch = {"minibatches": 4, "online": 1}.get(case)
    rule = optax.sgd(0.1)
    dynamics = GradientDescent(0.1, batch=batch)
    if case == "adam on a cosine":
        rule = optax.adam(optax.cosine_decay_schedule(0.1, 20))
        schedule = Optax("cosine_decay_schedule", {"decay_steps": 20})
        dynamics = GradientDescent(0.1, "adam", schedule=schedule)
    if case == "clipped momentum":
        rule = optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(0.1, momentum=0.9))
        before = (Optax("clip_by_global_norm", {"max_norm": 0.1}),)
        dynamics = GradientDescent(0.1, options={"momentum": 0.9}, before=before)
    problem = DeepNetwork()
    data, theta = begun(problem, "float32")
    key = jax.random.fold_in(keys_of(0, D, N, P, 0).start, 1)

    def one(theta, state, number):
        samples = batch_by_hand(data, key, number, batch) if batch else data
        gradient = jax.grad(problem.objective, 1)(samples, theta)
        updates, state = rule.update(gradient, state, theta)
        return optax.apply_updates(theta, updates), state

    setting = Setting(problem, dynamics, (NEVER,), Shape(D, N, P), "float32")
    sizes = Sizes(*(jnp.int32(size) for size in (D, N, P)))
    trial = start(setting, Request(keys_of(0, D, N, P, 0), sizes, jnp.float32(100)))
    state = rule.init(theta)
    for number in range(4):
        with jax.disable_jit():  # one program and another round differently
            theta, state = one(theta, state, jnp.int32(number))
            trial = step(setting, trial)
    for name, expected in theta.items():
        np.testing.assert_array_equal(trial.theta[name], expected, err_msg=name)
    assert trial.steps == 4
