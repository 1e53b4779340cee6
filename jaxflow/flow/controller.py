"""Which error counts: that of a neuron against the neuron, in any coordinates.

A step is judged by the root mean square over the neurons of

    |error of w_j| / (rtol |w_j| + atol R_w),

R_w being the root mean square of |w_j|, and of the same for a_j with a weight of OUTPUT_WEIGHT.
No size counts as less than the rounding of a typical |(w_j, a_j)|: where all w_j vanish at once, as
that of a single neuron which dies at its own kink, no step is accurate relative to them.
The norms are taken in the space of W, so that a rotation of the inputs, a scaling of a layer and
the choice of coordinates change no step. Errors of w_j turn its boundary and are what delays or
hastens convergence; to hold those of a_j as tightly costs a third more evaluations and changes
nothing (benchmarks/frontier.py).
"""

from typing import Any

import diffrax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.trees import norm
from jaxflow.problems.shallow.network import Data, Parameters

OUTPUT_WEIGHT = 0.1  # of the squared errors of the output weights


class NeuronWise(diffrax.AbstractStepSizeController):
    """A PID controller of the errors of neurons; `args` of the term are the data."""

    rtol: float
    atol: float
    output_weight: float = OUTPUT_WEIGHT
    factormax: float = 3.0

    def wrap(self, direction: Any) -> "NeuronWise":
        """Nothing to add."""
        return self

    def init(
        self,
        terms: Any,
        t0: Any,
        t1: Any,
        y0: Parameters,
        dt0: Any,
        args: Data,
        func: Any,
        error_order: Any,
    ) -> tuple[Any, Any]:
        """The state of the PID controller; `dt0` has to be given."""
        return self._pid(args).init(terms, t0, t1, y0, dt0, args, func, error_order)

    def adapt_step_size(
        self,
        t0: Any,
        t1: Any,
        y0: Parameters,
        y1_candidate: Parameters,
        args: Data,
        y_error: Any,
        error_order: Any,
        controller_state: Any,
    ) -> tuple[Any, ...]:
        """Keep or reject, and the next step."""
        squares = args.inputs.squares(y_error.W), self.output_weight * y_error.a**2
        first = _sizes(args, y0)
        least = jnp.finfo(y0.a.dtype).eps * _typical(args, jnp.stack(first))
        largest = [
            jnp.maximum(_larger(self._floored(args, before), self._floored(args, after)), least)
            for before, after in zip(first, _sizes(args, y1_candidate), strict=True)
        ]
        errors = [jnp.sqrt(square) for square in squares]
        return self._pid(args).adapt_step_size(
            t0, t1, largest, largest, args, errors, error_order, controller_state
        )

    def _floored(self, data: Data, sizes: Float[Array, " p"]) -> Float[Array, " p"]:
        """Sizes with what `atol` adds to them expressed as size; one on neurons of the padding."""
        typical = self.atol / self.rtol * _typical(data, sizes)
        return jnp.where(sizes > 0, sizes + typical, 1)

    def _pid(self, data: Data) -> diffrax.PIDController:
        def root_mean_square(scaled: Any) -> Float[Array, ""]:
            total = norm(scaled)
            return total / jnp.sqrt(data.p.astype(total.dtype))

        return diffrax.PIDController(
            rtol=self.rtol, atol=0.0, factormax=self.factormax, norm=root_mean_square
        )


def _typical(data: Data, sizes: Float[Array, "*layers p"]) -> Float[Array, ""]:
    """The root mean square over the neurons."""
    return norm(sizes) / jnp.sqrt(data.p.astype(sizes.dtype))


def _larger(before: Float[Array, " p"], after: Float[Array, " p"]) -> Float[Array, " p"]:
    """The larger of two sizes; a candidate that has overflown has none to divide its error by."""
    return jnp.maximum(before, jnp.where(jnp.isfinite(after), after, before))


def _sizes(data: Data, theta: Parameters) -> tuple[Float[Array, " p"], Float[Array, " p"]]:
    """|w_j| and |a_j|."""
    return jnp.sqrt(data.inputs.sizes(theta.W)), jnp.abs(theta.a)
