"""What the row of a sound trial can say, whatever the design that asked for it."""

from collections.abc import Iterator
from math import isfinite

from jaxflow.core.errors import shortened
from jaxflow.core.types import ROUNDING, Outcome, Row
from jaxflow.store.identity import StoredProtocol

OUTCOMES = {
    "certificate": Outcome.CONVERGED,
    "event": Outcome.CONVERGED,
    "stationary": Outcome.STALLED,
    "horizon": Outcome.UNDECIDED,
    "not_finite": Outcome.FAILED,
    "budget": Outcome.FAILED,
    "raised": Outcome.FAILED,
    "killed": Outcome.FAILED,
}
WITHOUT_LOSS = ("not_finite", "raised", "killed")
SLACK = 1e-3  # of a step of descent, by which it may pass the horizon


def faults(protocol: StoredProtocol, row: Row) -> Iterator[str]:
    """What a row says that no trial of the protocol can."""
    if row.dynamics not in protocol.dynamics:
        yield "the protocol has no such dynamics"
    if row.dtype != protocol.precision:
        yield f"ran in {row.dtype}, not in the protocol's {protocol.precision}"
    yield from _of_end(row)
    yield from _of_events(protocol, row)
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


def _of_events(protocol: StoredProtocol, row: Row) -> Iterator[str]:
    """Every event is one of the protocol's, and happened before the end; all if it converged."""
    known = protocol.table.get("events")
    names = set(known) if isinstance(known, dict) else set()
    times = dict(row.event_times)
    yield from (f"the protocol has no event {shortened(name)}" for name in times.keys() - names)
    if any(not 0 <= time <= row.flow_time for time in times.values()):
        yield f"an event after the end at {row.flow_time:g}"
    if names and (row.outcome is Outcome.CONVERGED) != (times.keys() >= names):
        yield f"{row.outcome} does not go with {len(times)} of {len(names)} events"
    asked = protocol.table.get("measure")
    if sorted(asked if isinstance(asked, list) else []) != [name for name, _ in row.measured]:
        yield "what was measured is not what the protocol asks for"


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
        if row.reason not in WITHOUT_LOSS and (negative or not isfinite(x)):
            yield f"{name} = {x} is no loss"
