"""What a store says of each slice: its counts, its thresholds, what became of its trials."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jaxflow.core.errors import mistake
from jaxflow.core.types import ROUNDING, SIZES, Outcome, Point, Row
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.plan import Plan
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.counts import Tally, wilson
from jaxflow.statistics.fixed_slope import published_estimator, published_interval
from jaxflow.statistics.posterior import Posterior, estimate
from jaxflow.store.store import Store

UNDECIDED = Outcome.UNDECIDED


@dataclass(frozen=True)
class SliceReport:
    """The trials of one dynamics along one line of the phase diagram."""

    name: str
    kind: str  # flow or descent
    base: Point  # its coordinate along the scanned axis is 0
    plan: Plan
    horizon: Horizon
    rows: tuple[Row, ...]
    tells_initialization: bool = True  # whether "well initialized" has a meaning: one for ReLUs

    @property
    def along(self) -> str:
        """The axis that is scanned."""
        return self.plan.along

    @property
    def extent(self) -> tuple[float, float]:
        """The range of the scanned axis; of a single value, up to the next whole number."""
        low, high = self.plan.low, self.plan.high
        return low, high if high > low else low + 1

    @property
    def is_point(self) -> bool:
        """Whether the plan has a single value, where P(converged) is known but no threshold."""
        return self.plan.low == self.plan.high

    @property
    def place(self) -> dict[str, float]:
        """The coordinates of the slice, but for the scanned axis."""
        named = {name: self.base[name] for name in SIZES} | dict(self.base.parameters)
        return {name: x for name, x in named.items() if name != self.along}

    @property
    def title(self) -> str:
        """Which slice it is, in a line of text."""
        places = (f"{name.rpartition('.')[2]}={x:g}" for name, x in self.place.items())
        return " ".join([self.name, *places])

    def time(self, row: Row, horizon: int) -> float:
        """The flow time that a trial has at one of the horizons."""
        return self.horizon.times(row.n, row.p)[horizon]

    def tallies(self, horizon: int = -1, conditional: bool = False) -> tuple[Tally, ...]:
        """Counts by one of the horizons, the longest if not said.

        Only of well-initialized trials if `conditional`.
        """
        counted = [row for row in self.rows if row.well_initialized or not conditional]
        return _tallies(
            (row.point[self.along], row.converged_by(self.time(row, horizon))) for row in counted
        )

    def tallies_of(self, holds: Callable[[Row], bool]) -> tuple[Tally, ...]:
        """Counts of the trials of which something else than convergence holds."""
        return _tallies((row.point[self.along], holds(row)) for row in self.rows)

    def tallies_within(self, time: Callable[[Row], float]) -> tuple[Tally, ...]:
        """Counts of the trials converged within a flow time of each, wherever all tell."""
        silent = {
            row.point[self.along]
            for row in self.rows
            if row.outcome is UNDECIDED and row.horizon * (1 + ROUNDING) < time(row)
        }
        told = [row for row in self.rows if row.point[self.along] not in silent]
        return _tallies((row.point[self.along], row.converged_by(time(row))) for row in told)

    def posterior(self, horizon: int = -1) -> Posterior:
        """The posterior of the threshold at one of the horizons."""
        if horizon not in self._posteriors:
            self._posteriors[horizon] = self.plan.posterior(self.tallies(horizon))
        return self._posteriors[horizon]

    @cached_property
    def _posteriors(self) -> dict[int, Posterior]:
        """Those asked for so far, by horizon."""
        return {}

    @cached_property
    def published(self) -> list[float]:
        """The threshold at every horizon as arXiv 2502.16977 estimates it."""
        return [published_estimator(self.tallies(h)) for h in range(len(self.horizon.labels))]

    def as_dict(self, horizon: int = -1) -> dict[str, Any]:
        """Where the slice is, what became of its trials, and its threshold with its interval.

        Raw and given good initialization; or P(converged) with its interval, at a point.
        """
        return {
            **{name: x for name, x in self.place.items() if name in SIZES},
            "parameters": {name: x for name, x in self.place.items() if name not in SIZES},
            "dynamics": self.kind,
            "name": self.name,
            "horizon": self._horizon(horizon),
            "along": self.along,
            "trials": len(self.rows),
            "outcomes": self._outcomes(horizon),
            **(self._proportion(horizon) if self.is_point else self._threshold(horizon)),
        }

    def _proportion(self, horizon: int) -> dict[str, Any]:
        """P(converged) at the only value, raw and given good initialization."""
        (raw,), conditional = self.tallies(horizon), self.tallies(horizon, conditional=True)
        found = {"at": raw.x, **_share(raw)}
        if not self.tells_initialization:
            return found
        return {**found, "conditional": _share(*conditional) if conditional else None}

    def _threshold(self, horizon: int) -> dict[str, Any]:
        """The threshold, raw and given good initialization, and by the published estimator."""
        rising = bool(getattr(self.plan, "rising", False))
        raw = estimate(self.tallies(horizon), *self.extent, rising=rising)
        told: dict[str, Any] = {}
        if self.tells_initialization:
            given = self.tallies(horizon, conditional=True)
            found = estimate(given, *self.extent, rising=rising) if given else None
            told = {"conditional": _numbers(found) if found else None}
        return {
            **_numbers(raw),
            "width": [round(x, 4) for x in (raw.width, raw.width_low, raw.width_high)],
            **told,
            "at_edge": raw.at_edge,
            "published_estimator": self.published[horizon],
            "published_interval": published_interval(self.tallies(horizon)),
        }

    def _horizon(self, horizon: int) -> str | float:
        """How it is named: the published rule, a multiple of it, or a flow time."""
        return self.horizon.time[horizon] if self.horizon.time else self.horizon.labels[horizon]

    def _outcomes(self, horizon: int) -> dict[str, int]:
        """Outcomes by a horizon: who has neither converged nor ended by then is undecided."""

        def by_then(row: Row) -> Outcome:
            time = self.time(row, horizon)
            return row.outcome if row.flow_time <= time or row.converged_by(time) else UNDECIDED

        outcomes = Counter(map(by_then, self.rows))
        return {str(outcome): outcomes[outcome] for outcome in Outcome}


def slices(folder: Path) -> list[SliceReport]:
    """The slices of the study in a folder that have trials; `ValueError` where there are none."""
    with Store.read(folder) as store:
        rows, study = store.rows(), json.loads(store.study_json)
    if not rows:
        raise mistake("a store with trials", str(folder), "run the study first: `jaxflow run`")
    table = study.get("threshold")
    plan: ThresholdPlan | GridPlan = ThresholdPlan(**table) if table else GridPlan(**study["grid"])
    horizon = Horizon(**{name: tuple(values) for name, values in study["horizon"].items()})
    found: dict[tuple[str, Point], list[Row]] = {}
    for row in rows:
        found.setdefault((row.dynamics, row.point.moved(plan.along, 0)), []).append(row)
    return [
        SliceReport(
            name,
            study["dynamics"][name].get("kind", name),
            base,
            plan.at(base) if isinstance(plan, GridPlan) else plan,
            horizon,
            tuple(here),
            _has_relus(study),
        )
        for (name, base), here in sorted(found.items())
    ]


def thresholds(folder: Path) -> list[dict[str, Any]]:
    """One dictionary a slice and horizon, as printed by `jaxflow thresholds --json`."""
    return [slice.as_dict(h) for slice in slices(folder) for h in range(len(slice.horizon.labels))]


def _has_relus(study: Any) -> bool:
    """Whether a neuron is blind to half of the inputs, as "well initialized" supposes."""
    network = study.get("ensemble", {}).get("network", {})
    return network.get("activation", {}).get("name") == "relu"


def _tallies(trials: Iterable[tuple[float, bool]]) -> tuple[Tally, ...]:
    counts: dict[float, list[bool]] = {}
    for x, converged in trials:
        counts.setdefault(x, []).append(converged)
    return tuple(Tally(x, sum(found), len(found)) for x, found in sorted(counts.items()))


def _share(tally: Tally) -> dict[str, float]:
    low, high = wilson(tally.converged, tally.trials)
    share = {"proportion": tally.converged / tally.trials, "low": float(low), "high": float(high)}
    return {name: round(x, 4) for name, x in share.items()}


def _numbers(found: Any) -> dict[str, float]:
    digits = 3 if found.n50 >= 1 else 6
    return {name: round(getattr(found, name), digits) for name in ("n50", "low", "high")}
