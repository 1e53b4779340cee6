"""Is a store sound, by what its protocol and its designs allow? And the union of sound stores."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxflow.core.types import ROUNDING, SIZES, Outcome, Row, Trial
from jaxflow.sampling.axes import concerning
from jaxflow.sampling.design import Design
from jaxflow.store import checking, merging
from jaxflow.store.store import Store

SLACK = 1e-3  # of a step of descent, by which it may pass the horizon; of a loss, for its rounding


def check(folder: str | Path) -> list[str]:
    """What is wrong with the store in a folder, each in one line; nothing if it is sound.

    Nothing is written, and a writer may be at work meanwhile. Raises `ValueError` when there is no
    store.
    """
    return checking.check(folder, rules)


def merge(target: str | Path, sources: Iterable[str | Path]) -> merging.MergeReport:
    """Add the trials of sound stores of one protocol to that in `target`, all of them or none.

    The target is made when missing. Their designs may differ. Raises `ValueError` where a source is
    of another protocol, where it says what no sound store says, and where two of them, or one and
    the target, contradict each other; the target is then as it was.
    """
    return merging.merge(target, sources, rules)


def rules(store: Store) -> Callable[[Row], Iterator[str]]:
    """What a row of a store says that no trial asked for by its designs can."""
    asked: dict[Trial, list[tuple[Design, Trial]]] = {}
    for kept in store.designs:
        design = Design.from_json(kept.json)
        for trial in store.asked(kept.hash):
            asked.setdefault(trial, []).append((design, trial))

    def found(row: Row) -> Iterator[str]:
        asking = asked.get(row.trial, [])
        if not any(abs(row.horizon - t.horizon) <= ROUNDING * t.horizon for _, t in asking):
            yield f"no design asks for a horizon of {row.horizon:g}"
        for design, trial in asking:
            yield from misplaced(design, trial)
        yield from faults(store.protocol.table, row)

    return found


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
