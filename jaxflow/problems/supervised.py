"""Problems made of independent samples, written one sample at a time.

    class Perceptron(Supervised):
        loss = "squared_hinge"

        def start(self, key, point):
            return jnp.zeros(point.d)

        def sample(self, key, nature, point):
            x, y = jax.random.split(key)
            x = jax.random.normal(x, (point.d,)) / point.d**0.5
            return x, jax.random.rademacher(y, (), float)

        def predict(self, parameters, x):
            return parameters @ x

From this follow padding and masks in n, label noise, fresh samples to test on, and observables.
Sample i is a function of the trial's key and of i alone: neither padding nor a larger n changes it.
What the padding holds are samples like others, of weight zero.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.keys import Keys
from jaxflow.core.types import Point
from jaxflow.core.values import is_traced
from jaxflow.problems import observables
from jaxflow.problems.losses import LOSSES, Labels, Loss, squared_error
from jaxflow.problems.problem import (
    Observable,
    Problem,
    Shape,
    Sizes,
    below,
    cast,
    samples_rung,
)


class Samples(NamedTuple):
    """Inputs and labels with a leading axis of N samples, of which the first n count."""

    x: PyTree
    y: PyTree
    n: Int[Array, ""]
    weights: Float[Array, " N"]  # 1/n for the true samples, 0 for the padding


@dataclass(frozen=True, eq=False)
class Supervised(Problem):
    """A problem of n independent samples, whose loss is a mean over them.

    A subclass says how it begins, what a sample is, what is predicted, and what a wrong prediction
    costs. `label_noise` is the probability that a label of the training samples is another one, or
    for real labels the standard deviation of what is added; `test_samples` are drawn fresh, without
    noise, where a test loss or error is asked for. Which of the two it is, and what a margin is, is
    said by `labels`: "real", "signs" (+-1) or "classes" (0, 1, ..); a loss that is named says it.
    """

    label_noise: float = field(default=0.0, kw_only=True)
    test_samples: int = field(default=1000, kw_only=True)

    labels: ClassVar[Labels] = "real"
    nonnegative: ClassVar[bool] = True
    padded: ClassVar[tuple[str, ...]] = ("n",)
    optional: ClassVar[tuple[str, ...]] = ("d", "p")
    followed: ClassVar[tuple[str, ...]] = (
        "loss",
        "train_error",
        "test_error",
        "margin",
        "distance",
    )

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        named: Any = cls.__dict__.get("loss")
        if isinstance(named, str):
            if named not in LOSSES:
                raise unknown_name(f"loss of {cls.__name__}", named, LOSSES)
            named = LOSSES[named]
            setattr(cls, "loss", named)  # noqa: B010
        if isinstance(named, Loss) and "labels" not in cls.__dict__:
            cls.labels = named.labels

    @abstractmethod
    def start(self, key: Array, point: Sizes) -> PyTree:
        """The first parameters, any PyTree of float arrays, at sizes d and p."""

    @abstractmethod
    def sample(self, key: Array, nature: Any, point: Sizes) -> tuple[PyTree, PyTree]:
        """One sample: an input x and its label y."""

    @abstractmethod
    def predict(self, parameters: PyTree, x: PyTree) -> Array:
        """The prediction for one input."""

    def loss(self, prediction: Array, y: Array) -> Float[Array, ""]:
        """What one prediction costs: half the squared error, unless a subclass says otherwise.

        A subclass defines a method of its own, or names one: `loss = "logistic"`.
        """
        return squared_error(prediction, y)

    def nature(self, key: Array, point: Sizes) -> Any:
        """What all samples of a trial share: a teacher, a covariance, random features."""
        return ()

    def corrupt(self, key: Array, y: Array) -> Array:
        """A label with the noise that training samples have; `ValueError` for classes."""
        if self.labels == "real":
            return y + self.label_noise * jax.random.normal(key, jnp.shape(y))
        if self.labels == "signs":
            return jnp.where(jax.random.uniform(key) < self.label_noise, -y, y)
        name = type(self).__name__
        raise mistake(f"label noise that {name} defines", "classes", "define corrupt(key, y)")

    def margin(self, prediction: Array, y: Array) -> Float[Array, ""]:
        """y f, or by how much the score of the class y exceeds the best other one."""
        if self.labels == "classes":
            own = prediction[y]
            return own - jnp.max(jnp.where(jnp.arange(len(prediction)) == y, -jnp.inf, prediction))
        return jnp.sum(y * prediction)

    # What follows.

    def draw(self, keys: Keys, point: Sizes) -> tuple[Samples, PyTree]:
        """Samples and first parameters, unpadded."""
        return self.prepare(keys, point, Shape(*(int(size) for size in point)), "float32")

    def shape(self, point: Point) -> Shape:
        """Samples are padded to a ladder; d and p are what they are."""
        return Shape(point.d, samples_rung(point.n), point.p)

    def prepare(
        self, keys: Keys, sizes: Sizes, shape: Shape, dtype: str, coordinates: str = "ambient"
    ) -> tuple[Samples, PyTree]:
        """Samples and first parameters of a trial, with as many samples as the shape holds."""
        with jax.enable_x64(False):
            point = Sizes(shape.D, jnp.asarray(sizes.n), shape.P)
            nature = self.nature(jnp.asarray(keys.nature), point)
            x, y = self.samples(jnp.asarray(keys.samples), nature, point, shape.N)
            if is_traced(self.label_noise) or self.label_noise != 0:
                noise = jax.random.fold_in(jnp.asarray(keys.nature), NOISE)
                y = jax.vmap(self.corrupt)(_keys(noise, shape.N), y)
            parameters = self.start(jnp.asarray(keys.start), point)
        x, y, parameters = cast((x, y, parameters), dtype)
        return _weighed(x, y, jnp.asarray(sizes.n), dtype), parameters

    def samples(self, key: Array, nature: Any, point: Sizes, count: int) -> tuple[PyTree, PyTree]:
        """So many samples of one nature, each with a key of its own; `ValueError` unless pairs."""

        def one(key: Array) -> tuple[PyTree, PyTree]:
            drawn: Any = self.sample(key, nature, point)
            if not (isinstance(drawn, tuple) and len(drawn) == 2):
                expected = f"a pair from sample of {type(self).__name__}"
                raise mistake(expected, type(drawn).__name__, "return an input x and its label y")
            return drawn

        return jax.vmap(one)(_keys(key, count))

    def objective(self, data: Samples, parameters: PyTree) -> Array:
        """The mean of the losses of the true samples."""
        return jnp.sum(data.weights * self._each(data, parameters, self.loss))

    def residuals(self, data: Samples, parameters: PyTree) -> Array:
        """sqrt(1/n) (f - y) of a squared error, zero on the padding."""
        if self.loss is not squared_error and type(self).loss is not Supervised.loss:
            return super().residuals(data, parameters)
        with jax.default_matmul_precision("highest"):
            errors = jax.vmap(lambda x, y: self.predict(parameters, x) - y)(data.x, data.y)
        return (errors.reshape(len(data.weights), -1).T * jnp.sqrt(data.weights)).T.reshape(-1)

    def batch(
        self, data: Samples, key: Array, count: Int[Array, ""], size: int, replacement: bool
    ) -> Samples:
        """The samples of step `count`: drawn anew, or the next ones of a pass in a random order."""
        N = data.weights.shape[0]
        if replacement:
            key = jax.random.fold_in(key, count)
            with jax.enable_x64(False):
                chosen = jax.random.randint(key, (size,), 0, data.n)
        else:
            steps = jnp.maximum(data.n // size, 1)  # of a pass
            with jax.enable_x64(False):
                order = jax.random.uniform(jax.random.fold_in(key, count // steps), (N,))
            order = jnp.argsort(jnp.where(below(data.n, N), order, 2))
            chosen = jnp.take(order, (count % steps) * size + jnp.arange(size), mode="clip")
        x, y = jax.tree.map(lambda leaf: leaf[chosen], (data.x, data.y))
        weights = jnp.full(size, 1 / size, data.weights.dtype)
        return Samples(x, y, jnp.asarray(size, jnp.int32), weights)

    def target(self, data: Samples, square: float | None) -> Float[Array, ""]:
        """The loss at which no sample can cost more than a prediction of zero.

        L = min_i loss(0, y_i) / n: below it every y_i f_i is positive, if the loss of a sample
        decreases with it. With a `square`, L = square / 2n.
        """
        n = data.n.astype(data.weights.dtype)
        if square is not None:
            return square / (2 * n)
        zero = lambda y: self.loss(jnp.zeros_like(y, data.weights.dtype), y)  # noqa: E731
        each = jax.vmap(zero)(data.y)
        return jnp.min(jnp.where(data.weights > 0, each, jnp.inf)) / n

    def cost(self, shape: Shape, coordinates: str = "ambient") -> float:
        """As if each parameter were an entry of a matrix that all samples go through, and back."""
        _, parameters = self.sketch(shape)
        count = sum(leaf.size for leaf in jax.tree.leaves(parameters))
        return 4.0 * shape.N * count + super().cost(shape)

    def observables(self) -> Mapping[str, Observable]:
        """Those of every problem, and of samples to train and to test on."""
        return OBSERVABLES

    def context(
        self,
        names: tuple[str, ...],
        keys: Keys,
        sizes: Sizes,
        shape: Shape,
        data: Samples,
        first: PyTree,
    ) -> Samples | None:
        """Fresh samples, where they are asked for."""
        if not any(name.startswith("test_") for name in names):
            return None
        dtype = data.weights.dtype.name
        with jax.enable_x64(False):
            point = Sizes(shape.D, jnp.asarray(sizes.n), shape.P)
            nature = self.nature(jnp.asarray(keys.nature), point)
            key = jax.random.fold_in(jnp.asarray(keys.nature), TEST)
            x, y, count = self.fresh(key, nature, point, data)
        x, y = cast((x, y), dtype)
        return _weighed(x, y, jnp.asarray(count, jnp.int32), dtype)

    def fresh(
        self, key: Array, nature: Any, point: Sizes, data: Samples
    ) -> tuple[PyTree, PyTree, Any]:
        """The samples to test on, and how many of them count."""
        return *self.samples(key, nature, point, self.test_samples), self.test_samples

    def error(self, data: Samples, parameters: PyTree) -> Float[Array, ""]:
        """The part of the samples whose margin is not positive."""
        wrong = self._each(data, parameters, self.margin) <= 0
        return jnp.sum(jnp.where(wrong, data.weights, 0))

    def smallest_margin(self, data: Samples, parameters: PyTree) -> Float[Array, ""]:
        """min_i of the margins of the true samples."""
        margins = self._each(data, parameters, self.margin)
        return jnp.min(jnp.where(data.weights > 0, margins, jnp.inf))

    def _each(self, data: Samples, parameters: PyTree, of: Callable[[Array, Array], Any]) -> Array:
        """A number of every sample, from its prediction and label."""

        def one(x: PyTree, y: PyTree) -> Array:
            found = of(self.predict(parameters, x), y)
            if jnp.shape(found) != ():
                expected = f"one number from {type(self).__name__} for each sample"
                remedy = "let predict give a number, or loss sum over the entries of a prediction"
                raise mistake(expected, f"an array {jnp.shape(found)}", remedy)
            return found

        with jax.default_matmul_precision("highest"):
            return jax.vmap(one)(data.x, data.y)


TEST, NOISE = 1, 2  # streams beside the nature's own


def _weighed(x: PyTree, y: PyTree, n: Array, dtype: str) -> Samples:
    N = jax.tree.leaves(y)[0].shape[0]
    return Samples(x, y, n, jnp.where(below(n, N), 1 / n.astype(dtype), 0))


def _keys(key: Array, count: int) -> Array:
    return jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(count))


OBSERVABLES: Mapping[str, Observable] = MappingProxyType(
    {
        **observables.ALWAYS,
        "train_error": lambda problem, state: problem.error(state.data, state.parameters),
        "margin": lambda problem, state: problem.smallest_margin(state.data, state.parameters),
        "test_loss": lambda problem, state: problem.objective(state.context, state.parameters),
        "test_error": lambda problem, state: problem.error(state.context, state.parameters),
    }
)
