"""Trials observed on their way: when, what, and the loop that does it.

The steps are those of an unobserved trial. After an accepted step that reaches or passes a
scheduled flow time the state at its end is observed, at its own flow time: nothing is
interpolated, and no step is shortened to meet a time.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxflow.core.types import Recording
from jaxflow.flow.state import (
    Request,
    Setting,
    Summary,
    TrialState,
    in_own_precision,
    observe,
)
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import finish, start, step
from jaxflow.problems.problem import Problem


class Trajectory(NamedTuple):
    """What was seen of a trial; K is the number of scheduled times, what was not used is NaN."""

    times: Float[Array | np.ndarray, "*lanes K+2"]
    values: Float[Array | np.ndarray, "*lanes K+2 observables"]


def check_recording(recording: Recording, problem: Problem) -> None:
    """Raise `ValueError` where trials of a problem do not have what is to be recorded."""
    problem.check_observables(recording.observables)


class _Carry(NamedTuple):
    """A trial under way and what was seen of it."""

    state: TrialState
    seen: Trajectory
    rows: Int[Array, ""]  # of it that are filled
    passed: Int[Array, ""]  # scheduled times at or before the last row; -1 before the first
    steps: Int[Array, ""]  # accepted before the last row; -1 before the first


@in_own_precision
def solve_recorded(
    setting: Setting,
    observables: tuple[str, ...],
    request: Request,
    is_live: Bool[Array, ""],
    times: Float[Array | np.ndarray, " K"],
) -> tuple[Summary, Trajectory]:
    """Run one request to its end, observed at the start, after the `times`, and at the end.

    `times` ascend, in flow time. A certified trial is last observed at the end of its last step,
    a little after the flow time of its summary. One that is not `is_live` is skipped.
    """
    first = start(setting, request)
    first = first._replace(reason=jnp.where(is_live, first.reason, Reason.IDLE))
    problem = setting.at(jnp.asarray(request.values)).problem
    context = problem.context(
        observables,
        request.keys,
        request.sizes,
        setting.shape,
        first.data,
        first.theta,
    )
    rows = len(times) + 2
    seen = Trajectory(
        jnp.full(rows, jnp.nan, first.time.dtype),
        jnp.full((rows, len(observables)), jnp.nan, first.time.dtype),
    )

    def passed(state: TrialState) -> Int[Array, ""]:
        return jnp.sum(times <= state.time, dtype=jnp.int32)

    def running(state: TrialState) -> Bool[Array, ""]:
        return state.reason == Reason.RUNNING

    def unfinished(carry: _Carry) -> Bool[Array, ""]:
        return running(carry.state) | (carry.state.steps > carry.steps)

    def to_the_next(carry: _Carry) -> _Carry:
        state = jax.lax.while_loop(
            lambda state: running(state) & (passed(state) <= carry.passed),
            lambda state: step(setting, state),
            carry.state,
        )
        # A trial that ends on a rejected step was seen where it stands: its row is written again.
        row = jnp.where(state.steps > carry.steps, carry.rows, carry.rows - 1)
        problem = setting.at(state.values).problem
        found = observe(problem, observables, state.data, state.theta, first.theta, context)
        at_row = lambda old, new: jnp.asarray(old).at[row].set(new)  # noqa: E731
        trajectory = Trajectory(
            at_row(carry.seen.times, state.time), at_row(carry.seen.values, found)
        )
        return _Carry(state, trajectory, row + 1, passed(state), state.steps)

    none = jnp.zeros((), jnp.int32)
    before = jnp.where(is_live, none - 1, none)
    last = jax.lax.while_loop(unfinished, to_the_next, _Carry(first, seen, none, none - 1, before))
    return finish(setting, last.state), last.seen
