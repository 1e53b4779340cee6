"""A law that breaks its contract is told in one line, with the entry that shows it; others pass."""

import os
from copy import copy
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxflow.core.types import Point
from jaxflow.problems.shallow.activations import Monomial, Softplus
from jaxflow.problems.shallow.initialization import ExplicitWeights, GaussianWeights, Group
from jaxflow.problems.shallow.inputs import ExplicitInputs, Gaussian, Orthogonal, Sphere
from jaxflow.problems.shallow.labels import (
    ExplicitLabels,
    GaussianLabels,
    GroupSigns,
    RandomSigns,
    Teacher,
)
from jaxflow.problems.shallow.laws import Dense, Everywhere, Parameters, below, normal, padded
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.problems.shallow.trying import try_laws
from jaxflow.study.protocol import SCHEMA

POINT = Point(7, 300, 40)


@dataclass(frozen=True)
class Whitened(Everywhere):
    """Normal inputs of a covariance that is given as an array."""

    root: np.ndarray = field(default_factory=lambda: np.eye(7, dtype=np.float32))

    def draw(self, sample, sizes):
        G = jnp.where(below(sizes.d, sample.d), normal(sample.entries), 0)
        size = max(0, sample.d - len(self.root))
        root = jnp.pad(jnp.asarray(self.root), ((0, size), (0, size)))
        X = jnp.matmul(G, root, precision="highest")
        return Dense(jnp.where(below(sizes.n, sample.rows)[:, None], X, 0))


@pytest.mark.parametrize(
    ("problem", "point"),
    [
        (ShallowNetwork(network=Network(biases="drawn")), POINT),
        (ShallowNetwork(Gaussian(), Teacher(2, Softplus()), Network(Softplus())), POINT),
        (
            ShallowNetwork(Orthogonal(), GroupSigns(), Network(Monomial()), Group()),
            Point(500, 300, 40),
        ),
        (
            ShallowNetwork(
                ExplicitInputs(((1.0, 0.0), (0.0, 1.0))),
                ExplicitLabels((1.0, -1.0)),
                initialization=ExplicitWeights(((0.1, 2.0),), (0.1,)),
            ),
            Point(2, 2, 1),
        ),
        (ShallowNetwork(Whitened(), initialization=GaussianWeights()), POINT),
    ],
    ids=range(5),
)
def test_laws_that_keep_their_word_pass(problem, point):
    try_laws(problem, point)


def test_laws_pass_in_64_bit_jax_too():
    labels = GroupSigns(growth=2.0)
    with jax.enable_x64(True):
        try_laws(ShallowNetwork(Orthogonal(), labels, initialization=Group()), Point(500, 300, 40))


@dataclass(frozen=True)
class Unmasked(Everywhere):
    def draw(self, sample, sizes):
        return Dense(normal(sample.entries))


@dataclass(frozen=True)
class UnmaskedLabels(Everywhere):
    def draw(self, sample, X, sizes, keys):
        return normal(sample.scalars[:, 1])


@dataclass(frozen=True)
class UnmaskedNeurons(Everywhere):
    def draw(self, neuron, X, y, sizes):
        theta = padded(normal(neuron.entries), normal(neuron.scalars[:, 0]), sizes)
        return theta._replace(a=jnp.ones(neuron.rows))


@dataclass(frozen=True)
class OverShape(Everywhere):
    """Another sample at every padding."""

    def draw(self, sample, sizes):
        X = jax.random.normal(jax.random.wrap_key_data(sample.key), (sample.rows, sample.d))
        inside = below(sizes.n, sample.rows)[:, None] & below(sizes.d, sample.d)
        return Dense(jnp.where(inside, X, 0))


@dataclass(frozen=True)
class Centred(Everywhere):
    """A mean over the padding too."""

    def draw(self, sample, X, sizes, keys):
        y = normal(sample.scalars[:, 1])
        return jnp.where(below(sizes.n, len(y)), y - jnp.mean(y), 0)


@dataclass(frozen=True)
class NotANumber(Everywhere):
    def draw(self, sample, X, sizes, keys):
        y = jnp.log(sample.scalars[:, 1] - 0.5)
        return jnp.where(below(sizes.n, len(y)), y, 0)


