"""A phase diagram in one figure: where trials converge, how N grows, and how it moves with time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.report.growth import Line, lines
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import against_time
from jaxflow.show.transitions import pooled

POOLED = 0.06  # in log n, for the eye
HORIZON_LINES = ("-", "--", ":", "-.")
HORIZON_MARKERS = ("o", "s", "^", "D")


def longest_line(found: Sequence[SliceReport]) -> list[Line]:
    """The lines, one a dynamics, along the size with the most slices; at the longest horizon."""
    best: dict[str, Line] = {}
    for line in lines(found):
        name = line.slices[0].name
        if name not in best or len(line.slices) >= len(best[name].slices):
            best[name] = line
    return list(best.values())


def diagram(chosen: Sequence[Line]) -> Figure:
    """Heat maps of P(converged), thresholds with fits, and N against the flow time allowed."""
    columns = max(2, len(chosen))
    figure, axes = plt.subplots(2, columns, figsize=(4.3 * columns, 7.4), squeeze=False)
    for ax, line in zip(axes[0], chosen, strict=False):
        _map(ax, line)
    for ax in axes[0, len(chosen) :]:
        ax.set_visible(False)
    _growth(axes[1, 0], chosen)
    _times(axes[1, 1], chosen)
    for ax in axes[1, 2:]:
        ax.set_visible(False)
    return figure


def series_of(chosen: Sequence[Line]) -> list[plot.Series]:
    """How the lines look, one a dynamics."""
    kinds: Counter[str] = Counter()
    made = []
    for line in chosen:
        kind = line.slices[0].kind
        made.append(plot.by_kind(kind, kinds[kind]))
        kinds[kind] += 1
    return made


def _map(ax: Axes, line: Line) -> None:
    """P(converged by the longest horizon) over n and the size, with the threshold at each."""
    n, size, proportion = [], [], []
    for x, slice in zip(line.x, line.slices, strict=True):
        places, converged, trials = pooled(slice.tallies(), POOLED)
        n += places.tolist()
        size += [x] * len(places)
        proportion += (converged / trials).tolist()
    labels = line.slices[0].horizon.labels
    plot.heat_map(n, size, proportion, ax=ax, label=f"P(converged), {labels[-1]} horizon")
    for h, label in enumerate(labels):
        n50, low, high = replace(line, horizon=h).thresholds
        look = plot.Series("white", HORIZON_MARKERS[h % 4], HORIZON_LINES[h % 4])
        plot.boundary(
            line.x, n50, low, high, ax=ax, series=look, on_map=True, vertical=False, label=label
        )
    plot.size_ticks(ax.yaxis, line.x)
    ax.set_xlabel("number of samples $n$")
    ax.set_ylabel(plot.axis_name(line.along))
    ax.set_title(line_title(line), loc="left")
    ax.legend(loc="lower right", facecolor="0.75", frameon=True, framealpha=0.9)


def _growth(ax: Axes, chosen: Sequence[Line]) -> None:
    """Thresholds against the size at every horizon, with the best form of each."""
    every: list[float] = []
    for line, series in zip(chosen, series_of(chosen), strict=True):
        for h, label in enumerate(line.slices[0].horizon.labels):
            here = replace(line, horizon=h)
            n50, low, high = here.thresholds
            look = plot.Series(series.color, HORIZON_MARKERS[h % 4], "none")
            name = f"{line.slices[0].name}, {label}"
            plot.boundary(line.x, n50, low, high, ax=ax, series=look, label=name)
            best = here.compare().fits[0]
            grid = np.geomspace(min(line.x), max(line.x), 200)
            plot.band(grid, *best.predict(grid), ax=ax, series=replace(series, line=":"))
            every += [*low, *high]
    plot.size_axes(ax, chosen[0].x, every, along=chosen[0].along)
    ax.set_title("thresholds and their best form", loc="left")
    ax.legend(loc="upper left")


def _times(ax: Axes, chosen: Sequence[Line]) -> None:
    """N against the flow time allowed at the smallest, middle and largest size."""
    told: list[float] = []
    for line, series in zip(chosen, series_of(chosen), strict=True):
        count = len(line.slices)
        shown = sorted({0, count // 2, count - 1})
        for k, (i, style) in enumerate(zip(shown, HORIZON_LINES, strict=False)):
            found = against_time(line.slices[i]).told()
            told += found.time.tolist()
            look = plot.Series(series.color, HORIZON_MARKERS[k], style)
            plot.against_time(
                found.time,
                found.n50,
                found.low,
                found.high,
                ax=ax,
                series=look,
                at_edge=found.at_edge,
                label=f"{line.slices[i].name}, ${line.along} = {line.x[i]:g}$",
            )
    plot.log_ticks(ax.xaxis, min(told) / 1.1, max(told) * 1.1)
    ax.set_yscale("log")
    plot.log_ticks(ax.yaxis, *ax.get_ylim())
    ax.set_xlabel(f"flow time allowed ({chosen[0].slices[0].horizon.unit})")
    ax.set_ylabel("threshold $N$ (samples)")
    ax.set_title("threshold against time", loc="left")
    handles, labels = ax.get_legend_handles_labels()
    ax.set_ylim(ax.get_ylim()[0] / 2.5, None)
    ax.legend(handles, labels, loc="lower right", ncols=len(chosen), fontsize=7)


def line_title(line: Line) -> str:
    """Which dynamics it is, and what its slices have in common."""
    fixed = {name: x for name, x in line.slices[0].place.items() if name != line.along}
    places = [f"${name.rpartition('.')[2]} = {x:g}$" for name, x in fixed.items()]
    return ", ".join([line.slices[0].name, *places])
