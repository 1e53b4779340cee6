"""When a trial ends: event, stall, horizon, or failure.

The certificate of shallow networks is L <= min_i y_i^2 / 2n. Then every |r_i| < |y_i|, so every
sample is fitted with the right sign and stays so, for L never grows along the flow. The published
protocol asks for L < 1/2n, which implies it when min |y_i| >= 1 (arXiv 2502.16977, experiment 1).
"""

from enum import IntEnum
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from jaxflow.core.types import Outcome
from jaxflow.problems.geometry import Geometry


class Reason(IntEnum):
    """Why a lane stopped; RUNNING while it has not."""

    RUNNING = 0
    CERTIFICATE = 1
    STATIONARY = 2
    HORIZON = 3
    NOT_FINITE = 4
    BUDGET = 5
    IDLE = 6  # the lane holds no trial
    EVENT = 7  # an observable has reached its level

    @property
    def outcome(self) -> Outcome:
        """The outcome of a trial that stopped for this reason."""
        return _OUTCOMES[self]


_OUTCOMES = {
    Reason.CERTIFICATE: Outcome.CONVERGED,
    Reason.EVENT: Outcome.CONVERGED,
    Reason.STATIONARY: Outcome.STALLED,
    Reason.HORIZON: Outcome.UNDECIDED,
    Reason.NOT_FINITE: Outcome.FAILED,
    Reason.BUDGET: Outcome.FAILED,
}


def is_stationary(
    geometry: Geometry,
    data: Any,
    theta: PyTree,
    velocity: PyTree,
    value: Float[Array, ""],
    decay: Float[Array, ""],
    remaining: Float[Array, ""],
) -> Bool[Array, ""]:
    """At this speed the time remaining changes nothing.

    The loss would fall by less than its rounding, and no group of parameters, no neuron, would move
    by more than eps^(1/3) of its length. The second is asked group by group because a small neuron
    that grows exponentially, as near a saddle, is slow in all but its relative speed.
    """
    eps = jnp.finfo(value.dtype).eps

    def all_still() -> Bool[Array, ""]:
        speeds = geometry.together(geometry.squares(data, velocity))
        sizes = geometry.together(geometry.sizes(data, theta))
        still = jax.tree.map(
            lambda speed, size: jnp.all(
                jnp.sqrt(speed) * remaining <= jnp.cbrt(eps) * jnp.sqrt(size)
            ),
            speeds,
            sizes,
        )
        return jnp.all(jnp.stack(jax.tree.leaves(still)))

    return jax.lax.cond(
        decay * remaining <= eps * jnp.abs(value), all_still, lambda: jnp.asarray(False)
    )


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
