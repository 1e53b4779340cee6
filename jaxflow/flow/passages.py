"""The events of a trial under way: whether they hold, when each happened, what is measured then.

Of several events the step in which each first happened is carried along; of one event alone it is
the last, for there the trial stops.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from jaxflow.core.trees import select
from jaxflow.flow.events import Certificate, Event, Never
from jaxflow.flow.state import (
    Observed,
    Passage,
    Request,
    Setting,
    TrialState,
    last_step,
    loss_in_time,
    observe,
)
from jaxflow.flow.stopping import Reason


def target(
    setting: Setting, event: Event, data: PyTree, value: Float[Array, ""]
) -> Float[Array, ""]:
    """The loss of a certificate; NaN where the event is another."""
    if isinstance(event, Certificate):
        return setting.problem.target(data, event.square)
    return jnp.full_like(value, jnp.nan)


def observed_at_start(
    setting: Setting, request: Request, data: PyTree, theta: PyTree
) -> Observed | None:
    """The observables asked for, at the start."""
    names = tuple(dict.fromkeys((*setting.watched, *setting.measured)))
    if not names:
        return None
    problem, sizes = setting.problem, request.sizes
    context = problem.context(names, request.keys, sizes, setting.shape, data, theta)
    values = jnp.zeros(0, jax.tree.leaves(theta)[0].dtype)
    if setting.watched:
        values = observe(problem, setting.watched, data, theta, theta, context)
    return Observed(values, values, theta, context)


def observed_after(
    setting: Setting, state: TrialState, theta: PyTree, keep: Bool[Array, ""]
) -> Observed | None:
    """The same after a step to theta, which was kept or not."""
    observed = state.observed
    if observed is None or not setting.watched:
        return observed
    first, context = observed.first, observed.context
    now = observe(setting.problem, setting.watched, state.data, theta, first, context)
    before = jnp.where(keep, observed.values, observed.before)
    return observed._replace(values=now, before=before)


def happened(setting: Setting, state: TrialState) -> tuple[Bool[Array, ""], Reason]:
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
        return loss_in_time(setting, state) <= state.targets[index]
    now, _ = _values(setting, state, event)
    return event.sign * (now - event.value) > 0


def _values(setting: Setting, state: TrialState, event: Any) -> tuple[Array, Array]:
    """The observable of an event at the end of the last step, and at its start."""
    assert state.observed is not None
    place = setting.watched.index(event.observable)
    return state.observed.values[place], state.observed.before[place]


def passages(setting: Setting, state: TrialState) -> tuple[Passage, ...]:
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
    return Passage(happened, state.time, last_step(state), values)


def not_finite(setting: Setting, state: TrialState) -> tuple[Bool[Array, ""], Reason]:
    """Whether there is nothing to compare at the start."""
    compared = jnp.isfinite(state.loss)
    for event, target in zip(setting.events, state.targets, strict=True):
        if isinstance(event, Certificate):
            compared = compared & setting.problem.is_comparable(state.data, target)
        elif event.observed:
            now, _ = _values(setting, state, event)
            compared = compared & jnp.isfinite(now)
    return ~compared, Reason.NOT_FINITE


def event_times(setting: Setting, state: TrialState) -> Float[Array, " events"]:
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


def measured(setting: Setting, state: TrialState) -> Float[Array, " measured"]:
    """The observables asked for, where the lane is."""
    if not setting.measured or state.observed is None:
        return jnp.zeros(0, state.loss.dtype)
    first, context = state.observed.first, state.observed.context
    return observe(setting.problem, setting.measured, state.data, state.theta, first, context)
