"""What the row of a sound trial can say, given its study."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from jaxflow.core.types import ROUNDING, SIZES, Outcome, Row
from jaxflow.papers.group import group_count
from jaxflow.papers.rules import width_rule

OUTCOMES = {
    "certificate": Outcome.CONVERGED,
    "stationary": Outcome.STALLED,
    "horizon": Outcome.UNDECIDED,
    "not_finite": Outcome.FAILED,
    "budget": Outcome.FAILED,
}
WIDTHS = {"failure": width_rule, "alpha": group_count}  # of n and the number in the axes
SLACK = 1e-3  # of a step of descent, by which it may pass the horizon


def faults(study: dict[str, Any], row: Row) -> Iterator[str]:
    """What a row says that no trial of the study can; `study` is its JSON as a table."""
    yield from _of_place(study, row)
    yield from _of_end(study, row)
    yield from _of_counts(row)
    yield from _of_losses(row)


def _of_place(study: dict[str, Any], row: Row) -> Iterator[str]:
    """Dynamics, sizes and parameters are those the study asks for."""
    if row.dynamics not in study["dynamics"]:
        yield "the study has no such dynamics"
    asked = _asked(study, row)
    place = {**{name: row.point[name] for name in SIZES}, **dict(row.parameters)}
    yield from (f"{name} is missing" for name in asked if name not in place)
    yield from (f"{name} is no axis of the study" for name in place if name not in asked)
    for name, x in place.items():
        if name in asked and not _is_in(asked[name], x):
            yield f"{name} = {x:g} is not asked for by the study"
    if row.dtype != study["precision"]:
        yield f"ran in {row.dtype}, not in the study's {study['precision']}"


def _asked(study: dict[str, Any], row: Row) -> dict[str, Any]:
    """The values of every axis of the row's dynamics: a list, or the plan of the one scanned.

    A parameter of another dynamics is none of its axes. Widths may follow the row's n.
    """
    axes, plan = study["axes"], study.get("threshold") or study["grid"]
    asked = {**{name: axes[name] for name in SIZES}, **axes["parameters"], plan["along"]: plan}
    for name, rule in WIDTHS.items():
        if axes.get(name) and row.n >= 1:
            asked["p"] = [rule(row.n, x) for x in axes[name]]
    others, own = "dynamics.", f"dynamics.{row.dynamics}."
    return {k: v for k, v in asked.items() if not k.startswith(others) or k.startswith(own)}


def _is_in(values: Any, x: float) -> bool:
    if isinstance(values, dict) and "low" in values:
        return bool(values["low"] <= x <= values["high"])
    return x in (values["values"] if isinstance(values, dict) else values)


def _of_end(study: dict[str, Any], row: Row) -> Iterator[str]:
    """The outcome is that of the reason, and the time lies within what was allowed."""
    if OUTCOMES.get(row.reason) is not row.outcome:
        yield f"{row.outcome} does not go with the reason {row.reason!r}"
    if not (isfinite(row.horizon) and row.horizon > 0):
        yield "the horizon is no flow time"
    elif not 0 <= row.flow_time <= _latest(study, row) and row.reason != "not_finite":
        yield f"flow time {row.flow_time:g} is outside the horizon"


def _latest(study: dict[str, Any], row: Row) -> float:
    """The last flow time at which a trial may stop: descent takes whole steps, at least one."""
    table = study["dynamics"].get(row.dynamics, {})
    name = f"dynamics.{row.dynamics}.step"
    step = dict(row.parameters).get(name, table.get("step"))
    if table.get("kind") != "descent" or step is None:
        return row.horizon * (1 + ROUNDING)
    return max(row.horizon + SLACK * step, step) * (1 + ROUNDING)


def _of_counts(row: Row) -> Iterator[str]:
    for name in ("seed", "steps", "evaluations", "rejections"):
        if getattr(row, name) < 0:
            yield f"{name} = {getattr(row, name)} is negative"
    if row.evaluations < row.steps:
        yield f"{row.evaluations} evaluations are too few for {row.steps} steps"


def _of_losses(row: Row) -> Iterator[str]:
    """Curvature and drift are quotients that a perfect fit or zero weights leave undefined."""
    for name in ("first_loss", "last_loss"):
        x = getattr(row, name)
        if row.reason != "not_finite" and not (isfinite(x) and x >= 0):
            yield f"{name} = {x} is no loss"
