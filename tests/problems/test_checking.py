"""Twenty mistakes in a class of a user's, each told as theirs in one line."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxflow.core.types import Point
from jaxflow.problems.checking import check_problem, faults
from jaxflow.problems.examples.committee import Committee
from jaxflow.problems.examples.deep_linear import DeepLinear
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.examples.jamming import Jamming
from jaxflow.problems.examples.least_squares import LeastSquares
from jaxflow.problems.examples.logistic_regression import LogisticRegression
from jaxflow.problems.examples.matrix_sensing import MatrixSensing
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.examples.phase_retrieval import PhaseRetrieval
from jaxflow.problems.examples.quadratic_network import QuadraticNetwork
from jaxflow.problems.examples.random_features import RandomFeatures
from jaxflow.problems.examples.spherical_perceptron import SphericalPerceptron
from jaxflow.problems.problem import Problem

POINT = Point(4, 30, 3)
NO_QUOTES = str.maketrans("", "", "'\"")


class Quartic(Problem):
    """A sound problem that pads nothing."""

    def draw(self, keys, point):
        scale = jax.random.exponential(keys.samples)
        return scale, jax.random.normal(keys.start, (point.d,))

    def loss(self, data, parameters):
        return data * jnp.sum(parameters**4)


class NoDataclass(Perceptron):
    width: float = 1.0


class Unhashable(Perceptron):
    __hash__ = None


@dataclass(frozen=True, eq=False)
class ShapeByValue(Perceptron):
    def sample(self, key, nature, point):
        count = int(jax.random.poisson(key, 3.0))
        return jnp.zeros(count), 1.0


class ShapeBySamples(Perceptron):
    def start(self, key, point):
        return jnp.zeros(point.n)


class Misspelt(Perceptron):
    def sample(self, key, nature, point):
        return jax.random.normal(key, (point.dimension,)), 1.0


class OneThing(Perceptron):
    def sample(self, key, nature, point):
        return jax.random.normal(key, (point.d,))


class NoParameters(Quartic):
    def draw(self, keys, point):
        return jax.random.exponential(keys.samples), ()


class WholeParameters(Quartic):
    def draw(self, keys, point):
        return 1.0, jax.random.randint(keys.start, (point.d,), 0, 9)


class VectorLoss(Quartic):
    def loss(self, data, parameters):
        return data * parameters**4


class LossOfOneEntry(Perceptron):
    def predict(self, parameters, x):
        return parameters * x  # of the shape (d,), not a number


class WrongShapes(Perceptron):
    def predict(self, parameters, x):
        return parameters[:2] @ x


class GlobalRandom(Quartic):
    def draw(self, keys, point):
        return 1.0, jnp.asarray(np.random.default_rng().normal(size=point.d), jnp.float32)


class NoRandom(Quartic):
    def draw(self, keys, point):
        return 1.0, jnp.ones(point.d)


class StartByPadding(Perceptron):
    def prepare(self, keys, sizes, shape, dtype, coordinates="ambient"):
        data, parameters = super().prepare(keys, sizes, shape, dtype, coordinates)
        return data, parameters + shape.N


class MeanOverPadding(Perceptron):
    def objective(self, data, parameters):
        each = jax.vmap(lambda x, y: self.loss(self.predict(parameters, x), y))
        return jnp.mean(each(data.x, data.y) * data.x[:, 0] ** 2)


class NotFinite(Quartic):
    def loss(self, data, parameters):
        return jnp.sum(jnp.log(-jnp.abs(parameters)))


class AtASaddle(Quartic):
    def draw(self, keys, point):
        return jax.random.exponential(keys.samples), jnp.zeros(point.d)


class WrongField(Quartic):
    def field(self, data, parameters):
        return -3 * data * parameters**3


class FieldOfOtherShape(Quartic):
    def field(self, data, parameters):
        return -4 * data * parameters[:-1] ** 3


class Single(Quartic):
    def loss(self, data, parameters):
        return jnp.sum(parameters.astype(jnp.float32) ** 4)


class OneLabelForAll(Perceptron):
    def nature(self, key):
        return ()


class NotANumber(Perceptron):
    def predict(self, parameters, x):
        return jnp.dot(parameters, x) * jnp.nan


@dataclass(frozen=True, eq=False)
class NoisySigns(Perceptron):
    labels = "real"
    label_noise: float = 0.1


class Ascends(Quartic):
    def field(self, data, parameters):
        return 4 * data * parameters**3


MISTAKES = [
    (NoDataclass, "the field width of NoDataclass, got an annotation: decorate it"),
    (Unhashable, "fields that can be hashed of Unhashable"),
    (ShapeByValue, "a sample whose shapes are known before it runs of ShapeByValue"),
    (ShapeBySamples, "a start whose shapes are known before it runs of ShapeBySamples"),
    (Misspelt, "a sample that runs of Misspelt, got AttributeError: "),
    (OneThing, "a pair from sample of OneThing, got "),
    (NoParameters, "first parameters of NoParameters, got none: return an array"),
    (WholeParameters, "first parameters of real numbers of WholeParameters, got int32"),
    (VectorLoss, "a loss that is one real number of VectorLoss, got float32 (4,): sum or average"),
    (
        LossOfOneEntry,
        "one number from LossOfOneEntry for each sample, got an array (4,): let predict",
    ),
    (OneLabelForAll, "a trial that runs of OneLabelForAll, got TypeError: "),
    (NotANumber, "a finite first loss of NotANumber, got nan: scale the data"),
    (NoisySigns, "label noise that turns the labels +-1 of NoisySigns, got real labels: write"),
    (WrongShapes, "a predict that runs of WrongShapes, got TypeError: "),
    (GlobalRandom, "the same trial from the same keys of GlobalRandom, got another one: draw with"),
    (NoRandom, "another trial from other keys of NoRandom, got the same: draw something"),
    (StartByPadding, "first parameters that are the same at any padding of StartByPadding"),
    (MeanOverPadding, "a loss that is the same at any padding of MeanOverPadding, got "),
    (NotFinite, "a finite first loss of NotFinite, got nan: scale the data"),
    (AtASaddle, "first parameters that move of AtASaddle, got a gradient of zero: begin elsewhere"),
    (WrongField, "a loss that falls at the rate |field|^2 of WrongField, got "),
    (FieldOfOtherShape, "a field like the parameters of FieldOfOtherShape, got "),
    (Single, "a loss in float64 in a float64 study of Single, got float32: keep the type"),
    (Ascends, "a loss that falls at the rate |field|^2 of Ascends"),
]


@pytest.mark.parametrize(("kind", "said"), MISTAKES, ids=lambda x: getattr(x, "__name__", ""))
def test_a_mistake_is_told_in_a_line(kind, said):
    with pytest.raises(ValueError, match="expected ") as error:
        check_problem(kind(), POINT)
    assert said in str(error.value).translate(NO_QUOTES)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


@dataclass(frozen=True, eq=False)
class Branches(Perceptron):
    gamma: float = 1.0

    def predict(self, parameters, x):
        return jnp.dot(parameters, x) * (2.0 if self.gamma > 1 else 1.0)


def test_a_branch_on_an_axis_is_told():
    check_problem(Branches())
    point = Point(4, 30, 3, (("problem.gamma", 2.0),))
    with pytest.raises(ValueError, match="a predict without branches on numbers of Branches"):
        check_problem(Branches(), point)


@dataclass(frozen=True, eq=False)
class Declared(Perceptron):
    """Annotations that are no fields, and fields that are."""

    constant: ClassVar[int] = 3
    width: float = 1.0


@pytest.mark.parametrize(
    "problem",
    [Quartic(), Declared(), Perceptron(label_noise=0.1), PhaseRetrieval(), DeepNetwork(gain=2.0)]
    + [RandomFeatures(name) for name in ("tanh", "linear")]
    + [LeastSquares(), LogisticRegression(), SphericalPerceptron(0.5), QuadraticNetwork()]
    + [Committee(name) for name in ("erf", "relu")]
    + [MatrixSensing(2, 0.5), Jamming(), DeepLinear(3, 1.0, 0.1)],
    ids=lambda problem: type(problem).__name__,
)
def test_sound_problems_have_no_fault(problem):
    assert list(faults(problem, POINT)) == []
