"""A random problem: what one trial draws, the loss it descends, and all that follows by default.

    class Quartic(Problem):
        def draw(self, keys, point):
            scale = jax.random.exponential(keys.samples)
            return scale, jax.random.normal(keys.start, (point.d,))

        def loss(self, data, parameters):
            return data * jnp.sum(parameters**4)

Everything else has a default that a problem may put its own in place of: how fast the parameters
move, how long they are, what is observed, what a trial is padded to, what an evaluation costs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.keys import Keys
from jaxflow.core.open_names import undeclared
from jaxflow.core.types import SIZES, Point
from jaxflow.core.values import ByContent
from jaxflow.problems.geometry import ByRow, Geometry


class Sizes(NamedTuple):
    """The true d, n, p of a trial; plain integers, or traced scalars where they are padded."""

    d: Any
    n: Any
    p: Any


FLOPS_PER_ENTRY = 12  # of a product, in the time that an entry of an array takes to pass by


class Shape(NamedTuple):
    """The static shape (D, N, P) of a trial's arrays: its sizes, or what they are padded to."""

    D: int
    N: int
    P: int


def below(count: Array | int, length: int) -> Bool[Array, " length"]:
    """True at the first `count` of `length` places."""
    return jnp.arange(length) < count


def samples_rung(n: int) -> int:
    """What n samples are padded to, of which a study visits many numbers.

    Powers of two from 16 to 64, then multiples of 16, and above 512 sixteen rungs an octave.
    """
    if n <= 64:
        return max(16, 1 << (n - 1).bit_length())
    step = 16
    while n > 32 * step:
        step *= 2
    return _multiple(step, n)


def product_rung(d: int) -> int:
    """What d is padded to: products over whole registers are faster, where that adds little."""
    whole = _multiple(16, d)
    return whole if 10 * whole <= 11 * d else d


