"""Trials observed on their way: when, what, and the loop that does it.

The steps are those of an unobserved trial. After an accepted step that reaches or passes a
scheduled flow time the state at its end is observed, at its own flow time: nothing is
interpolated, and no step is shortened to meet a time.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxflow.core.errors import mistake
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import (
    Request,
    Setting,
    Summary,
    TrialState,
    finish,
    in_own_precision,
    start,
    step,
)
from jaxflow.problems.shallow import observables as observed
from jaxflow.problems.shallow.ensemble import Ensemble, draw
from jaxflow.problems.shallow.labels import Teacher
from jaxflow.problems.shallow.teacher import Origin


class Trajectory(NamedTuple):
    """What was seen of a trial; K is the number of scheduled times, what was not used is NaN."""

    times: Float[Array | np.ndarray, "*lanes K+2"]
    values: Float[Array | np.ndarray, "*lanes K+2 observables"]


@dataclass(frozen=True)
class Recording:
    """What to record: the `observables` of the first `trials` seeds of every point.

    They are taken at the start, at the end, and as the trial passes the scheduled flow times:
    `points` of them spaced geometrically from `first` to the horizon, or the `times` given.
    """

    observables: tuple[str, ...]
    trials: int = 1
    points: int = 64
    first: float = 0.01
    times: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.observables:
            raise mistake("observables to record", self.observables, "name one, such as 'loss'")
        observed.check(self.observables)
        if self.trials < 1:
            raise mistake("trials >= 1", self.trials, "record one trial of a point at least")
        if self.points < 2:
            raise mistake("points >= 2", self.points, "ask for more times")
        if not self.first > 0:
            raise mistake("first > 0", self.first, "give the first flow time after the start")
        ordered = all(s < t for s, t in zip((0.0, *self.times), self.times, strict=False))
        if not ordered or not np.all(np.isfinite(self.times)):
            raise mistake("increasing times > 0", self.times, "sort them; the start is recorded")

    def check(self, ensemble: Ensemble) -> None:
        """Raise `ValueError` where trials of this ensemble do not have these observables."""
        observed.check_ensemble(self.observables, ensemble)

    @property
    def count(self) -> int:
        """K, the number of scheduled times."""
        return len(self.times) or self.points

    def schedule(self, horizon: float) -> Float[np.ndarray, " K"]:
        """The flow times to record at, ascending; the horizon if it comes before `first`."""
        if self.times:
            return np.asarray(self.times, np.float64)
        return np.geomspace(min(self.first, horizon), horizon, self.points)

    def arrays(self, trajectory: Trajectory, lane: int) -> dict[str, np.ndarray]:
        """Flow times and observables by name, "time" first, of one lane of a batch."""
        times, values = np.asarray(trajectory.times[lane]), np.asarray(trajectory.values[lane])
        kept = ~np.isnan(times)
        columns = dict(zip(self.observables, values[kept].T, strict=True))
        return {"time": times[kept], **columns}


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
    times: Float[Array, " K"],
) -> tuple[Summary, Trajectory]:
    """Run one request to its end, observed at the start, after the `times`, and at the end.

    `times` ascend, in flow time. A certified trial is last observed at the end of its last step,
    a little after the flow time of its summary. One that is not `is_live` is skipped.
    """
    first = start(setting, request)
    first = first._replace(reason=jnp.where(is_live, first.reason, Reason.IDLE))
    origin = _origin(setting, request, first) if observed.OF_TEACHER & set(observables) else None
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
        found = observed.observe(
            observables,
            setting.at(state.values).ensemble.network,
            state.data,
            state.theta,
            state.velocity,
            first.theta,
            origin,
        )
        at_row = lambda old, new: jnp.asarray(old).at[row].set(new)  # noqa: E731
        seen = Trajectory(at_row(carry.seen.times, state.time), at_row(carry.seen.values, found))
        return _Carry(state, seen, row + 1, passed(state), state.steps)

    none = jnp.zeros((), jnp.int32)
    before = jnp.where(is_live, none - 1, none)
    last = jax.lax.while_loop(unfinished, to_the_next, _Carry(first, seen, none, none - 1, before))
    return finish(setting, last.state), last.seen


def _origin(setting: Setting, request: Request, first: TrialState) -> Origin:
    """The trial in ambient coordinates, drawn again unless it is in those, and its teacher."""
    ensemble = setting.at(jnp.asarray(request.values)).ensemble
    assert isinstance(ensemble.labels, Teacher)
    V = ensemble.labels.weights(request.sizes, request.keys, setting.shape.D).astype(setting.dtype)
    if setting.coordinates == "ambient":
        return Origin(first.data, first.theta, V)
    data, theta = draw(ensemble, request.keys, request.sizes, setting.shape, setting.dtype)
    return Origin(data, theta, V)
