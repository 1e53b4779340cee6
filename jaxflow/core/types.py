"""The records that pass between floors: a point of the phase diagram, a trial, and its row.

A `Row` says everything needed to trust or repeat a trial. It is made by the engine, kept by the
store and read by the statistics; none of these imports another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np

from jaxflow.core.errors import mistake

NamedNumbers: TypeAlias = tuple[tuple[str, float], ...]  # sorted by name
ParameterValues: TypeAlias = NamedNumbers  # of the parameters of a point
SIZES = ("d", "n", "p")
ROUNDING = 1e-6  # of a flow time summed up in float32


class Outcome(StrEnum):
    """How a trial ended. Never folded into one boolean before the statistics.

    CONVERGED: the event has happened. STALLED: the loss is stationary before it has, and
    the time left would change nothing. UNDECIDED: the horizon came first. FAILED: a number was not
    finite, or the steps ran out.
    """

    CONVERGED = "CONVERGED"  # the event has happened
    STALLED = "STALLED"  # stationary with positive loss
    UNDECIDED = "UNDECIDED"  # the horizon was reached
    FAILED = "FAILED"  # not finite, or out of steps


@dataclass(frozen=True, order=True, slots=True)
class Point:
    """Where in the phase diagram: input dimension d, samples n, width p, and parameters of laws.

    A parameter goes by its dotted name in the study file, as "problem.initialization.shrink".
    """

    d: int
    n: int
    p: int
    parameters: ParameterValues = ()

    def __getitem__(self, axis: str) -> float:
        """The coordinate along d, n, p or a parameter."""
        coordinate: float = getattr(self, axis) if axis in SIZES else dict(self.parameters)[axis]
        return coordinate

    def moved(self, axis: str, x: float) -> Self:
        """This point with its coordinate along `axis` at x."""
        if axis in SIZES:
            sizes: dict[str, Any] = {axis: int(x)}
            return replace(self, **sizes)
        values = {**dict(self.parameters), axis: float(x)}
        return replace(self, parameters=tuple(sorted(values.items())))

    @property
    def of_problem(self) -> Self:
        """This point without the parameters of dynamics: what is drawn is a function of it."""
        kept = tuple((name, x) for name, x in self.parameters if not name.startswith("dynamics."))
        return self if kept == self.parameters else replace(self, parameters=kept)


class Pace(NamedTuple):
    """How a dynamics counts its way: the flow time of a step, if all have one, and its batch."""

    step: float | None = None
    batch: int | None = None

    def step_at(self, point: Point, dynamics: str) -> float:
        """The flow time of a step, which may be a parameter of the point."""
        assert self.step is not None
        return dict(point.parameters).get(f"dynamics.{dynamics}.step", self.step)


@dataclass(frozen=True)
class Outline:
    """What a design must know of the protocol that it is run of; one event alone has no name."""

    dynamics: Mapping[str, Pace]
    events: tuple[str, ...] = ("",)

    @classmethod
    def of(cls, protocol: Mapping[str, Any]) -> Self:
        """That of a protocol as plain values."""
        paces = {
            name: Pace(_number(rule.get("step")), _number(rule.get("batch")))
            for name, rule in protocol["dynamics"].items()
        }
        events = protocol.get("events")
        return cls(paces, tuple(sorted(events)) if isinstance(events, Mapping) else ("",))


def _number(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


class Reach(NamedTuple):
    """How far along a size trials go that may share a program, and about how many they are."""

    along: str
    ends: tuple[float, ...]  # the last is the farthest; others are about thresholds located
    trials: int


@dataclass(frozen=True, order=True, slots=True)
class Trial:
    """One run of one dynamics: its point, its seed and the flow time allowed.

    `dynamics` is the name the study gives to a dynamics ("flow", "descent"); `seed` counts the
    trials of a point from 0. The dynamics and its parameters are part of a trial's identity but not
    of the random numbers: at one seed, and one point of the problem, every dynamics starts from the
    same ones. The horizon is no part of it: a trial allowed more time is the same trial, followed
    further. Nor is `within`, the reach of those that it may share a program with; None if these are
    of its own size alone.
    """

    dynamics: str
    point: Point
    seed: int
    horizon: float = field(compare=False)
    within: Reach | None = field(default=None, compare=False)

    def __str__(self) -> str:
        names = (*SIZES, *dict(self.point.parameters))
        place = " ".join(f"{name}={self.point[name]:g}" for name in names)
        return f"{self.dynamics} {place} seed={self.seed}"


@dataclass(frozen=True, slots=True)
class Row:
    """The record of one decided trial."""

    dynamics: str
    d: int
    n: int
    p: int
    parameters: ParameterValues
    seed: int
    horizon: float  # flow time allowed
    outcome: Outcome
    reason: str  # why it stopped, in one word: certificate, event, stationary, horizon, ...
    flow_time: float  # when it stopped; interpolated inside the step if CONVERGED
    steps: int  # accepted steps
    evaluations: int  # evaluations of the field -p grad L
    rejections: int  # rejected steps
    first_loss: float
    last_loss: float
    well_initialized: bool  # every sample has an active neuron of its label's sign
    balancedness_drift: float  # max_j |change of a_j^2 - |w_j|^2/degree| / max_j a_j^2, or NaN
    curvature: float  # local PL curvature -L'/L where it stopped
    event_times: NamedNumbers  # when each of several events happened, of those that did
    measured: NamedNumbers  # the observables asked for, where it stopped
    dtype: str
    device: str
    program: str  # bucket, transform and batch width of the compiled program
    versions: str  # jaxflow, jax, jaxlib and diffrax

    @property
    def point(self) -> Point:
        """Where the trial is in the phase diagram."""
        return Point(self.d, self.n, self.p, self.parameters)

    @property
    def trial(self) -> Trial:
        """The trial that this is the record of."""
        return Trial(self.dynamics, self.point, self.seed, self.horizon)

    def as_dict(self) -> dict[str, Any]:
        """Its fields; numbers by name are dictionaries."""
        named = ("parameters", "event_times", "measured")
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**values, **{name: dict(values[name]) for name in named}}

    def of_event(self, name: str) -> "Row":
        """The row of the same trial followed for one alone of several events.

        Without a name, for all of them: the row itself.
        """
        times = dict(self.event_times)
        if name not in times:
            return self
        return replace(self, outcome=Outcome.CONVERGED, reason="event", flow_time=times[name])

    def answers(self, horizon: float) -> bool:
        """Whether it says how the trial ends within that flow time: for good, or followed so far.

        A trial stalls where the time it has left would change nothing, and one that converges at
        its very horizon is interpolated there: both are said of that horizon alone.
        """
        inside = self.flow_time < self.horizon * (1 - ROUNDING)
        for_good = self.outcome is Outcome.FAILED or (self.outcome is Outcome.CONVERGED and inside)
        return for_good or horizon <= self.horizon * (1 + ROUNDING)

    def converged_by(self, time: float) -> bool:
        """Whether it converged within that flow time, which the row must answer."""
        return self.outcome is Outcome.CONVERGED and self.flow_time <= time * (1 + ROUNDING)

    def outcome_by(self, time: float) -> Outcome:
        """How it had ended by that flow time; what comes later leaves it undecided until then."""
        ended = self.converged_by(time) or self.flow_time <= time
        return self.outcome if ended else Outcome.UNDECIDED


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
        if len(set(self.observables)) < len(self.observables):
            raise mistake("every observable once", self.observables, "drop the repeated one")
        if self.trials < 1:
            raise mistake("trials >= 1", self.trials, "record one trial of a point at least")
        if self.points < 2:
            raise mistake("points >= 2", self.points, "ask for more times")
        if not self.first > 0:
            raise mistake("first > 0", self.first, "give the first flow time after the start")
        ordered = all(s < t for s, t in zip((0.0, *self.times), self.times, strict=False))
        if not ordered or not np.all(np.isfinite(self.times)):
            raise mistake("increasing times > 0", self.times, "sort them; the start is recorded")

    @property
    def count(self) -> int:
        """K, the number of scheduled times."""
        return len(self.times) or self.points

    def schedule(self, horizon: float) -> np.ndarray:
        """The flow times (K,) to record at, ascending; the horizon if it comes before `first`."""
        if self.times:
            return np.asarray(self.times, np.float64)
        return np.geomspace(min(self.first, horizon), horizon, self.points)

    def arrays(self, trajectory: tuple[Any, Any], lane: int) -> dict[str, np.ndarray]:
        """Flow times (k,) and observables by name, "time" first, of one lane of a batch.

        `trajectory` are the times (lanes, K) and values (lanes, K, observables) of the batch; a
        time that is NaN was not used.
        """
        times, values = (np.asarray(part[lane]) for part in trajectory)
        kept = ~np.isnan(times)
        return {"time": times[kept], **dict(zip(self.observables, values[kept].T, strict=True))}
