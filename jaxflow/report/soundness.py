"""Is a store sound, by what its protocol and its designs allow? And the union of sound stores."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jaxflow.core.checks import Array
from jaxflow.core.types import ROUNDING, SIZES, Outcome, Outline, Pace, Row, Trial
from jaxflow.sampling.axes import concerning
from jaxflow.sampling.design import Design
from jaxflow.store import checking, merging
from jaxflow.store.identity import StoredDesign
from jaxflow.store.order import Index
from jaxflow.store.store import Store

SLACK = 1e-3  # of a loss, for its rounding


def check(folder: str | Path) -> list[str]:
    """What is wrong with the store in a folder, each in one line; nothing if it is sound.

    Nothing is written, and a writer may be at work meanwhile. Raises `ValueError` when there is no
    store.
    """
    return checking.check(folder, rules)


def merge(target: str | Path, sources: str | Path | Iterable[str | Path]) -> merging.MergeReport:
    """Add the trials of sound stores of one protocol to that in `target`, all of them or none.

    The target is made when missing. Their designs may differ. Raises `ValueError` where a source is
    of another protocol, where it says what no sound store says, and where two of them, or one and
    the target, contradict each other; the target is then as it was.
    """
    folders = [sources] if isinstance(sources, str | Path) else sources
    return merging.merge(target, folders, rules)


def rules(store: Store) -> Callable[[Row], Iterator[str]]:
    """What a row of a store says that no trial asked for by its designs can."""
    paces = Outline.of(store.protocol.table).dynamics
    asked = [_asked(store, kept) for kept in store.designs]

    @lru_cache(maxsize=4096)  # rows come point by point
    def placed(number: int, trial: Trial, horizon: float) -> tuple[str, ...]:
        pace = paces.get(trial.dynamics, Pace())
        return tuple(misplaced(asked[number].design, trial, pace))

    def found(row: Row) -> Iterator[str]:
        point = row.point
        places = (one.place(row.dynamics, point, row.seed) for one in asked)
        asking = [(i, float(asked[i].times[k])) for i, k in enumerate(places) if k is not None]
        if not any(abs(row.horizon - time) <= ROUNDING * time for _, time in asking):
            yield f"no design asks for a horizon of {row.horizon:g}"
        for number, time in asking:
            yield from placed(number, Trial(row.dynamics, point, 0, time), time)
        yield from misjudged(store.protocol.table, row)

    return found


class _Asked(NamedTuple):
    """A design, where each trial is among those that it asked for, and the flow times of these."""

    design: Design
    place: Index
    times: Array


def _asked(store: Store, kept: StoredDesign) -> _Asked:
    trials = store.asked_table(kept.hash)
    return _Asked(Design.from_json(kept.json), Index(trials), trials.array("horizon"))


def misplaced(design: Design, trial: Trial, pace: Pace = Pace()) -> Iterator[str]:
    """Why a design cannot have asked for a trial, a line each; nothing if it can.

    What follows the point by a rule of the user's is taken as it is.
    """
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
            listed = bool(design.unloaded) or x in design.axes.widths(trial.point.n)
        else:
            listed = x in design.axes.values(name)
        if not listed:
            yield f"{name} = {x:g} is not asked for by {design.name}"
    asked = trial.horizon
    if not design.unloaded:
        horizon = design.horizon.of(trial.dynamics, pace)
        asked = horizon.times(trial.point, trial.dynamics, pace)[-1]
    if not abs(trial.horizon - asked) <= ROUNDING * asked:
        yield f"horizon {trial.horizon:g} is not that of {design.name}, {asked:g}"


def misjudged(protocol: Mapping[str, Any], row: Row) -> Iterator[str]:
    """Whether the loss and the outcome of a row contradict the certificate asked for."""
    kinds = [_entry(protocol.get(name), "kind") for name in ("problem", "event")]
    square = _entry(protocol.get("event"), "square")
    known = kinds == ["shallow_network", "certificate"] and isinstance(square, int | float)
    if not known or row.reason == "not_finite":
        return
    target = square / (2 * row.n)
    converged = row.outcome is Outcome.CONVERGED
    if converged and row.last_loss > target * (1 + SLACK):
        yield f"converged with a loss of {row.last_loss:g}, above the {target:g} asked for"
    if not converged and row.last_loss < target * (1 - SLACK):
        yield f"{row.outcome} with a loss of {row.last_loss:g}, below the {target:g} asked for"


def _entry(table: Any, name: str) -> Any:
    return table.get(name) if isinstance(table, dict) else None
