"""Loops of a dynamic length that can be differentiated, at no cost where they are not.

Undifferentiated, a loop is `lax.fori_loop`, for which JAX has no reverse mode. A derivative,
forward or reverse, is that of the same loop as nested scans of bounded length, left early.
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree


def repeat(
    body: Callable[[Array, PyTree], PyTree],
    start: int,
    stop: Int[Array, ""],
    carry: PyTree,
    most: int,
) -> PyTree:
    """The carry after `body(j, carry)` for j from `start` up to `stop`, at most `most` of them."""
    first = jnp.full_like(stop, start)
    return _repeated(eqx.filter_closure_convert(body, first, carry), carry, first, stop, most)


def constant(f: Callable[[], PyTree]) -> PyTree:
    """f(), with derivative zero, whatever f is made of."""
    arrays, rest = eqx.partition(eqx.filter_closure_convert(f), eqx.is_array)
    return eqx.combine(jax.lax.stop_gradient(arrays), rest)()


@eqx.filter_custom_jvp
def _repeated(body: Callable, carry: PyTree, first: Array, stop: Array, most: int) -> PyTree:
    once = lambda j, carry: body(jnp.asarray(j, first.dtype), carry)  # noqa: E731
    return jax.lax.fori_loop(first, stop, once, carry)


@_repeated.def_jvp  # type: ignore[untyped-decorator]
def _(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[PyTree, PyTree]:
    *moving, first, stop, most = primals

    def bounded(body: Callable, carry: PyTree) -> PyTree:
        return eqxi.while_loop(
            lambda reached: reached[0] < stop,
            lambda reached: (reached[0] + 1, body(*reached)),
            (first, carry),
            max_steps=most,
            kind="bounded",
            base=math.isqrt(most) + 1,  # two scans
        )[1]

    return eqx.filter_jvp(bounded, tuple(moving), tangents[:2])