@dataclass(frozen=True)
class FromOutside(Everywhere):
    """Numbers of the machine, of which a trial knows nothing."""

    def draw(self, sample, X, sizes, keys):
        def bits(_):
            return np.frombuffer(os.urandom(4 * len(first)), np.uint32).astype(np.float32)

        first = sample.scalars[:, 1]
        shape = jax.ShapeDtypeStruct(first.shape, jnp.float32)
        y = jax.pure_callback(bits, shape, first, vmap_method="sequential")
        return jnp.where(below(sizes.n, len(y)), y, 0)


@dataclass(frozen=True)
class Raw(Everywhere):
    def draw(self, sample, sizes):
        return normal(sample.entries)


@dataclass(frozen=True)
class Short(Everywhere):
    def draw(self, sample, sizes):
        return Dense(normal(sample.entries)[1:])


@dataclass(frozen=True)
class Whole(Everywhere):
    def draw(self, sample, X, sizes, keys):
        return jnp.arange(sample.rows)


@dataclass(frozen=True)
class Pair(Everywhere):
    def draw(self, neuron, X, y, sizes):
        return normal(neuron.entries), normal(neuron.scalars[:, 0])


@dataclass(frozen=True)
class Transposed(Everywhere):
    def draw(self, neuron, X, y, sizes):
        return Parameters(normal(neuron.entries).T, normal(neuron.scalars[:, 0]))


@dataclass(frozen=True)
class Raising(Everywhere):
    def draw(self, sample, sizes):
        return Dense(normal(sample.entries) @ jnp.ones((3, 3)))


@dataclass(frozen=True)
class Branching(Everywhere):
    def draw(self, sample, X, sizes, keys):
        return jnp.ones(sample.rows) if sizes.n > 3 else jnp.zeros(sample.rows)


@dataclass(frozen=True)
class RaisingCheck:
    def check(self, point):
        return {}[point.n]

    def draw(self, sample, sizes):
        return Dense(sample.entries)


@dataclass(frozen=True)
class OfASet(Unmasked):
    names: set = field(default_factory=set)


@dataclass(frozen=True)
class Softmax:
    def __call__(self, z):
        return jax.nn.softmax(z, axis=-1)


LAWS = {
    "inputs": [
        (Unmasked(), r"zeros from Unmasked at problem.inputs beyond 12 and 7 of \(17, 10\)"),
        (OverShape(), r"same from OverShape at problem.inputs at any padding, got 'X\[\d, 0\] ="),
        (Raw(), r"Dense\(float32 \(12, 7\)\) from Raw at problem.inputs, got 'float32 \(12, 7"),
        (Short(), r"Dense\(float32 \(12, 7\)\) from Short .* got 'Dense\(float32 \(11, 7\)\)'"),
        (Raising(), "Raising at problem.inputs, its draw to give a sample, got 'TypeError"),
        (RaisingCheck(), "RaisingCheck at problem.inputs, its check .* got 'KeyError: 300'"),
        (OfASet(), "OfASet at problem.inputs, its check .* unhashable type"),
    ],
    "labels": [
        (UnmaskedLabels(), r"zeros from UnmaskedLabels at problem.labels beyond 12 of \(17,\)"),
        (Centred(), r"same from Centred at problem.labels at any padding, got 'y\[0\] ="),
        (NotANumber(), r"finite numbers from NotANumber at problem.labels, got 'y\[\d+\] = nan"),
        (FromOutside(), "one trial from FromOutside at problem.labels, drawn twice"),
        (Whole(), r"float32 \(12\) from Whole at problem.labels, got 'int32 \(12\)'"),
        (Branching(), "Branching at problem.labels, its draw .* got 'TracerBoolConversionError"),
    ],
    "initialization": [
        (UnmaskedNeurons(), r"zeros from UnmaskedNeurons at problem.initialization beyond 6 of"),
        (Pair(), r"Parameters\(float32 \(6, 7\), float32 \(6\)\) from Pair .* got 'tuple'"),
        (Transposed(), r"from Transposed .* got 'Parameters\(float32 \(7, 6\), float32 \(6\)\)'"),
    ],
    "network": [(Network(Softmax()), "elementwise Softmax at problem.network.activation")],
}


