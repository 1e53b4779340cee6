"""What a trial is made of: what its program knows, what its lane asks for, holds and leaves."""

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
from jaxflow.flow.dynamics import AdvanceBy, Dynamics
from jaxflow.flow.events import Event
from jaxflow.flow.stopping import LogLoss
from jaxflow.problems.problem import Problem, Shape, Sizes, State

F = TypeVar("F", bound=Callable[..., Any])


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


def remaining(state: TrialState) -> Float[Array, ""]:
    """Flow time left to the horizon; negative where the last step has gone beyond."""
    return (state.horizon - state.time) - state.time_rest


def loss_in_time(setting: Setting, state: TrialState) -> Float[Array, ""]:
    """The loss where the lane is, or at the horizon inside its last step."""
    if not setting.dynamics.interpolates:
        return state.loss
    beyond = -remaining(state)
    inside = 1 - beyond / jnp.where(beyond > 0, state.last.dt, 1)
    return jnp.where(beyond > 0, last_step(state).at(inside), state.loss)


def last_step(state: TrialState) -> LogLoss:
    """The logarithm of the loss inside the last step."""
    dt, value, slope = state.last
    return LogLoss(dt, (value, state.loss), (slope, state.decay))


def observe(
    problem: Problem,
    names: tuple[str, ...],
    data: PyTree,
    theta: PyTree,
    first: PyTree,
    context: PyTree,
) -> Float[Array, " names"]:
    """The observables named, at theta: with the problem's own field, whatever the dynamics."""
    here = State(data, theta, problem.field(data, theta), first, context)
    return problem.observe(names, here)
