"""Which error counts: that of a group of parameters against the group, such as a neuron's.

A step is judged by the root mean square over the groups of

    |error of w_j| / (rtol |w_j| + atol R_w),

R_w being the root mean square of |w_j| over the groups of its leaf. The geometry of the problem
says what a group is and how much it counts. No size counts as less than the rounding of a typical
one: where all vanish at once, as those of a single neuron which dies at its own kink, no step is
accurate relative to them.
"""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxflow.problems.geometry import ByRow, Geometry


class GroupWise(diffrax.AbstractStepSizeController):
    """A PID controller of the errors of groups; `args` of the term are the data of a trial."""

    rtol: float
    atol: float
    geometry: Geometry = eqx.field(static=True, default=ByRow())
    factormax: float = 3.0

    def wrap(self, direction: Any) -> "GroupWise":
        """Nothing to add."""
        return self

    def init(
        self,
        terms: Any,
        t0: Any,
        t1: Any,
        y0: PyTree,
        dt0: Any,
        args: Any,
        func: Any,
        error_order: Any,
    ) -> tuple[Any, Any]:
        """The state of the PID controller; `dt0` has to be given."""
        return self._pid(args).init(terms, t0, t1, y0, dt0, args, func, error_order)

    def adapt_step_size(
        self,
        t0: Any,
        t1: Any,
        y0: PyTree,
        y1_candidate: PyTree,
        args: Any,
        y_error: Any,
        error_order: Any,
        controller_state: Any,
    ) -> tuple[Any, ...]:
        """Keep or reject, and the next step."""
        geometry = self.geometry
        before = _lengths(geometry.sizes(args, y0))
        after = _lengths(geometry.sizes(args, y1_candidate))
        least = jnp.finfo(jax.tree.leaves(before)[0].dtype).eps * geometry.root_mean_square(
            args, before
        )

        def scale(before: Float[Array, "*groups"], after: Float[Array, "*groups"]) -> Array:
            larger = _larger(self._floored(args, before), self._floored(args, after))
            return jnp.maximum(jnp.where(larger > 0, larger, 1), least)

        scales = jax.tree.map(scale, before, after)
        errors = _lengths(geometry.weighed(geometry.squares(args, y_error)))
        return self._pid(args).adapt_step_size(
            t0, t1, scales, scales, args, errors, error_order, controller_state
        )

    def _floored(self, data: Any, sizes: Float[Array, "*groups"]) -> Float[Array, "*groups"]:
        """Sizes with what `atol` adds to them expressed as size; none where there is no size."""
        typical = self.atol / self.rtol * self.geometry.root_mean_square(data, sizes)
        return jnp.where(sizes > 0, sizes + typical, 0)

    def _pid(self, data: Any) -> diffrax.PIDController:
        def root_mean_square(scaled: Any) -> Float[Array, ""]:
            return self.geometry.root_mean_square(data, scaled)

        return diffrax.PIDController(
            rtol=self.rtol, atol=0.0, factormax=self.factormax, norm=root_mean_square
        )


def _lengths(squares: PyTree) -> PyTree:
    return jax.tree.map(jnp.sqrt, squares)


def _larger(before: Float[Array, "*groups"], after: Float[Array, "*groups"]) -> Array:
    """The larger of two sizes; a candidate that has overflown has none to divide its error by."""
    return jnp.maximum(before, jnp.where(jnp.isfinite(after), after, before))
