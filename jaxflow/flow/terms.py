"""The terms of a diffrax problem as the right-hand side of y' = f(t, y)."""

from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from jaxflow.core.errors import mistake

Rate = Callable[[Any, PyTree], PyTree]  # of t and y


def rate_of(terms: PyTree, t0: Any, t1: Any, args: Any) -> tuple[Any, Rate]:
    """h and f such that the terms move y by about h f(t, y) from t0 to t1, with f of y's type."""
    control = terms.contr(t0, t1)
    if isinstance(getattr(terms, "term", terms), diffrax.ODETerm):
        h, field = control, lambda t, y: terms.vf(t, y, args)
    else:
        h = t1 - t0
        unit = jax.tree.map(lambda c: c / jnp.asarray(h, jnp.result_type(c)), control)
        field = lambda t, y: terms.vf_prod(t, y, args, unit)  # noqa: E731
    return h, lambda t, y: jax.tree.map(_of_type, field(t, y), y)


def is_of_time(terms: PyTree) -> bool:
    """Whether f is the same in all steps: the terms are those of ODEs, inside what wraps them."""
    if isinstance(terms, diffrax.MultiTerm):
        return all(map(is_of_time, terms.terms))
    wrapped = getattr(terms, "term", None)  # by the direction of time, or for the adjoint
    return isinstance(terms, diffrax.ODETerm) if wrapped is None else is_of_time(wrapped)


def _of_type(f: Array, y: Array) -> Array:
    """f in the precision of y, as states are."""
    if jnp.iscomplexobj(f) and not jnp.iscomplexobj(y):
        raise mistake("a real field of a real state", f.dtype, "begin from a complex state")
    return jnp.asarray(f, y.dtype)
