"""Vector-space operations on arrays and PyTrees of them."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree


def combine(*terms: tuple[Any, PyTree]) -> PyTree:
    """sum_k c_k x_k over pairs (c_k, x_k) of a scalar and a tree."""
    coefficients = [c for c, _ in terms]
    add = lambda *leaves: sum(map(_scaled, coefficients, leaves))  # noqa: E731
    return jax.tree.map(add, *(x for _, x in terms))


def _scaled(c: Any, x: Array) -> Array:
    """c x, in the precision of x where that is inexact."""
    fits = isinstance(c, jax.Array) and jnp.issubdtype(jnp.result_type(x), jnp.inexact)
    return (jnp.asarray(c, x.dtype) if fits else c) * x


def norm(x: PyTree) -> Float[Array, ""]:
    """Euclidean norm over all entries."""
    squares = [jnp.sum(_square(leaf)) for leaf in jax.tree.leaves(x)] or [jnp.zeros(())]
    return jnp.sqrt(sum(squares))


def _square(x: Array) -> Array:
    """|x|^2, entry by entry."""
    return jnp.real(x * jnp.conj(x)) if jnp.iscomplexobj(x) else x * x


def inner(x: PyTree, y: PyTree) -> Float[Array, ""]:
    """The sum of products of all entries."""
    products = jax.tree.map(lambda a, b: jnp.sum(a * b), x, y)
    return jnp.asarray(sum(jax.tree.leaves(products)))


def row_sums(entries: Float[Array, "rows columns"]) -> Float[Array, " rows"]:
    """The sum of every row, as a product with ones.

    XLA's sums on a CPU wait for one addition after another, and take ten times as long.
    """
    ones = jnp.ones(entries.shape[1], entries.dtype)
    return jnp.matmul(entries, ones, precision=jax.lax.Precision.HIGHEST)


def select(predicate: Array, yes: PyTree, no: PyTree) -> PyTree:
    """`yes` where the scalar predicate holds, else `no`, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(predicate, a, b), yes, no)
