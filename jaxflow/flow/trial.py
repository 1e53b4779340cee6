"""One trial, unbatched and pure: `start` draws it, `step` attempts one step, `finish` sums it up.

How lanes share a device is the engine's business; nothing here knows of a neighbour.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxflow.core.keys import Keys
from jaxflow.core.names import with_traced
from jaxflow.core.trees import select
from jaxflow.flow.dynamics import AdvanceBy, Dynamics
from jaxflow.flow.stopping import (
    LogLoss,
    Reason,
    Success,
    is_comparable,
    is_stationary,
    target_loss,
)
from jaxflow.problems.shallow.coordinates import Name
from jaxflow.problems.shallow.ensemble import Ensemble, draw, well_initialized
from jaxflow.problems.shallow.network import Data, Parameters, balance, decay, field, loss
from jaxflow.problems.shallow.padding import Shape, Sizes

F = TypeVar("F", bound=Callable[..., Any])

MOST_DECAY = 1.0  # of log L in one step


@dataclass(frozen=True)
class Setting:
    """What the trials of one compiled program have in common. Static.

    `parameters` are the fields that every trial has a number of its own for, by dotted name.
    """

    ensemble: Ensemble
    dynamics: Dynamics
    success: Success
    shape: Shape
    dtype: str  # "float32" or "float64"
    coordinates: Name = "ambient"
    advance_by: AdvanceBy = "step"  # what `step` advances a lane by
    parameters: tuple[str, ...] = ()

    def at(self, values: Float[Array, " parameters"]) -> "Setting":
        """The setting of one trial. What is drawn is drawn in float32, whatever the precision."""
        setting = self
        for name, value in zip(self.parameters, values, strict=True):
            drawn = name.startswith("ensemble.") and not name.startswith("ensemble.network.")
            setting = with_traced(setting, name, value.astype("float32" if drawn else self.dtype))
        return setting


def in_own_precision(function: F) -> F:
    """`function(setting, ...)`, traced with 64-bit JAX for float64 and without it for float32.

    Where a script has enabled it, scalars of solvers and optimizers would have 64 bits in a float32
    trial, and its numbers would be others.
    """

    @wraps(function)
    def traced(setting: Setting, *args: Any) -> Any:
        with jax.enable_x64(setting.dtype == "float64"):
            return function(setting, *args)

    return cast(F, traced)


class Request(NamedTuple):
    """What a lane needs to start a trial: keys, sizes, horizon, values of the parameters."""

    keys: Keys
    sizes: Sizes
    horizon: Float[Array | np.ndarray, ""]
    values: Float[Array | np.ndarray, " parameters"] = np.zeros(0, np.float32)


class LastStep(NamedTuple):
    """The last step kept: its length, and loss and decay at its start."""

    dt: Float[Array, ""]
    loss: Float[Array, ""]
    decay: Float[Array, ""]


class TrialState(NamedTuple):
    """A trial under way."""

    data: Data
    values: Float[Array, " parameters"]
    theta: Parameters
    velocity: Parameters
    loss: Float[Array, ""]
    decay: Float[Array, ""]  # -L' along the velocity
    integrator: PyTree
    dt: Float[Array, ""]  # proposed next step
    time: Float[Array, ""]
    time_rest: Float[Array, ""]  # time + time_rest is the flow time (compensated sum)
    horizon: Float[Array, ""]
    target: Float[Array, ""]
    first_balance: Float[Array, " p"]
    first_loss: Float[Array, ""]
    well_initialized: Bool[Array, ""]
    last: LastStep
    steps: Int[Array, ""]
    evaluations: Int[Array, ""]
    rejections: Int[Array, ""]
    advances: Int[Array, ""]  # times that the lane was advanced
    reason: Int[Array, ""]


class Summary(NamedTuple):
    """What is left of a trial: scalars, those from the third on named as in a store's row."""

    reason: Int[Array, ""]
    advances: Int[Array, ""]
    flow_time: Float[Array, ""]
    steps: Int[Array, ""]
    evaluations: Int[Array, ""]
    rejections: Int[Array, ""]
    first_loss: Float[Array, ""]
    last_loss: Float[Array, ""]
    well_initialized: Bool[Array, ""]
    balancedness_drift: Float[Array, ""]
    curvature: Float[Array, ""]


@in_own_precision
def start(setting: Setting, request: Request) -> TrialState:
    """Draw a trial and prepare its first step."""
    values = jnp.asarray(request.values)
    setting = setting.at(values)
    network = setting.ensemble.network
    data, theta = draw(
        setting.ensemble,
        request.keys,
        request.sizes,
        setting.shape,
        setting.dtype,
        setting.coordinates,
    )
    value = loss(network, data, theta)
    target = target_loss(setting.success, data)
    velocity = field(network, data, theta)
    first = setting.dynamics.start(network, data, theta, velocity, setting.advance_by)
    zero, none = jnp.zeros_like(value), jnp.zeros((), jnp.int32)
    return TrialState(
        data=data,
        values=values,
        theta=theta,
        velocity=velocity,
        loss=value,
        decay=decay(network, data, velocity),
        integrator=first.integrator,
        dt=first.dt,
        time=zero,
        time_rest=zero,
        horizon=jnp.asarray(request.horizon, value.dtype),
        target=target,
        first_balance=balance(network, data, theta),
        first_loss=value,
        well_initialized=well_initialized(data, theta),
        last=LastStep(zero, value, zero),
        steps=none,
        evaluations=none + first.evaluations,
        rejections=none,
        advances=none,
        reason=_first(
            (~is_comparable(data, value, target), Reason.NOT_FINITE),
            (value <= target, Reason.CERTIFICATE),
        ),
    )


