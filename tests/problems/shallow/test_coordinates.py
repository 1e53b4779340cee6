"""Three state spaces of one flow: the same field, norms, steps and weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import keys_of

from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.trial import start, step
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.activations import LeakyReLU, Quadratic, Softplus, Tanh
from jaxflow.problems.shallow.coordinates import Ambient, Inputs
from jaxflow.problems.shallow.initialization import Group
from jaxflow.problems.shallow.inputs import Gaussian, Orthogonal
from jaxflow.problems.shallow.labels import GroupSigns, Teacher
from jaxflow.problems.shallow.network import Network, balance, decay, distances, field, loss
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw, well_initialized

ORTHOGONAL = ShallowNetwork(Orthogonal())
CASES = [
    (ShallowNetwork(), "span"),
    (ShallowNetwork(Gaussian(), Teacher(2), Network(Quadratic(), "1", "first")), "span"),
    (ShallowNetwork(network=Network(LeakyReLU(0.1))), "span"),
    (ShallowNetwork(network=Network(Softplus())), "span"),
    (ShallowNetwork(network=Network(biases="drawn")), "span"),
    (ShallowNetwork(Orthogonal(), network=Network(Tanh(), biases="zero")), "span"),
    (ORTHOGONAL, "span"),
    (ORTHOGONAL, "orthogonal"),
    (ShallowNetwork(Orthogonal(), Teacher(2)), "orthogonal"),
    (ShallowNetwork(Orthogonal(), network=Network(Softplus())), "orthogonal"),
    (ShallowNetwork(Orthogonal(1.0, 1.0), GroupSigns(), initialization=Group()), "orthogonal"),
]
SIZES = Sizes(20, 12, 6)


def both(problem, coordinates, dtype="float32", shape=Shape(20, 16, 8)):
    """One trial in ambient coordinates, and in others."""
    keys = keys_of(0, *SIZES, 0)
    return [draw(problem, keys, SIZES, shape, dtype, c) for c in ("ambient", coordinates)]


@pytest.mark.parametrize(("problem", "coordinates"), CASES)
def test_the_field_is_the_same(x64, problem, coordinates):
    """Loss, velocity and norms in float64, a step along the velocity included."""
    network = problem.network
    (data, theta), (other, state) = both(problem, coordinates, "float64")
    assert isinstance(other.inputs, Inputs)
    first, start_of_state = theta, state
    for _ in range(3):
        np.testing.assert_allclose(loss(network, other, state), loss(network, data, theta))
        velocity, moving = field(network, data, theta), field(network, other, state)
        np.testing.assert_allclose(moving.a, velocity.a, atol=1e-13)
        np.testing.assert_allclose(
            other.inputs.squares(moving.W), data.inputs.squares(velocity.W), atol=1e-13
        )
        np.testing.assert_allclose(decay(network, other, moving), decay(network, data, velocity))
        theta = jax.tree.map(lambda y, v: y + 0.3 * v, theta, velocity)
        state = jax.tree.map(lambda y, v: y + 0.3 * v, state, moving)
    W = other.inputs.recover(state.W, data.X, first.W)
    np.testing.assert_allclose(W, theta.W, atol=1e-12)
    np.testing.assert_allclose(other.inputs.sizes(state.W), np.sum(np.square(theta.W), axis=1))
    np.testing.assert_allclose(
        distances(other, state, start_of_state),
        np.linalg.norm(theta.W - first.W, axis=1),
        atol=1e-9,
    )
    np.testing.assert_allclose(
        balance(network, other, state), balance(network, data, theta), atol=1e-12
    )
    assert bool(well_initialized(other, start_of_state)) == bool(well_initialized(data, first))


def trajectory(problem, coordinates, dynamics, steps, advance_by="step", dtype="float32"):
    """States after every advance of one trial."""
    setting = Setting(
        problem, dynamics, (Certificate(1e-4),), Shape(20, 16, 8), dtype, coordinates, advance_by
    )
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in SIZES))
    request = Request(keys_of(0, *SIZES, 0), sizes, jnp.asarray(1e3, dtype))
    state = jax.jit(lambda request: start(setting, request))(request)
    advance, states = jax.jit(lambda state: step(setting, state)), []
    for _ in range(steps):
        state = advance(state)
        states.append(state)
    return states


@pytest.mark.parametrize(
    "dynamics", [GradientFlow(), GradientFlow("Tsit5", 0.01, 0.001), GradientDescent(0.5)]
)
@pytest.mark.parametrize("coordinates", ["span", "orthogonal"])
def test_the_same_trial_takes_the_same_steps(dynamics, coordinates):
    """The steps, their lengths and the loss after each, to rounding in float32."""
    table = [
        [(float(s.time), float(s.loss), int(s.steps), int(s.evaluations)) for s in states]
        for states in (
            trajectory(ORTHOGONAL, name, dynamics, 12) for name in ("ambient", coordinates)
        )
    ]
    np.testing.assert_allclose(table[1], table[0], rtol=2e-4)


@pytest.mark.parametrize("solver", ["RKC1", "RKC2"])
def test_evaluation_by_evaluation_the_steps_are_the_same(x64, solver):
    """The end of every step, whichever advance_by it was made with."""
    flow = GradientFlow(solver, 0.1, 0.01)
    whole = trajectory(ShallowNetwork(), "ambient", flow, 25, dtype="float64")
    parts = trajectory(ShallowNetwork(), "ambient", flow, 220, "evaluation", "float64")
    ended, expected = ({int(s.steps): s for s in states[::-1]} for states in (parts, whole))
    for steps in sorted(set(ended) & set(expected) - {0}):
        state, other = expected[steps], ended[steps]  # the first with so many steps
        assert int(other.evaluations) == int(state.evaluations)
        assert int(other.rejections) == int(state.rejections)
        np.testing.assert_allclose(other.time, state.time, rtol=1e-9)
        np.testing.assert_allclose(other.loss, state.loss, rtol=1e-7)
    assert len(set(ended) & set(expected)) > 10
    assert {int(s.advances) for s in parts} == set(range(1, 221))


def test_ambient_inputs_alone_have_rows():
    (data, _), (other, _) = both(ORTHOGONAL, "orthogonal")
    assert isinstance(data.inputs, Ambient)
    np.testing.assert_allclose(data.X @ data.X.T, np.diag(np.diag(data.X @ data.X.T)), atol=0)
    with pytest.raises(ValueError, match="ambient coordinates"):
        _ = other.X


def test_orthogonal_coordinates_ask_for_orthogonal_inputs_without_biases():
    biased = ShallowNetwork(Orthogonal(), network=Network(biases="zero"))
    for problem in (ShallowNetwork(), biased):
        with pytest.raises(ValueError, match="orthogonal inputs"):
            both(problem, "orthogonal")
        assert problem.coordinates() == ["ambient", "span"]
    assert ORTHOGONAL.coordinates() == ["ambient", "span", "orthogonal"]
    assert ORTHOGONAL.coordinates(equivariant=False) == ["ambient"]
