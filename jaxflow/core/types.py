"""The records that pass between floors: a point of the phase diagram, a trial, and its row.

A `Row` says everything needed to trust or repeat a trial. It is made by the engine, kept by the
store and read by the statistics; none of these imports another.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self, TypeAlias

ParameterValues: TypeAlias = tuple[
    tuple[str, float], ...
]  # of continuous parameters, sorted by name
SIZES = ("d", "n", "p")
ROUNDING = 1e-6  # of a flow time summed up in float32


class Outcome(StrEnum):
    """How a trial ended. Never folded into one boolean before the statistics."""

    CONVERGED = "CONVERGED"  # the certificate holds
    STALLED = "STALLED"  # stationary with positive loss
    UNDECIDED = "UNDECIDED"  # the horizon was reached
    FAILED = "FAILED"  # not finite, or out of steps


@dataclass(frozen=True, order=True)
class Point:
    """Where in the phase diagram: input dimension d, samples n, width p, and parameters of laws.

    A parameter goes by its dotted name in the study file, as "ensemble.initialization.shrink".
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


@dataclass(frozen=True, order=True)
class Trial:
    """One run of one dynamics: its point, its seed and the flow time allowed.

    `dynamics` is the name the study gives to a dynamics ("flow", "descent"); `seed` counts the
    trials of a point from 0. Dynamics, horizon and parameters are part of a result's identity but
    not of the random numbers: with the same d, n, p and seed, every dynamics and every value of a
    parameter starts from the same ones.
    """

    dynamics: str
    point: Point
    seed: int
    horizon: float


@dataclass(frozen=True)
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
    reason: str  # why it stopped, in one word: certificate, stationary, horizon, ...
    flow_time: float  # when it stopped; interpolated inside the step if CONVERGED
    steps: int  # accepted steps
    evaluations: int  # evaluations of the field -p grad L
    rejections: int  # rejected steps
    first_loss: float
    last_loss: float
    well_initialized: bool  # every sample has an active neuron of its label's sign
    balancedness_drift: float  # max_j |change of a_j^2 - |w_j|^2/degree| / max_j a_j^2, or NaN
    curvature: float  # local PL curvature -L'/L where it stopped
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

    def converged_by(self, time: float) -> bool:
        """Whether it converged within that flow time, which the horizon must reach."""
        return self.outcome is Outcome.CONVERGED and self.flow_time <= time * (1 + ROUNDING)
