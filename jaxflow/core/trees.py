"""Vector-space operations on arrays and PyTrees of them."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree


def combine(*terms: tuple[Any, PyTree]) -> PyTree:
    """sum_k c_k x_k over pairs (c_k, x_k) of a scalar and a tree."""
    coefficients = [c for c, _ in terms]
    add = lambda *leaves: sum(c * x for c, x in zip(coefficients, leaves, strict=True))  # noqa: E731
    return jax.tree.map(add, *(x for _, x in terms))


def norm(x: PyTree) -> Float[Array, ""]:
    """Euclidean norm over all entries."""
    return jnp.sqrt(sum(jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(x)))


def row_sums(entries: Float[Array, "rows columns"]) -> Float[Array, " rows"]:
    """The sum of every row, as a product with ones.

    XLA's sums on a CPU wait for one addition after another, and take ten times as long.
    """
    ones = jnp.ones(entries.shape[1], entries.dtype)
    return jnp.matmul(entries, ones, precision=jax.lax.Precision.HIGHEST)


def select(predicate: Array, yes: PyTree, no: PyTree) -> PyTree:
    """`yes` where the scalar predicate holds, else `no`, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(predicate, a, b), yes, no)
