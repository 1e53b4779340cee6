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
from jaxtyping import Array, Bool, Float, Int, PyTree, UInt32

from jaxflow.core.keys import Keys
from jaxflow.core.names import with_traced
from jaxflow.core.trees import select
from jaxflow.flow.dynamics import AdvanceBy, Dynamics
from jaxflow.flow.events import Certificate, Event, Never
from jaxflow.flow.stopping import LogLoss, Reason, is_stationary
from jaxflow.problems.problem import Problem, Shape, Sizes, State

F = TypeVar("F", bound=Callable[..., Any])

MOST_DECAY = 1.0  # of log L in one step
ON_THE_WAY = 1  # a stream beside that of the first parameters


@dataclass(frozen=True)
class Setting:
    """What the trials of one compiled program have in common. Static.

    `parameters` are the fields that every trial has a number of its own for, by dotted name;
    `measured` are the observables that are taken where it ends.
    """

    problem: Problem
    dynamics: Dynamics
    events: tuple[Event, ...]
    shape: Shape
    dtype: str  # "float32" or "float64"
    coordinates: str = "ambient"
    advance_by: AdvanceBy = "step"  # what `step` advances a lane by
    parameters: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def watched(self) -> tuple[str, ...]:
        """The observables that events are decided by, each once."""
        return tuple(dict.fromkeys(name for event in self.events for name in event.observed))

    def at(self, values: Float[Array, " parameters"]) -> "Setting":
        """The setting of one trial."""
        setting = self
        for name, value in zip(self.parameters, values, strict=True):
            setting = with_traced(setting, name, value)
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


class Observed(NamedTuple):
    """What the observables of events, and those measured at the end, ask for."""

    values: Float[Array, " watched"]  # those of events
    before: Float[Array, " watched"]  # at the start of the last step
    first: PyTree  # parameters
    context: PyTree


class Passage(NamedTuple):
    """The step in which an event happened."""

    happened: Bool[Array, ""]
    time: Float[Array, ""]  # at its end
    inside: LogLoss  # of a certificate
    values: tuple[Float[Array, ""], Float[Array, ""]]  # of another event, at both ends


class TrialState(NamedTuple):
    """A trial under way."""

    data: PyTree
    values: Float[Array, " parameters"]
    theta: PyTree
    velocity: PyTree
    loss: Float[Array, ""]
    decay: Float[Array, ""]  # -L' along the velocity
    integrator: PyTree
    dt: Float[Array, ""]  # proposed next step
    time: Float[Array, ""]
    time_rest: Float[Array, ""]  # time + time_rest is the flow time (compensated sum)
    horizon: Float[Array, ""]
    targets: tuple[Float[Array, ""], ...]  # one an event: the loss of a certificate, or NaN
    observed: Observed | None  # None if no observable is asked for
    passages: tuple[Passage, ...]  # of several events, those that happened; of one, nothing
    conserved: PyTree  # at the start
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
    event_times: Float[Array, " events"]  # infinite where one has not happened
    measured: Float[Array, " measured"]


