"""What a store says: thresholds with their intervals, as data and as a table.

Reads stores only, finished or under way.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from jaxflow._errors import mistake
from jaxflow._types import Outcome, Row
from jaxflow.store import Store
from jaxflow.sweep import Tally, estimate, published_estimator


@dataclass(frozen=True)
class CellReport:
    """The trials of one (dynamics, d, p) and the range of n its study samples."""

    name: str
    kind: str  # flow or descent
    d: int
    p: int
    horizon: str | float
    extent: tuple[int, int]
    rows: tuple[Row, ...]

    def tallies(self, conditional: bool = False) -> tuple[Tally, ...]:
        """Counts along n; only of well-initialized trials if `conditional`."""
        counted = [row for row in self.rows if row.well_initialized or not conditional]
        trials = Counter(row.n for row in counted)
        converged = Counter(row.n for row in counted if row.outcome is Outcome.CONVERGED)
        return tuple(Tally(n, converged[n], trials[n]) for n in sorted(trials))

    def as_dict(self) -> dict[str, Any]:
        """Threshold, interval, counts of outcomes, and the threshold given good initialization."""
        raw = estimate(self.tallies(), *self.extent)
        conditional = estimate(self.tallies(conditional=True), *self.extent)
        outcomes = Counter(row.outcome for row in self.rows)
        return {
            "d": self.d,
            "p": self.p,
            "dynamics": self.kind,
            "name": self.name,
            "horizon": self.horizon,
            **_numbers(raw),
            "trials": raw.trials,
            "outcomes": {str(outcome): outcomes[outcome] for outcome in Outcome},
            "conditional": _numbers(conditional),
            "at_edge": raw.at_edge,
            "published_estimator": published_estimator(self.tallies()),
        }


def cells(folder: Path) -> list[CellReport]:
    """The cells of the study in a folder that have trials; `ValueError` where there are none."""
    with Store.read(folder) as store:
        rows, study = store.rows(), json.loads(store.study_json)
    if not rows:
        raise mistake("a store with trials", str(folder), "run the study first: `jaxflow run`")
    plan = study.get("threshold")
    grid = study.get("grid", {}).get("values", ())
    extent = (plan["low"], plan["high"]) if plan else (min(grid), max(grid) + 1)
    found = sorted({(row.dynamics, row.d, row.p) for row in rows})
    return [
        CellReport(
            name=name,
            kind=study["dynamics"][name]["kind"],
            d=d,
            p=p,
            horizon=_horizon(study["horizon"]),
            extent=extent,
            rows=tuple(row for row in rows if (row.dynamics, row.d, row.p) == (name, d, p)),
        )
        for name, d, p in found
    ]


def thresholds(folder: Path) -> list[dict[str, Any]]:
    """One dictionary a cell, as printed by `jaxflow thresholds --json`."""
    return [cell.as_dict() for cell in cells(folder)]


def table(reports: Sequence[dict[str, Any]]) -> Table:
    """The thresholds as a table for a terminal of 80 columns."""
    title = "Threshold N(d, p): where P(converged) crosses 1/2, with its 95 % interval"
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    seen = [name for name in Outcome if any(report["outcomes"][name] for report in reports)]
    made.add_column("dynamics", no_wrap=True)
    for column in ("d", "p", "horizon", "N", "interval", "good start", *map(str.lower, seen)):
        made.add_column(column, justify="right", no_wrap=True)
    for report in reports:
        made.add_row(
            report["name"],
            str(report["d"]),
            str(report["p"]),
            str(report["horizon"]),
            _where(report),
            f"{report['low']:.0f}-{report['high']:.0f}",
            f"{report['conditional']['n50']:.0f}",
            *(str(report["outcomes"][name]) for name in seen),
        )
    return made


def _numbers(found: Any) -> dict[str, float]:
    return {name: round(getattr(found, name), 3) for name in ("n50", "low", "high")}


def _where(report: dict[str, Any]) -> str:
    edge = {"": "", "below": "< ", "above": "> "}[report["at_edge"]]
    return f"{edge}{report['n50']:.0f}"


def _horizon(table: dict[str, Any]) -> str | float:
    """How a horizon is named: the published rule, a multiple of it, or a flow time."""
    if "time" in table:
        return float(table["time"])
    return "published" if table["factor"] == 1 else f"{table['factor']:g} x published"
