"""What the row of a sound trial can say, whatever the design that asked for it."""

from collections.abc import Iterator
from math import isfinite

from jaxflow.core.types import ROUNDING, Outcome, Row
from jaxflow.store.identity import StoredProtocol

OUTCOMES = {
    "certificate": Outcome.CONVERGED,
    "event": Outcome.CONVERGED,
    "stationary": Outcome.STALLED,
    "horizon": Outcome.UNDECIDED,
    "not_finite": Outcome.FAILED,
    "budget": Outcome.FAILED,
}
SLACK = 1e-3  # of a step of descent, by which it may pass the horizon


def faults(protocol: StoredProtocol, row: Row) -> Iterator[str]:
    """What a row says that no trial of the protocol can."""
    if row.dynamics not in protocol.dynamics:
        yield "the protocol has no such dynamics"
    if row.dtype != protocol.precision:
        yield f"ran in {row.dtype}, not in the protocol's {protocol.precision}"
    yield from _of_end(row)
    yield from _of_counts(row)
    yield from _of_losses(row)


def _of_end(row: Row) -> Iterator[str]:
    """The outcome is that of the reason, and the time lies within what was allowed.

    Descent takes whole steps, at least one: the last of them may pass the horizon by rounding.
    """
    if OUTCOMES.get(row.reason) is not row.outcome:
        yield f"{row.outcome} does not go with the reason {row.reason!r}"
    if row.reason == "not_finite":
        return
    step = row.flow_time / max(row.steps, 1)
    latest = row.flow_time if row.steps == 1 else row.horizon + SLACK * step
    if not 0 <= row.flow_time <= latest * (1 + ROUNDING):
        yield f"flow time {row.flow_time:g} is outside the horizon"


def _of_counts(row: Row) -> Iterator[str]:
    for name in ("steps", "evaluations", "rejections"):
        if getattr(row, name) < 0:
            yield f"{name} = {getattr(row, name)} is negative"
    if row.evaluations < row.steps:
        yield f"{row.evaluations} evaluations are too few for {row.steps} steps"


def _of_losses(row: Row) -> Iterator[str]:
    """Curvature and drift are quotients that a perfect fit or zero weights leave undefined."""
    for name in ("first_loss", "last_loss"):
        x = getattr(row, name)
        negative = x < 0 and row.reason == "certificate"  # which is of losses that are not
        if row.reason != "not_finite" and (negative or not isfinite(x)):
            yield f"{name} = {x} is no loss"
