"""When a trial ends: certificate, stall, horizon, or failure.

Certificate: L <= min_i y_i^2 / 2n. Then every |r_i| < |y_i|, so every sample is fitted with the
right sign and stays so, for L never grows along the flow. The published protocol asks for
L < 1/2n, which implies it when min |y_i| >= 1 (arXiv 2502.16977, experiment 1).
"""

from enum import IntEnum
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxflow.core.types import Outcome
from jaxflow.problems.shallow.ensemble import smallest_label
from jaxflow.problems.shallow.network import Data, Parameters

Success = Literal["signs"] | float  # the certificate, or c for L <= c/2n


class Reason(IntEnum):
    """Why a lane stopped; RUNNING while it has not."""

    RUNNING = 0
    CERTIFICATE = 1
    STATIONARY = 2
    HORIZON = 3
    NOT_FINITE = 4
    BUDGET = 5
    IDLE = 6  # the lane holds no trial

    @property
    def outcome(self) -> Outcome:
        """The outcome of a trial that stopped for this reason."""
        return _OUTCOMES[self]


_OUTCOMES = {
    Reason.CERTIFICATE: Outcome.CONVERGED,
    Reason.STATIONARY: Outcome.STALLED,
    Reason.HORIZON: Outcome.UNDECIDED,
    Reason.NOT_FINITE: Outcome.FAILED,
    Reason.BUDGET: Outcome.FAILED,
}


def target_loss(success: Success, data: Data) -> Float[Array, ""]:
    """The loss at or below which a trial has converged."""
    level = smallest_label(data) ** 2 if success == "signs" else success
    return level / (2 * data.n.astype(data.y.dtype))


def is_comparable(data: Data, value: Float[Array, ""], target: Float[Array, ""]) -> Bool[Array, ""]:
    """Whether loss and target are numbers of this precision, neither overflown nor underflown.

    With labels of 1e20 both are infinite in float32, with labels of 1e-25 both are zero: such a
    comparison certifies nothing. A target of zero is one where a label is zero.
    """
    positive = (target > 0) | (smallest_label(data) == 0)
    return jnp.isfinite(value) & jnp.isfinite(target) & positive


def is_stationary(
    data: Data,
    theta: Parameters,
    velocity: Parameters,
    value: Float[Array, ""],
    decay: Float[Array, ""],
    remaining: Float[Array, ""],
) -> Bool[Array, ""]:
    """At this speed the time remaining changes nothing.

    The loss would fall by less than its rounding, and no neuron would move by more than
    eps^(1/3) of its norm. The second is asked neuron by neuron because a small neuron that grows
    exponentially, as near a saddle, is slow in all but its relative speed.
    """
    eps = jnp.finfo(value.dtype).eps

    def all_still() -> Bool[Array, ""]:
        size = jnp.sqrt(data.inputs.sizes(theta.W) + theta.a**2)
        speed = jnp.sqrt(data.inputs.squares(velocity.W) + velocity.a**2)
        return jnp.all(speed * remaining <= jnp.cbrt(eps) * size)

    return jax.lax.cond(decay * remaining <= eps * value, all_still, lambda: jnp.asarray(False))


class LogLoss(NamedTuple):
    """The logarithm of the loss inside a step: the cubic through its values and slopes.

    `values` and `decays` are L and -L' at both ends of the step, of length dt.
    """

    dt: Float[Array, ""]
    values: tuple[Float[Array, ""], Float[Array, ""]]
    decays: tuple[Float[Array, ""], Float[Array, ""]]

    def at(self, s: Float[Array, ""]) -> Float[Array, ""]:
        """The loss at s in [0, 1] of the step."""
        return self.values[1] * jnp.exp(self._above_end(s))

    def crossing(self, target: Float[Array, ""]) -> Float[Array, ""]:
        """Where in [0, 1] of the step the loss crosses `target`, by bisection.

        The loss must be above the target at the start and at or below it at the end.
        """
        level = jnp.log(target / self.values[1])

        def halve(_: Array, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
            low, high = bracket
            middle = (low + high) / 2
            upper = self._above_end(middle) > level
            return jnp.where(upper, middle, low), jnp.where(upper, high, middle)

        ends = jnp.zeros_like(self.dt), jnp.ones_like(self.dt)
        return jax.lax.fori_loop(0, 20, halve, ends)[1]

    def _above_end(self, s: Float[Array, ""]) -> Float[Array, ""]:
        """log L(s) - log L(1)."""
        fall = jnp.log(self.values[0] / self.values[1])
        slope0, slope1 = (
            -self.dt * decay / value for decay, value in zip(self.decays, self.values, strict=True)
        )
        rising = s * s * (3 - 2 * s)
        bend = s * (1 - s) * ((1 - s) * slope0 - s * slope1)
        return (1 - rising) * fall + bend
