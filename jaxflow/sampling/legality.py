"""What a sound store can say: trials that its designs can ask for, and rows that answer them."""

from collections.abc import Iterator, Mapping
from typing import Any

from jaxflow.core.types import ROUNDING, SIZES, Outcome, Row, Trial
from jaxflow.sampling.axes import concerning
from jaxflow.sampling.design import Design

SLACK = 1e-3  # of a step of descent, by which it may pass the horizon; of a loss, for its rounding


def misplaced(design: Design, trial: Trial) -> Iterator[str]:
    """Why a design cannot have asked for a trial, a line each; nothing if it can."""
    names = concerning(design.parameters, trial.dynamics)
    place = {**{name: trial.point[name] for name in SIZES}, **dict(trial.point.parameters)}
    yield from (f"{name} is missing" for name in names if name not in place)
    yield from (f"{name} is no axis of {design.name}" for name in set(place) - {*names, *SIZES})
    plan = design.plan_at(trial.point)
    for name in {*place} & {*names, *SIZES}:
        x = place[name]
        if name == design.along:
            listed = plan.low <= x <= plan.high
        elif name == "p" and design.axes.follows:
            listed = trial.point.n >= 1 and x in design.axes.widths(trial.point.n)
        else:
            listed = x in design.axes.values(name)
        if not listed:
            yield f"{name} = {x:g} is not asked for by {design.name}"
    asked = design.horizon.times(trial.point)[-1] if min(trial.point.n, trial.point.p) > 0 else 0.0
    if not abs(trial.horizon - asked) <= ROUNDING * asked:
        yield f"horizon {trial.horizon:g} is not that of {design.name}, {asked:g}"


def faults(protocol: Mapping[str, Any], row: Row) -> Iterator[str]:
    """What a row says that no trial of a protocol, given as a table, can; a line each."""
    dynamics = protocol["dynamics"]
    if row.dynamics not in dynamics:
        yield "the protocol has no such dynamics"
        return
    if row.dtype != protocol["precision"]:
        yield f"ran in {row.dtype}, not in {protocol['precision']}"
    if not 0 <= row.flow_time <= _latest(dynamics[row.dynamics], row) and _is_finite(row):
        yield f"flow time {row.flow_time:g} is outside the horizon"
    success = protocol["success"]
    if isinstance(success, int | float) and _is_finite(row):
        target = success / (2 * row.n)
        if row.outcome is Outcome.CONVERGED and row.last_loss > target * (1 + SLACK):
            yield f"converged with a loss of {row.last_loss:g}, above the {target:g} asked for"
        if row.outcome is not Outcome.CONVERGED and row.last_loss < target * (1 - SLACK):
            yield f"{row.outcome} with a loss of {row.last_loss:g}, below the {target:g} asked for"


def _latest(dynamics: Mapping[str, Any], row: Row) -> float:
    """The last flow time at which a trial may stop: descent takes whole steps, at least one."""
    step = dict(row.parameters).get(f"dynamics.{row.dynamics}.step", dynamics.get("step"))
    if dynamics.get("kind") != "descent" or step is None:
        return row.horizon * (1 + ROUNDING)
    return float(max(row.horizon + SLACK * step, step) * (1 + ROUNDING))


def _is_finite(row: Row) -> bool:
    return row.reason != "not_finite"
