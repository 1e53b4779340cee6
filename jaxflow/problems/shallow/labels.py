"""Laws of the labels y_1..y_n: a vector (N,), zero beyond n."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Keys, Uniforms, between, normal, sign
from jaxflow.core.types import Point
from jaxflow.problems.problem import Sizes, below
from jaxflow.problems.shallow.activations import (
    Activation,
    Quadratic,
    check_activation,
    degree,
)
from jaxflow.problems.shallow.padding import Everywhere, Rows


@runtime_checkable
class LabelLaw(Protocol):
    """A random law of the labels, given the inputs."""

    def check(self, point: Point) -> None:
        """Raise `ValueError` where the law has no sample at this point."""
        ...

    def draw(self, sample: Uniforms, X: Rows, sizes: Sizes, keys: Keys) -> Float[Array, " N"]:
        """y, with y_i a function of x_i and of the sample's numbers only."""
        ...


def _check_magnitudes(low: float, high: float) -> None:
    if not 0 < low <= high:
        raise mistake("magnitudes 0 < low <= high", (low, high), "give the smaller one first")


@dataclass(frozen=True)
class RandomSigns(Everywhere):
    """sign(y) uniform, |y| ~ U[low, high] (arXiv 2502.16977, experiment 1)."""

    low: float = 1.0
    high: float = 2.0

    def __post_init__(self) -> None:
        _check_magnitudes(self.low, self.high)

    def draw(self, sample: Uniforms, X: Rows, sizes: Sizes, keys: Keys) -> Float[Array, " N"]:
        """y (N,)."""
        y = sign(sample.scalars[:, 1]) * between(sample.scalars[:, 2], self.low, self.high)
        return jnp.where(below(sizes.n, X.shape[0]), y, 0)


@dataclass(frozen=True)
class GroupSigns(Everywhere):
    """|y| ~ growth^j U[low, high] in group j = i mod p of sample i; the groups' signs alternate.

    With low = high, groups of m samples have D_j = growth^j low sqrt(m), as |sum y_i x_i| of
    orthonormal inputs: two groups and growth = 2 make the published sqrt(n) and 2 sqrt(n) of arXiv
    2502.16977.
    """

    low: float = 1.0
    high: float = 1.0
    growth: float = 1.0

    def __post_init__(self) -> None:
        _check_magnitudes(self.low, self.high)
        if not self.growth > 0:
            raise mistake("growth > 0", self.growth, "give the ratio from group to group")

    def draw(self, sample: Uniforms, X: Rows, sizes: Sizes, keys: Keys) -> Float[Array, " N"]:
        """y (N,)."""
        group = jnp.arange(X.shape[0]) % sizes.p
        size = between(sample.scalars[:, 2], self.low, self.high) * self.growth**group
        y = jnp.where(group % 2 == 0, size, -size)
        return jnp.where(below(sizes.n, X.shape[0]), y, 0)


@dataclass(frozen=True)
class GaussianLabels(Everywhere):
    """y ~ N(0, scale^2)."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise mistake("scale > 0", self.scale, "give the standard deviation of a label")

    def draw(self, sample: Uniforms, X: Rows, sizes: Sizes, keys: Keys) -> Float[Array, " N"]:
        """y (N,)."""
        y = self.scale * normal(sample.scalars[:, 1])
        return jnp.where(below(sizes.n, X.shape[0]), y, 0)


@dataclass(frozen=True)
class Teacher(Everywhere):
    """y = sum_{j<=rank} sigma(v_j . x), entries of v_j ~ N(0, 1/d) (arXiv 1907.06594).

    `rank` is the number of its neurons, `activation` their sigma.
    """

    rank: int = 1
    activation: Activation = Quadratic()

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise mistake("rank >= 1", self.rank, "give the number of the teacher's neurons")
        check_activation(self.activation, "problem.labels.activation")

    def weights(self, sizes: Sizes, keys: Keys, D: int) -> Float[Array, "rank D"]:
        """The v_j, zero beyond d."""
        V = normal(Uniforms(keys.nature, self.rank, D).entries)
        V = V / jnp.sqrt(jnp.asarray(sizes.d, V.dtype))
        return jnp.where(below(sizes.d, D)[None, :], V, 0)

    def draw(self, sample: Uniforms, X: Rows, sizes: Sizes, keys: Keys) -> Float[Array, " N"]:
        """y (N,)."""
        V = self.weights(sizes, keys, X.shape[1])
        y = jnp.sum(self.activation(X.images(V)), axis=1)
        return jnp.where(below(sizes.n, len(y)), y, 0) if degree(self.activation) is None else y


@dataclass(frozen=True)
class ExplicitLabels:
    """The `values` given, one a sample."""

    values: tuple[float, ...]

    def check(self, point: Point) -> None:
        """Raise `ValueError` unless n is the number of labels."""
        if point.n != len(self.values):
            expected = f"n = {len(self.values)} as in the explicit labels"
            raise mistake(expected, point.n, "make the point match")

    def draw(self, sample: Uniforms, X: Rows, sizes: Sizes, keys: Keys) -> Float[Array, " N"]:
        """y (N,)."""
        y = np.zeros(X.shape[0], np.float32)
        y[: len(self.values)] = self.values
        return jnp.asarray(y)


LAWS: dict[str, type[LabelLaw]] = {
    "random_signs": RandomSigns,
    "group_signs": GroupSigns,
    "gaussian": GaussianLabels,
    "teacher": Teacher,
    "explicit": ExplicitLabels,
}
