"""The records that pass between floors: a point of the phase diagram, a trial, and its row.

A `Row` says everything needed to trust or repeat a trial. It is made by the engine, kept by the
store and read by the statistics; none of these imports another.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a trial ended. Never folded into one boolean before the statistics."""

    CONVERGED = "CONVERGED"  # the certificate holds
    STALLED = "STALLED"  # stationary with positive loss
    UNDECIDED = "UNDECIDED"  # the horizon was reached
    FAILED = "FAILED"  # not finite, or out of steps


@dataclass(frozen=True, order=True)
class Point:
    """Where in the phase diagram: input dimension d, samples n, width p."""

    d: int
    n: int
    p: int


@dataclass(frozen=True, order=True)
class Trial:
    """One run of one dynamics: its point, its seed and the flow time allowed.

    `dynamics` is the name the study gives to a dynamics ("flow", "descent"); `seed` counts the
    trials of a point from 0. Dynamics and horizon are part of a result's identity but not of the
    draw: the same point and seed start every dynamics from the same network and data.
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
    balancedness_drift: float  # max_j |change of a_j^2 - |w_j|^2/degree| / max_j a_j^2
    curvature: float  # local PL curvature -L'/L where it stopped
    dtype: str
    device: str
    program: str  # bucket, transform and batch width of the compiled program
    versions: str  # jaxflow, jax, jaxlib and diffrax
