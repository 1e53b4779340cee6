"""What a store says of each slice: its counts, its thresholds, what became of its trials."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.types import SIZES, Outcome, Outline, Point, Row, Trial
from jaxflow.report.answers import Allowed, Answers, allowed, answering, by_slice
from jaxflow.report.columns import Columns
from jaxflow.report.plane import Plane, planes
from jaxflow.sampling.design import Design
from jaxflow.sampling.slice import Slice
from jaxflow.statistics.counts import Tally, wilson
from jaxflow.statistics.fixed_slope import published_estimator, published_interval
from jaxflow.statistics.posterior import Posterior, ThresholdPosterior
from jaxflow.store.store import Store
from jaxflow.store.table import Rows

FEWEST = 6  # trials of a half, to tell which way P(converged) changes


@dataclass(frozen=True, kw_only=True)
class SliceReport(Slice):
    """The trials that a design asked for on one slice, as far as they have ended.

    Of several events each has a report of its own, whose rows are those of trials followed for it
    alone.
    """

    kind: str  # of the dynamics: flow, descent, or the class of another
    event: str = ""  # its name, if there are several
    waits: bool = True  # for an event, and not for what is measured alone
    is_of_papers: bool = True  # the problem is a shallow network
    clock: str = "flow time"  # what a horizon by time is in
    tells_initialization: bool  # well_initialized has its meaning, that of ReLU
    rows: Sequence[Row]
    allowed: Mapping[Trial, float]  # the longest horizon of each trial, in flow time
    together: "Plane | None" = None  # the plane over which it was sampled, if its axes are ranges

    @property
    def name(self) -> str:
        """What is followed: the dynamics, and which of several events."""
        return f"{self.dynamics}, {self.event}" if self.event else self.dynamics

    @property
    def title(self) -> str:
        """Which slice it is, and which event, in a line of text."""
        return " ".join(filter(None, [super().title, self.event]))

    @cached_property
    def columns(self) -> Columns:
        """Its rows by column."""
        times = allowed(self.rows, self.allowed)
        return Columns.of(self.rows, self.along, times / self.horizon.multiples[-1])

    def tallies(self, horizon: int = -1, conditional: bool = False) -> tuple[Tally, ...]:
        """Counts by one of the horizons, the longest if not said.

        Only of well-initialized trials if `conditional`.
        """
        rows = self.columns
        which = rows.well_initialized if conditional else None
        return rows.counted(rows.converged_by(self.horizon.multiples[horizon]), which)

    def tallies_of(self, holds: Callable[[Row], bool]) -> tuple[Tally, ...]:
        """Counts of the trials of which something else than convergence holds."""
        return self.columns.counted([holds(row) for row in self.rows])

    def tallies_within(self, multiple: float) -> tuple[Tally, ...]:
        """Counts of the trials converged within so many units of the horizons, where all tell."""
        rows = self.columns
        told = ~np.isin(rows.x, rows.x[~rows.answer(multiple)])
        return rows.counted(rows.converged_by(multiple), told)

    @property
    def runs_against_plan(self) -> bool:
        """Whether P(converged) plainly changes the other way than the plan takes for granted.

        By the proportions in the lower and the upper half of its trials, four standard errors
        apart; then the threshold means nothing.
        """
        tallies = self.tallies()
        shares = [tally.converged / tally.trials for tally in tallies]
        counts = np.array([tally.trials for tally in tallies], int)
        outcomes = np.repeat(shares, counts)  # those of an n alike
        half = len(outcomes) // 2
        if half < FEWEST:
            return False
        low, high, together = (part.mean() for part in (outcomes[:half], outcomes[half:], outcomes))
        error = (together * (1 - together) * 4 / len(outcomes)) ** 0.5
        change = low - high if self.rises else high - low
        return bool(change > 4 * error > 0)

    def posterior(self, horizon: int = -1) -> Posterior:
        """The posterior of the threshold at one of the horizons."""
        if horizon not in self._posteriors:
            self._posteriors[horizon] = self.plan.posterior(self.tallies(horizon))
        return self._posteriors[horizon]

    @cached_property
    def _posteriors(self) -> dict[int, Posterior]:
        """Those asked for so far, by horizon."""
        return {}

    def estimated(self, horizon: int = -1, conditional: bool = False) -> ThresholdPosterior:
        """What is known of the transition at one of the horizons.

        By the trials of this slice, or where it was sampled as a part of a plane, by all of that;
        by the well initialized alone if `conditional`.
        """
        if self.together is not None:
            return self.together.posterior(horizon, conditional).transition(self.together.at(self))
        if conditional:
            return self.plan.posterior(self.tallies(horizon, conditional=True))
        return self.posterior(horizon)

    def published(self, horizon: int = -1) -> dict[str, Any]:
        """The threshold as arXiv 2502.16977 estimates it, and its interval.

        Of a point, and of a problem that is not of the papers, nothing.
        """
        if self.is_point or not self.is_of_papers:
            return {}
        tallies = self.tallies(horizon)
        return {
            "published_estimator": published_estimator(tallies),
            "published_interval": published_interval(tallies),
        }

    def as_dict(self, horizon: int = -1) -> dict[str, Any]:
        """Where the slice is, what became of its trials, and its threshold with its interval.

        Raw and, where that has a meaning, of the well initialized; or P(converged) with its
        interval, at a point; or of a study that waits for no event neither.
        """
        return {
            **self.where,
            "horizon": self._horizon(horizon),
            "unit": self.unit_of_horizons,
            "along": self.along,
            "trials": len(self.rows),
            "outcomes": self.outcomes(horizon),
            **(self._found(horizon) if self.waits else {}),
        }

    @property
    def where(self) -> dict[str, Any]:
        """Its place, dynamics, and which of several events."""
        return {
            **{name: x for name, x in self.place.items() if name in SIZES},
            "parameters": {name: x for name, x in self.place.items() if name not in SIZES},
            "dynamics": self.dynamics,
            **({"event": self.event} if self.event else {}),
        }

    def _found(self, horizon: int) -> dict[str, Any]:
        return self._proportion(horizon) if self.is_point else self._threshold(horizon)

    def _horizon(self, horizon: int) -> float | str:
        is_number = self.horizon.unit != "T0"
        return (self.horizon.multiples if is_number else self.horizon.labels)[horizon]

    @property
    def unit_of_horizons(self) -> str:
        """What the horizons are counted in."""
        return self.clock if self.horizon.unit == "flow time" else self.horizon.unit

    def _proportion(self, horizon: int) -> dict[str, Any]:
        """P(converged) at the only value, raw and of the well initialized."""
        (raw,), conditional = self.tallies(horizon), self.tallies(horizon, conditional=True)
        found = {"at": raw.x, **_share(raw)}
        if not self.tells_initialization:
            return found
        return {**found, "conditional": _share(*conditional) if conditional else None}

    def _threshold(self, horizon: int) -> dict[str, Any]:
        """The threshold, raw and of the well initialized, and the range it was looked for in."""
        raw = self.estimated(horizon)
        told: dict[str, Any] = {}
        if self.tells_initialization:
            given = self.tallies(horizon, conditional=True)
            told = {"conditional": _numbers(self.estimated(horizon, True)) if given else None}
        return {
            **_numbers(raw),
            "width": [round(x, 4) for x in (raw.width, *raw.width_interval())],
            **told,
            "at_edge": raw.at_edge,
            "range": list(self.extent),
        }

    def outcomes(self, horizon: int = -1) -> dict[str, int]:
        """Outcomes by a horizon: who has neither converged nor ended by then is undecided."""
        outcomes = self.columns.outcomes_by(self.horizon.multiples[horizon])
        return {str(outcome): outcomes[outcome] for outcome in Outcome}


def slices(folder: str | Path, design: str | None = None) -> list[SliceReport]:
    """The slices of the store in a folder that have trials, sorted by dynamics and place.

    They are those of the design last run, with the trials that it asked for; and, if no `design` is
    named, those of earlier designs that scan the same axis to the same horizons elsewhere. Raises
    `ValueError` where there are none.
    """
    with Store.read(Path(folder)) as store:
        return slices_of(store, store.table(), design)


def slices_of(store: Store, rows: Rows, design: str | None = None) -> list[SliceReport]:
    """The same of a store that is open, all of whose rows these are."""
    found: dict[tuple[str, Point, str], SliceReport] = {}
    for kept, hash in _chosen(store, design):
        answers = answering(store.asked_table(hash), rows)
        of_it = _of_design(kept, answers, store.protocol.table)
        for slice in _together(kept, of_it):
            found.setdefault((slice.dynamics, slice.base, slice.event), slice)
    if not found:
        folder = str(store.path.parent)
        raise mistake("a store with trials", folder, "run the study first: `jaxflow run`")
    return [found[place] for place in sorted(found)]


def thresholds(folder: str | Path, design: str | None = None) -> list[dict[str, Any]]:
    """One dictionary a slice and horizon, as printed by `jaxflow thresholds --json`.

    Raises `ValueError` where there are no trials, and for a study that waits for no event.
    """
    return [
        slice.as_dict(h) | slice.published(h)
        for slice in waiting(slices(folder, design))
        for h in range(len(slice.horizon.labels))
    ]


def waiting(found: Sequence[SliceReport]) -> Sequence[SliceReport]:
    """The slices, if they wait for an event; else `ValueError`, for they have no threshold."""
    if not found[0].waits:
        got = "one that measures alone"
        raise mistake("a study that waits for an event", got, "print its means: `jaxflow means`")
    return found


def entries(found: Sequence[SliceReport]) -> list[dict[str, Any]]:
    """One dictionary a slice and horizon, without what the published estimator says."""
    return [slice.as_dict(h) for slice in found for h in range(len(slice.horizon.labels))]


def _together(design: Design, found: Iterable[SliceReport]) -> Iterable[SliceReport]:
    """The slices of a design, each with its plane if that was sampled as one.

    A slice that is alone yet, of a run that has just begun, is as any.
    """
    every = list(found)
    if not design.axes.ranges:
        return every
    of = {(s.name, s.base): plane for plane in planes(every) for s in plane.slices}
    return [replace(slice, together=of.get((slice.name, slice.base))) for slice in every]


def _chosen(store: Store, name: str | None) -> list[tuple[Design, str]]:
    """The designs to report, the last run first, and their hashes."""
    designs = [(Design.from_json(kept.json), kept.hash) for kept in reversed(store.designs)]
    if name is not None:
        named = [found for found in designs if found[0].name == name]
        if not named:
            raise unknown_name("a design of the store", name, {found.name for found, _ in designs})
        return named[:1]
    return [
        (design, hash)
        for design, hash in designs
        if (design.along, design.horizon) == (designs[0][0].along, designs[0][0].horizon)
    ]


def _of_design(
    design: Design, answers: Answers, protocol: Mapping[str, Any]
) -> Iterator[SliceReport]:
    """The slices of one design, with the rows that answer what it asked for."""
    activation = _within(protocol, "problem", "network", "activation", "name")
    outline = Outline.of(protocol)
    for (here, one), event in product(by_slice(answers, design.along), outline.events):
        pace, rule = outline.dynamics[one.dynamics], protocol["dynamics"][one.dynamics]
        base = one.point.moved(design.along, 0)
        rows = here.rows.of_event(event)
        yield SliceReport(
            one.dynamics,
            base,
            design.plan_at(base).of_event(event),
            design.horizon.of(one.dynamics, pace),
            pace,
            kind=str(rule.get("kind", one.dynamics)),
            event=event,
            waits=_within(protocol, "event", "kind") != "never",
            is_of_papers=_within(protocol, "problem", "kind") == "shallow_network",
            clock=_clock(rule),
            tells_initialization=activation == "relu",
            rows=rows,
            allowed=Allowed(rows, here.times),
        )


def _clock(rule: Mapping[str, Any]) -> str:
    """What a horizon by time is in for a dynamics: flow time, if that is what its steps add up."""
    if rule.get("clock") == "loss":
        return "time by loss"
    is_flow = rule.get("kind") == "flow"
    is_plain = rule.get("optimizer", "sgd") == "sgd" and not rule.get("schedule")
    return "flow time" if is_flow or is_plain else "step sizes"


def _within(table: Any, *path: str) -> Any:
    """What lies in tables within tables; None where there is none."""
    for name in path:
        table = table.get(name) if isinstance(table, Mapping) else None
    return table


def _share(tally: Tally) -> dict[str, float]:
    low, high = wilson(tally.converged, tally.trials)
    share = {"proportion": tally.converged / tally.trials, "low": float(low), "high": float(high)}
    return {name: round(x, 4) for name, x in share.items()}


def _numbers(found: ThresholdPosterior) -> dict[str, float]:
    digits = 3 if found.median >= 1 else 6
    named = zip(("n50", "low", "high"), (found.median, *found.interval()), strict=True)
    return {name: round(x, digits) for name, x in named}
