"""The figure of a store: P(converged) against n for every cell, with its threshold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from jaxflow import plot, report
from jaxflow._errors import mistake
from jaxflow.published import transition_at
from jaxflow.sweep import Posterior, Tally, wilson


def draw(folder: Path, path: Path) -> Path:
    """P(converged) against n for every cell, with published points, written to `path`."""
    found = report.cells(folder)
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


def _draw_point(ax: Any, d: int, p: int, found: Sequence[report.CellReport]) -> None:
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


def _draw_cell(ax: Any, cell: report.CellReport, grid: np.ndarray, series: plot.Series) -> None:
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