@in_own_precision
def start(setting: Setting, request: Request) -> TrialState:
    """Draw a trial and prepare its first step."""
    values = jnp.asarray(request.values)
    data, theta = setting.at(values.astype(jnp.float32)).problem.prepare(
        request.keys, request.sizes, setting.shape, setting.dtype, setting.coordinates
    )
    setting = setting.at(values)
    problem, dynamics = setting.problem, setting.dynamics
    value = problem.objective(data, theta)
    velocity = dynamics.velocity(problem, data, theta)
    first = dynamics.start(problem, data, theta, velocity, _key(request), setting.advance_by)
    zero, none = jnp.zeros_like(value), jnp.zeros((), jnp.int32)
    state = TrialState(
        data=data,
        values=values,
        theta=theta,
        velocity=velocity,
        loss=value,
        decay=dynamics.decay(problem, data, theta, velocity),
        integrator=first.integrator,
        dt=first.dt,
        time=zero,
        time_rest=zero,
        horizon=jnp.asarray(request.horizon, value.dtype),
        targets=tuple(_target(setting, event, data, value) for event in setting.events),
        observed=_observed(setting, request, data, theta),
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
    state = state._replace(passages=_passages(setting, state))
    return state._replace(reason=_first(_not_finite(setting, state), _happened(setting, state)))


def _key(request: Request) -> UInt32[Array, "2"]:
    """Of what is random on the way."""
    return jax.random.fold_in(jnp.asarray(request.keys.start), ON_THE_WAY)


def _target(
    setting: Setting, event: Event, data: PyTree, value: Float[Array, ""]
) -> Float[Array, ""]:
    """The loss of a certificate; NaN where the event is another."""
    if isinstance(event, Certificate):
        return setting.problem.target(data, event.square)
    return jnp.full_like(value, jnp.nan)


def _observed(setting: Setting, request: Request, data: PyTree, theta: PyTree) -> Observed | None:
    """The observables asked for, at the start."""
    names = tuple(dict.fromkeys((*setting.watched, *setting.measured)))
    if not names:
        return None
    problem, sizes = setting.problem, request.sizes
    context = problem.context(names, request.keys, sizes, setting.shape, data, theta)
    values = jnp.zeros(0, jax.tree.leaves(theta)[0].dtype)
    if setting.watched:
        here = observed_state(problem, data, theta, theta, context)
        values = problem.observe(setting.watched, here)
    return Observed(values, values, theta, context)


def observed_state(
    problem: Problem, data: PyTree, theta: PyTree, first: PyTree, context: PyTree
) -> State:
    """A state as its observables see it: with the problem's own field, whatever the dynamics."""
    return State(data, theta, problem.field(data, theta), first, context)


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
    velocity = dynamics.velocity(problem, state.data, attempt.theta)  # the solver has it already
    theta, velocity, value = select(
        keep,
        (attempt.theta, velocity, problem.objective(state.data, attempt.theta)),
        (state.theta, state.velocity, state.loss),
    )
    time, rest = _add(state.time, state.time_rest, jnp.where(keep, dt, 0))
    moved = state._replace(
        theta=theta,
        velocity=velocity,
        loss=value,
        decay=dynamics.decay(problem, state.data, theta, velocity),
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
    if state.observed is not None and setting.watched:
        first, context = state.observed.first, state.observed.context
        here = observed_state(problem, state.data, theta, first, context)
        now = problem.observe(setting.watched, here)
        before = jnp.where(keep, state.observed.values, state.observed.before)
        moved = moved._replace(observed=state.observed._replace(values=now, before=before))
    moved = moved._replace(passages=_passages(setting, moved))
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
    return jnp.minimum(dt, _remaining(state))  # observables are known at the ends of steps


@in_own_precision
def finish(setting: Setting, state: TrialState) -> Summary:
    """The record of a trial that has stopped."""
    setting = setting.at(state.values)
    times = _event_times(setting, state)
    return Summary(
        reason=state.reason,
        advances=state.advances,
        flow_time=_flow_time(setting, state, times),
        steps=state.steps,
        evaluations=state.evaluations,
        rejections=state.rejections,
        first_loss=state.first_loss,
        last_loss=jnp.where(
            state.reason == Reason.CERTIFICATE, state.loss, _loss_in_time(setting, state)
        ),
        well_initialized=state.well_initialized,
        balancedness_drift=setting.problem.drift(state.data, state.theta, state.conserved),
        curvature=state.decay / state.loss,
        event_times=times,
        measured=_measured(setting, state),
    )


def _reason(setting: Setting, state: TrialState) -> Int[Array, ""]:
    """Why the lane stops here, if it does; the event comes before the horizon."""
    dynamics = setting.dynamics
    remaining = _remaining(state)
    still = is_stationary(
        setting.problem.geometry,
        state.data,
        state.theta,
        state.velocity,
        state.loss,
        state.decay,
        remaining,
    )
    return _first(
        (~jnp.isfinite(state.loss) | jnp.isnan(state.dt), Reason.NOT_FINITE),
        _happened(setting, state),
        (remaining <= dynamics.slack, Reason.HORIZON),
        (still, Reason.STATIONARY),
        (state.steps + state.rejections >= dynamics.max_steps, Reason.BUDGET),
    )


def _happened(setting: Setting, state: TrialState) -> tuple[Bool[Array, ""], Reason]:
    """Whether all events have."""
    each = [passage.happened for passage in state.passages] or [_holds(setting, state, 0)]
    certified = all(isinstance(event, Certificate) for event in setting.events)
    return jnp.stack(each).all(), Reason.CERTIFICATE if certified else Reason.EVENT


def _holds(setting: Setting, state: TrialState, index: int) -> Bool[Array, ""]:
    """Whether an event is the case where the lane is, or at the horizon inside its last step."""
    event: Any = setting.events[index]
    if isinstance(event, Never):
        return jnp.asarray(False)
    if isinstance(event, Certificate):
        return _loss_in_time(setting, state) <= state.targets[index]
    now, _ = _values(setting, state, event)
    return event.sign * (now - event.value) > 0


def _values(setting: Setting, state: TrialState, event: Any) -> tuple[Array, Array]:
    """The observable of an event at the end of the last step, and at its start."""
    assert state.observed is not None
    place = setting.watched.index(event.observable)
    return state.observed.values[place], state.observed.before[place]


def _passages(setting: Setting, state: TrialState) -> tuple[Passage, ...]:
    """Those there are, and of the other events those that happen here; of one event, nothing."""
    if len(setting.events) == 1:
        return ()
    here = [_passage(setting, state, index) for index in range(len(setting.events))]
    if not state.passages:
        return tuple(here)
    return tuple(
        select(old.happened, old, new) for old, new in zip(state.passages, here, strict=True)
    )


def _passage(setting: Setting, state: TrialState, index: int) -> Passage:
    """That of an event which happens, if it does, in the last step."""
    event = setting.events[index]
    values = (state.loss, state.loss)
    if event.observed:
        values = _values(setting, state, event)
    happened = _holds(setting, state, index) & jnp.isfinite(state.loss)
    return Passage(happened, state.time, _last_step(state), values)


def _not_finite(setting: Setting, state: TrialState) -> tuple[Bool[Array, ""], Reason]:
    """Whether there is nothing to compare at the start."""
    compared = jnp.isfinite(state.loss)
    for event, target in zip(setting.events, state.targets, strict=True):
        if isinstance(event, Certificate):
            compared = compared & setting.problem.is_comparable(state.data, target)
        elif event.observed:
            now, _ = _values(setting, state, event)
            compared = compared & jnp.isfinite(now)
    return ~compared, Reason.NOT_FINITE


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


def _flow_time(
    setting: Setting, state: TrialState, times: Float[Array, " events"]
) -> Float[Array, ""]:
    """The time of stopping: where the last of the events happened, or where the lane is."""
    time = state.time
    if setting.dynamics.interpolates:
        time = jnp.minimum(time, state.horizon)
    last = jnp.max(times)
    return jnp.where(jnp.isfinite(last), last, time)


def _event_times(setting: Setting, state: TrialState) -> Float[Array, " events"]:
    """When each event happened; of a flow, where in its step; infinite where it has not."""
    passages = state.passages
    if not passages:
        happened = (state.reason == Reason.CERTIFICATE) | (state.reason == Reason.EVENT)
        passages = (_passage(setting, state, 0)._replace(happened=happened),)
    times = []
    for index, event in enumerate(setting.events):
        passage, time = passages[index], passages[index].time
        if setting.dynamics.interpolates and not isinstance(event, Never):
            dt = passage.inside.dt
            if isinstance(event, Certificate):
                inside = passage.inside.crossing(state.targets[index])
            else:
                inside = _crossing(*passage.values, event)
            time = jnp.where(dt > 0, time - (1 - inside) * dt, time)
            time = jnp.minimum(time, state.horizon)
        times.append(jnp.where(passage.happened, time, jnp.inf))
    return jnp.stack(times)


def _crossing(now: Float[Array, ""], before: Float[Array, ""], event: Any) -> Float[Array, ""]:
    """Where in [0, 1] of a step the observable crossed the value of the event."""
    change = now - before
    inside = (event.value - before) / jnp.where(change != 0, change, 1)
    return jnp.clip(inside, 0, 1)


def _measured(setting: Setting, state: TrialState) -> Float[Array, " measured"]:
    """The observables asked for, where the lane is."""
    if not setting.measured or state.observed is None:
        return jnp.zeros(0, state.loss.dtype)
    problem, observed = setting.problem, state.observed
    here = observed_state(problem, state.data, state.theta, observed.first, observed.context)
    return problem.observe(setting.measured, here)


def _add(total: Array, rest: Array, more: Array) -> tuple[Array, Array]:
    """(total + rest) + more, with the rounding error kept in the new rest (Kahan)."""
    more = more + rest
    new = total + more
    return new, more - (new - total)
