"""What a store says: thresholds with their intervals, as data, as a table and as a figure.

Reads stores only, finished or under way.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from jaxflow import plot
from jaxflow._errors import mistake
from jaxflow._types import Outcome, Row
from jaxflow.published import transition_at
from jaxflow.store import Store
from jaxflow.sweep import Posterior, Tally, estimate, published_estimator, wilson


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


def draw(folder: Path, path: Path) -> Path:
    """P(converged) against n for every cell, with published points, written to `path`."""
    import matplotlib.pyplot as plt

    found = cells(folder)
    points = sorted({(cell.d, cell.p) for cell in found})
    with plot.style():
        figure, axes = plt.subplots(
            len(points), 1, squeeze=False, figsize=(6.4, 0.6 + 3.2 * len(points))
        )
        for ax, (d, p) in zip(axes[:, 0], points, strict=True):
            here = [cell for cell in found if (cell.d, cell.p) == (d, p)]
            _draw_point(ax, d, p, here)
        handles = {
            label: h
            for ax in axes[:, 0]
            for h, label in zip(*ax.get_legend_handles_labels(), strict=True)
        }
        figure.legend(
            handles.values(), handles, loc="outside lower center", ncols=min(3, len(handles))
        )
        try:
            figure.savefig(path)
        except OSError as error:
            raise mistake("a figure file that can be written", str(path), str(error)) from error
        plt.close(figure)
    return path


def _draw_point(ax: Any, d: int, p: int, found: Sequence[CellReport]) -> None:
    extents = [n for cell in found for n in cell.extent]
    plot.phase_axes(ax, (min(extents), max(extents)))
    grid = np.geomspace(min(extents), max(extents), 400)
    kinds = {"flow": plot.FLOW, "descent": plot.DESCENT}
    used: set[str] = set()
    for i, cell in enumerate(found):
        fresh = cell.kind not in used
        series = kinds[cell.kind] if fresh else plot.OTHERS[i % len(plot.OTHERS)]
        used.add(cell.kind)
        _draw_cell(ax, cell, grid, series)
    known = transition_at(d, p)
    if known is not None:
        n, proportion = zip(*known.proportions, strict=True)
        ax.plot(
            n,
            proportion,
            plot.PUBLISHED.marker,
            color=plot.PUBLISHED.color,
            markersize=4,
            label=f"published descent, step 1 ({known.source})",
            zorder=3,
        )
    ax.set_title(f"$d = {d}$, $p = {p}$", loc="left", pad=14)


def _draw_cell(ax: Any, cell: CellReport, grid: np.ndarray, series: plot.Series) -> None:
    tallies = cell.tallies()
    n, converged, trials = pooled(tallies)
    low, high = wilson(converged, trials)
    plot.proportions(n, converged / trials, low, high, trials, ax=ax, series=series)
    posterior = Posterior(tallies, *cell.extent)
    label = f"{cell.name}, {trials.sum()} trials"
    plot.transition(grid, *posterior.curve(grid), ax=ax, series=series, label=label)
    text = f"{posterior.median:.0f} [{posterior.interval()[0]:.0f}, {posterior.interval()[1]:.0f}]"
    plot.threshold(posterior.median, *posterior.interval(), ax=ax, series=series, label=text)


def pooled(
    tallies: Sequence[Tally], width: float = 0.03
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbours within `width` in log n as one: mean n, converged, trials; for the eye only."""
    bins: list[list[Tally]] = []
    for tally in tallies:
        if bins and np.log(tally.n / bins[-1][0].n) < width:
            bins[-1].append(tally)
        else:
            bins.append([tally])
    trials = np.array([sum(t.trials for t in group) for group in bins])
    converged = np.array([sum(t.converged for t in group) for group in bins])
    weighted = np.array([sum(t.n * t.trials for t in group) for group in bins])
    return weighted / trials, converged, trials


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
