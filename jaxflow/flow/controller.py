"""Which error counts: that of a neuron against the neuron, in any coordinates.

A step is judged by the root mean square, over the neurons and both their layers, of

    |error of w_j| / (rtol |w_j| + atol R_w)   and   |error of a_j| / (rtol |a_j| + atol R_a)

with R_w and R_a the root mean squares of |w_j| and |a_j| over the neurons. The norms are taken in
the space of W, so that a rotation of the inputs, a scaling of a layer and the choice of coordinates
change no step.
"""

from typing import Any

import diffrax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow._tree import norm
from jaxflow.network import Data, Parameters


class NeuronWise(diffrax.AbstractStepSizeController):
    """A PID controller of the errors of neurons; `args` of the term are the data."""

    rtol: float
    atol: float
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
        squares = Parameters(args.inputs.squares(y_error.W), y_error.a**2)
        largest = [
            jnp.maximum(self._floored(args, before), self._floored(args, after))
            for before, after in zip(_sizes(args, y0), _sizes(args, y1_candidate), strict=True)
        ]
        errors = [jnp.sqrt(square) for square in squares]
        return self._pid(args).adapt_step_size(
            t0, t1, largest, largest, args, errors, error_order, controller_state
        )

    def _floored(self, data: Data, sizes: Float[Array, " p"]) -> Float[Array, " p"]:
        """Sizes with what `atol` adds to them expressed as size; one on neurons of the padding."""
        typical = norm(sizes) / jnp.sqrt(data.p.astype(sizes.dtype))
        return jnp.where(sizes > 0, sizes + self.atol / self.rtol * typical, 1)

    def _pid(self, data: Data) -> diffrax.PIDController:
        def root_mean_square(scaled: Any) -> Float[Array, ""]:
            total = norm(scaled)
            return total / jnp.sqrt(2 * data.p.astype(total.dtype))

        return diffrax.PIDController(
            rtol=self.rtol, atol=0.0, factormax=self.factormax, norm=root_mean_square
        )


def _sizes(data: Data, theta: Parameters) -> tuple[Float[Array, " p"], Float[Array, " p"]]:
    """|w_j| and |a_j|."""
    return jnp.sqrt(data.inputs.sizes(theta.W)), jnp.abs(theta.a)
