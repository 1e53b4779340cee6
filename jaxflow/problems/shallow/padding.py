"""Drawn inputs, as the laws of labels and first weights see them: dense rows or a scaled basis."""

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.types import Point
from jaxflow.problems.problem import Sizes, below
from jaxflow.problems.shallow.coordinates import product


class Everywhere:
    """A law that has a sample at every point."""

    def check(self, point: Point) -> None:
        """Refuses no point."""


def row_norms(X: Float[Array, "N D"]) -> Float[Array, " N"]:
    """|x_i|, summed coordinate by coordinate so that trailing zeros change no bit of it."""
    add = lambda total, column: (total + column * column, None)  # noqa: E731
    return jnp.sqrt(jax.lax.scan(add, jnp.zeros(len(X), X.dtype), X.T)[0])


class Dense(NamedTuple):
    """The rows of X (N, D)."""

    X: Float[Array, "N D"]

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return self.X.shape[0], self.X.shape[1]

    def images(self, V: Float[Array, "m D"]) -> Float[Array, "N m"]:
        """X V^T."""
        return product(self.X, V.T)

    def directions(self, member: Float[Array, "m N"]) -> Float[Array, "m D"]:
        """Sums of x_i/|x_i| over the members of each row."""
        length = row_norms(self.X)
        return product(member, self.X / jnp.where(length > 0, length, 1)[:, None])

    def dense(self) -> Float[Array, "N D"]:
        """X."""
        return self.X


class Basis(NamedTuple):
    """x_i = radii_i e_i in R^D, kept as N numbers."""

    radii: Float[Array, " N"]
    D: int

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return len(self.radii), self.D

    def images(self, V: Float[Array, "m D"]) -> Float[Array, "N m"]:
        """X V^T."""
        return self.radii[:, None] * self._fitted(V, len(self.radii)).T

    def directions(self, member: Float[Array, "m N"]) -> Float[Array, "m D"]:
        """Sums of x_i/|x_i| over the members of each row."""
        return self._fitted(member * (self.radii > 0), self.D)

    def dense(self) -> Float[Array, "N D"]:
        """X."""
        return jnp.eye(*self.shape, dtype=self.radii.dtype) * self.radii[:, None]

    def _fitted(self, rows: Float[Array, "m k"], length: int) -> Float[Array, "m l"]:
        """Rows cut or padded with zeros to `length`."""
        missing = max(0, length - rows.shape[1])
        return jnp.pad(rows[:, :length], ((0, 0), (0, missing)))


Rows: TypeAlias = Dense | Basis


def with_one(rows: Rows, sizes: Sizes) -> Dense:
    """The rows (N, D + 1) of inputs with a coordinate d + 1 that is 1 in every true sample."""
    N, D = rows.shape
    is_bias = (jnp.arange(D + 1) == sizes.d) & below(sizes.n, N)[:, None]
    return Dense(jnp.where(is_bias, 1, jnp.pad(rows.dense(), ((0, 0), (0, 1)))))
