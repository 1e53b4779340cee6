"""Batches of trials: what the lanes take in, and the rows that come out of them."""

from math import isfinite, nan
from typing import Any

import numpy as np

from jaxflow.core.keys import Keys, trial_keys
from jaxflow.core.types import Outcome, Row, Trial
from jaxflow.flow.state import Request, Summary
from jaxflow.flow.stopping import Reason
from jaxflow.problems.problem import Sizes


def requests(
    seed: int, trials: list[Trial], lanes: int, dtype: str, parameters: tuple[str, ...] = ()
) -> Request:
    """The `Request` of a batch of a study's trials in NumPy, filled up with copies of the first.

    `parameters` are the names, as in the study, of those that the lanes take values of.
    """
    padded = trials + trials[:1] * (lanes - len(trials))
    points = np.array([(t.point.d, t.point.n, t.point.p) for t in padded], np.int32)
    keys = [trial_keys(seed, t.point, t.seed) for t in padded]
    stacked = Keys(*(np.stack(stream) for stream in zip(*keys, strict=True)))
    horizons = np.array([t.horizon for t in padded], dtype)
    values = np.array([[t.point[name] for name in parameters] for t in padded], dtype)
    return Request(stacked, Sizes(*points.T), horizons, values)


def row(
    trial: Trial,
    summary: Summary,
    lane: int,
    *,
    events: tuple[str, ...],
    measured: tuple[str, ...],
    dtype: str,
    device: str,
    program: str,
    versions: str,
) -> Row:
    """The row of the trial that ended in a lane of a batch, whose summaries have a lane axis.

    `events` are the names of several; of one without a name the flow time of the row tells.
    `versions` are those of what decides the row.
    """
    values = {name: column[lane].tolist() for name, column in summary._asdict().items()}
    reason = Reason(values.pop("reason"))
    times = zip(events, values.pop("event_times"), strict=True)
    final = zip(measured, values.pop("measured"), strict=True)
    del values["advances"]
    return Row(
        **_identity(trial),
        outcome=reason.outcome,
        reason=reason.name.lower(),
        event_times=tuple(sorted((name, time) for name, time in times if name and isfinite(time))),
        measured=tuple(sorted(final)),
        dtype=dtype,
        device=device,
        program=program,
        versions=versions,
        **values,
    )


def failed_row(
    trial: Trial, reason: str, *, measured: tuple[str, ...], dtype: str, versions: str
) -> Row:
    """The row of a trial that could not be run: it was "killed", or it "raised" an error."""
    return Row(
        **_identity(trial),
        outcome=Outcome.FAILED,
        reason=reason,
        flow_time=0.0,
        steps=0,
        evaluations=0,
        rejections=0,
        first_loss=nan,
        last_loss=nan,
        well_initialized=False,
        balancedness_drift=nan,
        curvature=nan,
        event_times=(),
        measured=tuple((name, nan) for name in sorted(measured)),
        dtype=dtype,
        device="",
        program="",
        versions=versions,
    )


def _identity(trial: Trial) -> dict[str, Any]:
    """What a row says whatever became of the trial: which it is."""
    point = trial.point
    return {
        "dynamics": trial.dynamics,
        "d": point.d,
        "n": point.n,
        "p": point.p,
        "parameters": point.parameters,
        "seed": trial.seed,
        "horizon": trial.horizon,
    }