def _multiple(step: int, size: int) -> int:
    return -(-size // step) * step


class State(NamedTuple):
    """A state of a trial, as its observables see it."""

    data: Any
    parameters: PyTree
    velocity: PyTree  # the field at the parameters
    first: PyTree  # the parameters at the start
    context: Any = None  # what the observables asked for when the trial was drawn


Observable = Callable[[Any, State], Float[Array, ""]]  # of a problem and a state


@dataclass(frozen=True, eq=False)
class Problem(ByContent, ABC):
    """A random problem: what one trial draws, and the loss that it descends.

    A frozen dataclass whose fields are its parameters: real numbers are traced, so that any of them
    may be an axis of a study, by dotted name; integers and texts are compiled in. Data and
    parameters are PyTrees of arrays.

    A class says `smooth = True` where the gradient of its loss is continuous, as that of tanh
    networks, of logistic and squared-hinge losses, and unlike that of ReLU networks and the hinge:
    RKC2 then takes the derivative of the field for its stability, instead of long differences.
    """

    geometry: ClassVar[Geometry] = ByRow()
    smooth: ClassVar[bool] = False  # whether the field is continuous
    nonnegative: ClassVar[bool] = False  # whether the loss is, so that its logarithm has a meaning
    optional: ClassVar[tuple[str, ...]] = SIZES  # sizes that are 1 where a study says nothing
    padded: ClassVar[tuple[str, ...]] = ()  # sizes of which `shape` may hold more than a trial has
    followed: ClassVar[tuple[str, ...]] = ("loss", "curvature", "sharpness", "distance")

    @abstractmethod
    def draw(self, keys: Keys, point: Sizes) -> tuple[Any, PyTree]:
        """The data and first parameters of one trial, in float32, at sizes d, n and p.

        `keys` has three keys of `jax.random`, for streams that do not depend on each other:
        `samples`, `start` and `nature`. Nothing else may be random.
        """

    @abstractmethod
    def loss(self, data: Any, parameters: PyTree) -> Float[Array, ""]:
        """What is descended, a scalar."""

    def check(self, point: Point) -> None:
        """Raise `ValueError` where the problem has no trial at this point."""
        for name in SIZES:
            size = getattr(point, name)
            if size < 1:
                raise mistake(f"{name} >= 1", size, f"give a positive {name}")

    # What moves, and how fast.

    def objective(self, data: Any, parameters: PyTree) -> Array:
        """The loss of a trial's data, padded as they are."""
        return self.loss(data, parameters)

    def field(self, data: Any, parameters: PyTree) -> PyTree:
        """The velocity of the gradient flow, minus the gradient of the loss, preconditioned."""
        gradient = jax.grad(self.objective, argnums=1)(data, parameters)
        return jax.tree.map(jnp.negative, self.precondition(data, gradient))

    def precondition(self, data: Any, gradient: PyTree) -> PyTree:
        """kappa times a gradient, linear in it: the flow is theta' = -kappa grad L. Here itself."""
        return gradient

    def residuals(self, data: Any, parameters: PyTree) -> Array:
        """r of a loss L = |r|^2 / 2, a vector; `ValueError` for another loss."""
        name = type(self).__name__
        remedy = "define residuals(data, parameters), or leave out what linearizes them"
        raise mistake(f"a loss of {name} that is |r|^2 / 2", "another", remedy)

    def decay(self, data: Any, velocity: PyTree) -> Float[Array, ""]:
        """-L' along the flow of that velocity, which is |velocity|^2."""
        return sum_of_squares(velocity)

    def target(self, data: Any, square: float | None) -> Float[Array, ""]:
        """The loss that certifies the event of the problem's own; `ValueError` if it has none."""
        name = type(self).__name__
        remedy = 'name an event, such as Below("loss", 1e-3)'
        raise mistake(f"an event for {name}", "the certificate, which it has none of", remedy)

    def is_comparable(self, data: Any, target: Float[Array, ""]) -> Bool[Array, ""]:
        """Whether the target is a number of this precision, neither overflown nor underflown."""
        return jnp.isfinite(target)

    def batch(
        self, data: Any, key: Array, count: Int[Array, ""], size: int, replacement: bool
    ) -> Any:
        """The data of a step's minibatch; `ValueError` for a problem that has no samples."""
        name = type(self).__name__
        raise mistake(f"samples of {name} to make batches of", "none", "define batch, or leave it")

    def well_initialized(self, data: Any, parameters: PyTree) -> Bool[Array, ""]:
        """False where the trial cannot succeed from these first parameters, as theory says."""
        return jnp.asarray(True)

    def conserved(self, data: Any, parameters: PyTree) -> PyTree:
        """What the flow conserves; nothing is known to be, by default."""
        return ()

    def drift(self, data: Any, parameters: PyTree, conserved: PyTree) -> Float[Array, ""]:
        """By what part it has changed since the start; NaN where nothing is conserved."""
        return jnp.asarray(jnp.nan, jax.tree.leaves(parameters)[0].dtype)

    # How a trial is prepared, and what it costs.

    def shape(self, point: Point) -> Shape:
        """The static shape of a point's trials: here its sizes, for nothing is padded."""
        return Shape(point.d, point.n, point.p)

    def coordinates(self, equivariant: bool = True) -> list[str]:
        """The coordinates that a trial can be followed in, the first of them always possible.

        `equivariant` says that the rule which moves the parameters is linear in gradients.
        """
        return ["ambient"]

    def prepare(
        self, keys: Keys, sizes: Sizes, shape: Shape, dtype: str, coordinates: str = "ambient"
    ) -> tuple[Any, PyTree]:
        """The data and first parameters of a trial of that shape, in that precision.

        They are drawn in float32, so that every precision starts from the same trial.
        """
        with jax.enable_x64(False):
            drawn = self.draw(keys, Sizes(*shape))
        data, parameters = cast(drawn, dtype)
        return data, parameters

    def cost(self, shape: Shape, coordinates: str = "ambient") -> float:
        """About the time of an evaluation of the field, in flops of a product.

        Here, that in which the entries of data and parameters pass by.
        """
        return float(
            FLOPS_PER_ENTRY * sum(leaf.size for leaf in jax.tree.leaves(self.sketch(shape)))
        )

    def most_entries(self, shape: Shape) -> float:
        """More entries than the arrays of a trial have together; infinite if that is not known."""
        return float("inf")

    def sketch(self, shape: Shape) -> tuple[Any, PyTree]:
        """The shapes and types of data and parameters; nothing is computed."""
        key: Any = jax.ShapeDtypeStruct((2,), np.uint32)
        one: Any = jax.ShapeDtypeStruct((), np.int32)
        prepare = partial(self.prepare, shape=shape, dtype="float32")
        return jax.eval_shape(prepare, Keys(key, key, key), Sizes(one, one, one))

    def try_out(self, point: Point, seed: int = 0) -> None:
        """Raise a one-line `ValueError` where the problem breaks its word, tried at this point."""
        from jaxflow.problems.checking import check_problem

        check_problem(self, point, seed)

    def depends_on(self, size: str) -> bool:
        """Whether the data or parameters have another form at another d, n or p."""
        small = Shape(3, 16, 5)
        large = small._replace(**{size.upper(): 2 * getattr(small, size.upper())})
        try:
            forms = [jax.tree.map(jnp.shape, self.sketch(shape)) for shape in (small, large)]
        except Exception:  # of the user's code, which is told of when the problem is tried
            return False
        return bool(forms[0] != forms[1])

    # What is seen of it.

    def observables(self) -> Mapping[str, Observable]:
        """Scalars of a state by name; see `jaxflow.problems.observables`."""
        from jaxflow.problems import observables

        return observables.ALWAYS

    def check_observables(self, names: tuple[str, ...]) -> None:
        """Raise `ValueError` where a name is no observable of this problem, or comes twice."""
        known = self.observables()
        for name in names:
            if name not in known:
                raise unknown_name("observable", name, known)
        if len(set(names)) < len(names):
            raise mistake("every observable once", names, "drop the repeated one")

    def context(
        self,
        names: tuple[str, ...],
        keys: Keys,
        sizes: Sizes,
        shape: Shape,
        data: Any,
        first: PyTree,
    ) -> Any:
        """What these observables ask of a trial as it was drawn, such as fresh samples."""
        return None

    def observe(self, names: tuple[str, ...], state: State) -> Float[Array, " observables"]:
        """The observables named, of one state, in their order."""
        known = self.observables()
        return jnp.stack([known[name](self, state) for name in names])


def cast(tree: PyTree, dtype: str) -> PyTree:
    """The tree with its floating-point leaves in that type."""
    return jax.tree.map(
        lambda leaf: leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf,
        jax.tree.map(jnp.asarray, tree),
    )


def sum_of_squares(tree: PyTree) -> Float[Array, ""]:
    """Over all entries."""
    return sum((jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(tree)), jnp.zeros(()))


def declared(kind: type) -> None:
    """Raise `ValueError` where a class has an annotation that is no field of it."""
    name = undeclared(kind)
    if name is not None:
        remedy = "decorate it with @dataclass(frozen=True, eq=False)"
        raise mistake(f"the field {name} of {kind.__name__}", "an annotation", remedy)
