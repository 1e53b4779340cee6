"""Sizes of a trial, the true ones and the static shape they are padded to, for all laws."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxflow.core.types import Point


class Sizes(NamedTuple):
    """The true d, n, p of a trial; plain integers or traced scalars."""

    d: Int[Array, ""] | int
    n: Int[Array, ""] | int
    p: Int[Array, ""] | int


class Shape(NamedTuple):
    """The static shape (D, N, P) that a trial is padded to with zeros."""

    D: int
    N: int
    P: int


class Everywhere:
    """A law that has a sample at every point."""

    def check(self, point: Point) -> None:
        """Refuses no point."""


def below(count: Int[Array, ""] | int, length: int) -> Bool[Array, " length"]:
    """True at the first `count` of `length` places."""
    return jnp.arange(length) < count


def row_norms(X: Float[Array, "N D"]) -> Float[Array, " N"]:
    """|x_i|, summed coordinate by coordinate so that trailing zeros change no bit of it."""
    add = lambda total, column: (total + column * column, None)  # noqa: E731
    return jnp.sqrt(jax.lax.scan(add, jnp.zeros(len(X), X.dtype), X.T)[0])
