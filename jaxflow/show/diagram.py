"""A phase diagram in one figure: where trials converge, how N grows, and how it moves with time."""

from collections.abc import Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.core.types import SIZES
from jaxflow.report.growth import Boundary, boundaries
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import against_time
from jaxflow.show.text import allowed
from jaxflow.show.transitions import pooled, role

POOLED = 0.06  # in log n, for the eye
HORIZON_LINES = ("-", "--", ":", "-.")
HORIZON_MARKERS = ("o", "s", "^", "D")


def longest_boundaries(found: Sequence[SliceReport]) -> list[Boundary]:
    """One boundary a dynamics, along the size with the most slices; at the longest horizon."""
    best: dict[str, Boundary] = {}
    for boundary in boundaries(found):
        name = boundary.slices[0].name
        if name not in best or len(boundary.slices) >= len(best[name].slices):
            best[name] = boundary
    return list(best.values())


def diagram(chosen: Sequence[Boundary]) -> Figure:
    """Heat maps of P(converged), thresholds with fits, and N against the flow time allowed."""
    columns = max(2, len(chosen))
    figure, axes = plt.subplots(2, columns, figsize=(4.3 * columns, 7.4), squeeze=False)
    for ax, boundary in zip(axes[0], chosen, strict=False):
        _map(ax, boundary)
    for ax in axes[0, len(chosen) :]:
        ax.set_visible(False)
    _growth(axes[1, 0], chosen)
    _times(axes[1, 1], chosen)
    for ax in axes[1, 2:]:
        ax.set_visible(False)
    return figure


def series_of(chosen: Sequence[Boundary]) -> list[plot.Series]:
    """How the boundaries marked, one a dynamics."""
    return plot.by_dynamics([role(boundary.slices[0]) for boundary in chosen])


def _map(ax: Axes, boundary: Boundary) -> None:
    """P(converged by the longest horizon) over n and the size, with the threshold at each."""
    n, size, proportion = [], [], []
    for x, slice in zip(boundary.x, boundary.slices, strict=True):
        places, converged, trials = pooled(slice.tallies(), POOLED)
        n += places.tolist()
        size += [x] * len(places)
        proportion += (converged / trials).tolist()
    labels = boundary.slices[0].horizon.labels
    plot.heat_map(n, size, proportion, ax=ax, label=f"P(converged), {labels[-1]} horizon")
    for h, label in enumerate(labels):
        n50, low, high = replace(boundary, horizon=h).thresholds
        marked = plot.Series("white", HORIZON_MARKERS[h % 4], HORIZON_LINES[h % 4])
        plot.boundary(
            boundary.x,
            n50,
            low,
            high,
            ax=ax,
            series=marked,
            on_map=True,
            vertical=False,
            label=label,
        )
    plot.size_ticks(ax.yaxis, boundary.x)
    ax.set_xlabel("number of samples $n$")
    ax.set_ylabel(plot.axis_name(boundary.along))
    ax.set_title(title_of(boundary), loc="left")
    ax.legend(loc="lower right", facecolor="0.75", frameon=True, framealpha=0.9)


def _growth(ax: Axes, chosen: Sequence[Boundary]) -> None:
    """Thresholds against the size at every horizon, with the best form of each."""
    every: list[float] = []
    for boundary, series in zip(chosen, series_of(chosen), strict=True):
        for h, label in enumerate(boundary.slices[0].horizon.labels):
            here = replace(boundary, horizon=h)
            n50, low, high = here.thresholds
            marked = plot.Series(series.color, HORIZON_MARKERS[h % 4], "none")
            name = f"{plot.plain(boundary.slices[0].name)}, {label}"
            plot.boundary(boundary.x, n50, low, high, ax=ax, series=marked, label=name)
            if (best := here.compare().curve) is not None:
                grid = np.geomspace(min(boundary.x), max(boundary.x), 200)
                plot.band(grid, *best.predict(grid), ax=ax, series=replace(series, line=":"))
            every += [*low, *high]
    plot.size_axes(ax, chosen[0].x, every, along=chosen[0].along)
    ax.set_title("thresholds and their best form", loc="left")
    ax.legend(loc="upper left")


def _times(ax: Axes, chosen: Sequence[Boundary]) -> None:
    """N against the flow time allowed at the smallest, middle and largest size."""
    told: list[float] = []
    for boundary, series in zip(chosen, series_of(chosen), strict=True):
        count, name = len(boundary.slices), plot.plain(boundary.slices[0].name)
        shown = sorted({0, count // 2, count - 1})
        for k, (i, style) in enumerate(zip(shown, HORIZON_LINES, strict=False)):
            found = against_time(boundary.slices[i]).told()
            told += found.time.tolist()
            marked = plot.Series(series.color, HORIZON_MARKERS[k], style)
            plot.against_time(
                found.time,
                found.n50,
                found.low,
                found.high,
                ax=ax,
                series=marked,
                at_edge=found.at_edge,
                label=f"{name}, ${boundary.along} = {boundary.x[i]:g}$",
            )
    plot.log_ticks(ax.xaxis, min(told) / 1.1, max(told) * 1.1)
    ax.set_yscale("log")
    plot.log_ticks(ax.yaxis, *ax.get_ylim())
    ax.set_xlabel(allowed(chosen[0].slices[0].unit_of_horizons))
    ax.set_ylabel("threshold $N$ (samples)")
    ax.set_title("threshold against time", loc="left")
    handles, labels = ax.get_legend_handles_labels()
    ax.set_ylim(ax.get_ylim()[0] / 2.5, None)
    ax.legend(handles, labels, loc="lower right", ncols=len(chosen), fontsize=7)


def title_of(boundary: Boundary) -> str:
    """Which dynamics it is, and what its slices have in common."""
    fixed = {name: x for name, x in boundary.slices[0].place.items() if name != boundary.along}
    places = [
        f"${name} = {x:g}$" if name in SIZES else f"{plot.axis_name(name)} = {x:g}"
        for name, x in fixed.items()
    ]
    return ", ".join([plot.plain(boundary.slices[0].name), *places])