@pytest.mark.parametrize(
    ("name", "law", "words"), [(name, *case) for name, cases in LAWS.items() for case in cases]
)
def test_laws_that_break_it_are_told_in_one_line(name, law, words):
    problem = ShallowNetwork(**{name: law})
    with pytest.raises(ValueError, match=words) as caught:
        try_laws(problem, POINT)
    assert "\n" not in str(caught.value)
    assert not getattr(caught.value, "__notes__", [])
    assert len(str(caught.value)) < 500


class Loose(Everywhere):
    def draw(self, sample, sizes):
        return Dense(sample.entries)


@dataclass
class Thawed(Loose):
    scale: float = 1.0


@dataclass(frozen=True)
class Unchecked:
    def draw(self, sample, sizes):
        return Dense(sample.entries)


@dataclass(frozen=True)
class Undrawn(Everywhere):
    pass


@pytest.mark.parametrize(
    ("laws", "words"),
    [
        ({"inputs": Sphere}, "an input law at problem.inputs, got the class Sphere: make one"),
        ({"labels": RandomSigns}, "label law at problem.labels, got the class RandomSigns"),
        ({"inputs": Loose()}, "a frozen dataclass at problem.inputs, got <"),
        ({"inputs": Thawed()}, "a frozen dataclass at problem.inputs, got Thawed"),
        ({"inputs": "gausian"}, "problem.inputs.law in .*: did you mean 'gaussian'"),
        ({"inputs": Unchecked()}, r"got Unchecked\(\): define check as InputLaw does"),
        ({"initialization": Undrawn()}, "an initialization at .*: define draw as Initialization"),
        ({"network": Softplus()}, "a Network at problem.network"),
    ],
)
def test_what_is_no_law_is_refused_by_the_problem(laws, words):
    """As where annotations are not checked at run time; here they are, before `__post_init__`."""
    problem = copy(ShallowNetwork())
    for name, law in laws.items():
        object.__setattr__(problem, name, law)
    with pytest.raises(ValueError, match=words) as caught:
        problem.__post_init__()
    assert "\n" not in str(caught.value)


def test_a_name_stands_for_a_law_of_ours():
    problem = copy(ShallowNetwork())
    object.__setattr__(problem, "inputs", "gaussian")
    object.__setattr__(problem, "labels", {"law": "gaussian", "scale": 2})
    problem.__post_init__()
    assert problem == ShallowNetwork(inputs=Gaussian(), labels=GaussianLabels(2.0))


def test_laws_that_have_not_been_imported_are_no_mistake():
    """A store is opened and reported without the modules of its laws."""
    law = {"law": "mylaws:Clusters", "mean": 3.0}
    network = {"activation": {"name": "mylaws:Swish"}}
    laws = {"inputs": law, "labels": law, "network": network, "initialization": law}
    problem = SCHEMA.read(ShallowNetwork, laws, "problem")
    assert SCHEMA.unloaded(problem) == [*["mylaws:Clusters"] * 2, "mylaws:Swish", law["law"]]
    assert problem.coordinates() == ["ambient", "span"]


def test_a_point_that_a_law_refuses_is_refused_as_ever():
    with pytest.raises(ValueError, match="n <= d for orthogonal inputs"):
        try_laws(ShallowNetwork(Orthogonal()), POINT)


def test_laws_of_arrays_are_equal_by_content():
    """As a static argument, and so that two of other numbers are two."""
    one, same = (ShallowNetwork(Whitened(np.eye(7, dtype=np.float32))) for _ in range(2))
    other = ShallowNetwork(Whitened(2 * np.eye(7, dtype=np.float32)))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert ShallowNetwork(Whitened(jnp.eye(7))) == one
    traces = []

    def size(problem):
        traces.append(problem)
        return jnp.sum(jnp.asarray(problem.inputs.root))

    jitted = jax.jit(size, static_argnums=0)
    assert [float(jitted(problem)) for problem in (one, same, other)] == [7, 7, 14]
    assert len(traces) == 2