@in_own_precision
def step(setting: Setting, state: TrialState) -> TrialState:
    """Attempt one step of a running trial, or one evaluation of the field in it."""
    setting = setting.at(state.values)
    network, dynamics = setting.ensemble.network, setting.dynamics
    dt = _limited(setting, state)
    attempt = dynamics.attempt(
        network,
        state.data,
        state.theta,
        state.velocity,
        state.integrator,
        dt,
        setting.advance_by,
    )
    keep = attempt.keep
    velocity = field(network, state.data, attempt.theta)  # the solver's own last evaluation
    theta, velocity, value = select(
        keep,
        (attempt.theta, velocity, loss(network, state.data, attempt.theta)),
        (state.theta, state.velocity, state.loss),
    )
    time, rest = _add(state.time, state.time_rest, jnp.where(keep, dt, 0))
    moved = state._replace(
        theta=theta,
        velocity=velocity,
        loss=value,
        decay=decay(network, state.data, velocity),
        integrator=attempt.integrator,
        dt=attempt.dt,
        time=time,
        time_rest=rest,
        last=select(keep, LastStep(dt, state.loss, state.decay), state.last),
        steps=state.steps + keep,
        evaluations=state.evaluations + attempt.evaluations,
        rejections=state.rejections + (attempt.complete & ~keep),
        advances=state.advances + 1,
    )
    reason = _reason(setting, moved)
    return moved._replace(reason=jnp.where(attempt.complete, reason, state.reason))


def _limited(setting: Setting, state: TrialState) -> Float[Array, ""]:
    """The step proposed, or the time in which log L falls by MOST_DECAY at its present rate.

    Parameters close to their limit may be accurate while the loss, which is what is left of the
    way, is not: a step over many lifetimes of a mode is stable but damps it too little.
    """
    if not setting.dynamics.interpolates:
        return state.dt
    falls = state.decay > 0
    lifetime = state.loss / jnp.where(falls, state.decay, 1)
    return jnp.where(falls, jnp.minimum(state.dt, MOST_DECAY * lifetime), state.dt)


@in_own_precision
def finish(setting: Setting, state: TrialState) -> Summary:
    """The record of a trial that has stopped."""
    setting = setting.at(state.values)
    network = setting.ensemble.network
    drift = jnp.max(jnp.abs(balance(network, state.data, state.theta) - state.first_balance))
    return Summary(
        reason=state.reason,
        advances=state.advances,
        flow_time=_flow_time(setting, state),
        steps=state.steps,
        evaluations=state.evaluations,
        rejections=state.rejections,
        first_loss=state.first_loss,
        last_loss=jnp.where(
            state.reason == Reason.CERTIFICATE, state.loss, _loss_in_time(setting, state)
        ),
        well_initialized=state.well_initialized,
        balancedness_drift=drift / jnp.max(state.theta.a**2),
        curvature=state.decay / state.loss,
    )


def _reason(setting: Setting, state: TrialState) -> Int[Array, ""]:
    """Why the lane stops here, if it does; the certificate comes before the horizon."""
    dynamics = setting.dynamics
    remaining = _remaining(state)
    still = is_stationary(
        state.data, state.theta, state.velocity, state.loss, state.decay, remaining
    )
    return _first(
        (~jnp.isfinite(state.loss) | jnp.isnan(state.dt), Reason.NOT_FINITE),
        (_loss_in_time(setting, state) <= state.target, Reason.CERTIFICATE),
        (remaining <= dynamics.slack, Reason.HORIZON),
        (still, Reason.STATIONARY),
        (state.steps + state.rejections >= dynamics.max_steps, Reason.BUDGET),
    )


def _first(*reasons: tuple[Bool[Array, ""], Reason]) -> Int[Array, ""]:
    """The first reason whose condition holds, or RUNNING."""
    conditions, codes = zip(*reasons, strict=True)
    return jnp.select(conditions, [int(code) for code in codes], 0).astype(jnp.int32)


def _remaining(state: TrialState) -> Float[Array, ""]:
    """Flow time left to the horizon; negative where the last step has gone beyond."""
    return (state.horizon - state.time) - state.time_rest


def _loss_in_time(setting: Setting, state: TrialState) -> Float[Array, ""]:
    """The loss where the lane is, or at the horizon inside its last step."""
    if not setting.dynamics.interpolates:
        return state.loss
    beyond = -_remaining(state)
    inside = 1 - beyond / jnp.where(beyond > 0, state.last.dt, 1)
    return jnp.where(beyond > 0, _last_step(state).at(inside), state.loss)


def _last_step(state: TrialState) -> LogLoss:
    dt, value, slope = state.last
    return LogLoss(dt, (value, state.loss), (slope, state.decay))


def _flow_time(setting: Setting, state: TrialState) -> Float[Array, ""]:
    """The time of stopping; of a flow, where in its last step the target is crossed."""
    if not setting.dynamics.interpolates:
        return state.time
    crossed = (state.reason == Reason.CERTIFICATE) & (state.steps > 0)
    inside = _last_step(state).crossing(state.target)
    time = jnp.where(crossed, state.time - (1 - inside) * state.last.dt, state.time)
    return jnp.minimum(time, state.horizon)


def _add(total: Array, rest: Array, more: Array) -> tuple[Array, Array]:
    """(total + rest) + more, with the rounding error kept in the new rest (Kahan)."""
    more = more + rest
    new = total + more
    return new, more - (new - total)
