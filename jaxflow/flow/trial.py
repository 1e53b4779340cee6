"""One trial, unbatched and pure: `start` draws it, `step` attempts one step, `finish` sums it up.

How lanes share a device is the engine's business; nothing here knows of a neighbour.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt32

from jaxflow.core.trees import select
from jaxflow.flow.passages import (
    event_times,
    happened,
    measured,
    not_finite,
    observed_after,
    observed_at_start,
    passages,
    target,
)
from jaxflow.flow.state import (
    LastStep,
    Request,
    Setting,
    Summary,
    TrialState,
    in_own_precision,
    loss_in_time,
    remaining,
)
from jaxflow.flow.stopping import Reason, is_stationary

MOST_DECAY = 1.0  # of log L in one step
ON_THE_WAY = 1  # a stream beside that of the first parameters


@in_own_precision
def start(setting: Setting, request: Request) -> TrialState:
    """Draw a trial and prepare its first step."""
    values = jnp.asarray(request.values)
    data, theta = setting.at(values.astype(jnp.float32)).problem.prepare(
        request.keys, request.sizes, setting.shape, setting.dtype, setting.coordinates
    )
    setting = setting.at(values)
    problem, dynamics = setting.problem, setting.dynamics
    first = dynamics.start(problem, data, theta, _key(request), setting.advance_by)
    velocity = dynamics.velocity(problem, data, theta, first.integrator)
    value = dynamics.objective(problem, data, theta, first.integrator)
    zero, none = jnp.zeros_like(value), jnp.zeros((), jnp.int32)
    state = TrialState(
        data=data,
        values=values,
        theta=theta,
        velocity=velocity,
        loss=value,
        decay=dynamics.decay(problem, data, theta, velocity, first.integrator),
        integrator=first.integrator,
        dt=first.dt,
        time=zero,
        time_rest=zero,
        horizon=jnp.asarray(request.horizon, value.dtype),
        targets=tuple(target(setting, event, data, value) for event in setting.events),
        observed=observed_at_start(setting, request, data, theta),
        passages=(),
        conserved=problem.conserved(data, theta),
        first_loss=value,
        well_initialized=problem.well_initialized(data, theta),
        last=LastStep(zero, value, zero),
        steps=none,
        evaluations=none + first.evaluations,
        rejections=none,
        advances=none,
        reason=none,
    )
    state = state._replace(passages=passages(setting, state))
    return state._replace(reason=_first(not_finite(setting, state), happened(setting, state)))


def _key(request: Request) -> UInt32[Array, "2"]:
    """Of what is random on the way."""
    return jax.random.fold_in(jnp.asarray(request.keys.start), ON_THE_WAY)


@in_own_precision
def step(setting: Setting, state: TrialState) -> TrialState:
    """Attempt one step of a running trial, or one evaluation of the field in it."""
    setting = setting.at(state.values)
    problem, dynamics = setting.problem, setting.dynamics
    dt = _limited(setting, state)
    attempt = dynamics.attempt(
        problem,
        state.data,
        state.theta,
        state.velocity,
        state.integrator,
        dt,
        setting.advance_by,
    )
    keep = attempt.keep
    # of a flow the solver has it already
    velocity = dynamics.velocity(problem, state.data, attempt.theta, attempt.integrator)
    value = dynamics.objective(problem, state.data, attempt.theta, attempt.integrator)
    theta, velocity, value = select(
        keep,
        (attempt.theta, velocity, value),
        (state.theta, state.velocity, state.loss),
    )
    time, rest = _add(state.time, state.time_rest, jnp.where(keep, dt, 0))
    moved = state._replace(
        theta=theta,
        velocity=velocity,
        loss=value,
        decay=dynamics.decay(problem, state.data, theta, velocity, attempt.integrator),
        integrator=attempt.integrator,
        dt=attempt.dt,
        time=time,
        time_rest=rest,
        last=select(keep, LastStep(dt, state.loss, state.decay), state.last),
        observed=observed_after(setting, state, theta, keep),
        steps=state.steps + keep,
        evaluations=state.evaluations + attempt.evaluations,
        rejections=state.rejections + (attempt.complete & ~keep),
        advances=state.advances + 1,
    )
    moved = moved._replace(passages=passages(setting, moved))
    reason = _reason(setting, moved)
    return moved._replace(reason=jnp.where(attempt.complete, reason, state.reason))


def _limited(setting: Setting, state: TrialState) -> Float[Array, ""]:
    """The step proposed, or the time in which log L falls by MOST_DECAY at its present rate.

    Parameters close to their limit may be accurate while the loss, which is what is left of the
    way, is not: a step over many lifetimes of a mode is stable but damps it too little.
    """
    if not setting.dynamics.interpolates:
        return state.dt
    dt = state.dt
    if setting.problem.nonnegative:
        falls = state.decay > 0
        lifetime = state.loss / jnp.where(falls, state.decay, 1)
        dt = jnp.where(falls, jnp.minimum(dt, MOST_DECAY * lifetime), dt)
    if state.observed is None:
        return dt
    return jnp.minimum(dt, remaining(state))  # observables are known at the ends of steps


@in_own_precision
def finish(setting: Setting, state: TrialState) -> Summary:
    """The record of a trial that has stopped."""
    setting = setting.at(state.values)
    times = event_times(setting, state)
    in_time = loss_in_time(setting, state)  # at which the certificate was asked for
    certified = jnp.minimum(state.loss, in_time)
    return Summary(
        reason=state.reason,
        advances=state.advances,
        flow_time=_flow_time(setting, state, times),
        steps=state.steps,
        evaluations=state.evaluations,
        rejections=state.rejections,
        first_loss=state.first_loss,
        last_loss=jnp.where(state.reason == Reason.CERTIFICATE, certified, in_time),
        well_initialized=state.well_initialized,
        balancedness_drift=setting.problem.drift(state.data, state.theta, state.conserved),
        curvature=state.decay / state.loss,
        event_times=times,
        measured=measured(setting, state),
    )


def _reason(setting: Setting, state: TrialState) -> Int[Array, ""]:
    """Why the lane stops here, if it does; the event comes before the horizon."""
    dynamics = setting.dynamics
    left = remaining(state)
    still = is_stationary(
        setting.problem.geometry,
        state.data,
        state.theta,
        state.velocity,
        state.loss,
        state.decay,
        left,
    )
    return _first(
        (~jnp.isfinite(state.loss) | jnp.isnan(state.dt), Reason.NOT_FINITE),
        happened(setting, state),
        (left <= dynamics.slack, Reason.HORIZON),
        (still, Reason.STATIONARY),
        (state.steps + state.rejections >= dynamics.max_steps, Reason.BUDGET),
    )


def _first(*reasons: tuple[Bool[Array, ""], Reason]) -> Int[Array, ""]:
    """The first reason whose condition holds, or RUNNING."""
    conditions, codes = zip(*reasons, strict=True)
    return jnp.select(conditions, [int(code) for code in codes], 0).astype(jnp.int32)


def _flow_time(
    setting: Setting, state: TrialState, times: Float[Array, " events"]
) -> Float[Array, ""]:
    """The time of stopping: where the last of the events happened, or where the lane is."""
    time = state.time
    if setting.dynamics.interpolates:
        time = jnp.minimum(time, state.horizon)
    last = jnp.max(times)
    return jnp.where(jnp.isfinite(last), last, time)


def _add(total: Array, rest: Array, more: Array) -> tuple[Array, Array]:
    """(total + rest) + more, with the rounding error kept in the new rest (Kahan)."""
    more = more + rest
    new = total + more
    return new, more - (new - total)
