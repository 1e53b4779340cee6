"""When trials converge: median times over the phase diagram, their growth with n, survival."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.report.growth import Boundary
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import by_point, slowing_of
from jaxflow.show.diagram import HORIZON_LINES, series_of, title_of

MOST_CURVES = 4
MARKERS = ("o", "s", "^", "D")  # of sizes
FEWEST = 4  # trials of a survival curve


def times(chosen: Sequence[Boundary]) -> Figure:
    """A column a boundary: medians over n and the size, against n, and survival at some n."""
    figure, axes = plt.subplots(3, len(chosen), figsize=(4.6 * len(chosen), 10.2), squeeze=False)
    for column, (boundary, series) in enumerate(zip(chosen, series_of(chosen), strict=True)):
        _map(axes[0, column], boundary)
        _medians(axes[1, column], boundary, series)
        _survival(axes[2, column], boundary.slices[len(boundary.slices) // 2], series)
    return figure


def _map(ax: Axes, boundary: Boundary) -> None:
    """Median convergence time over n and the size, with the threshold at the longest horizon."""
    n, size, median = [], [], []
    for x, slice in zip(boundary.x, boundary.slices, strict=True):
        found = by_point(slice)
        n += found.x.tolist()
        size += [x] * len(found.x)
        median += found.medians[0].tolist()
    plot.heat_map(
        n, size, median, ax=ax, label="median convergence time (flow time)", scale="logarithmic"
    )
    plot.boundary(
        boundary.x, *boundary.thresholds, ax=ax,
        series=plot.Series("white", "o", "-"), on_map=True, vertical=False,
    )  # fmt: skip
    plot.size_ticks(ax.yaxis, boundary.x)
    ax.set_xlabel("number of samples $n$")
    ax.set_ylabel(plot.axis_name(boundary.along))
    ax.set_title(title_of(boundary), loc="left")


def _medians(ax: Axes, boundary: Boundary, series: plot.Series) -> None:
    """Medians against n at the smallest, middle and largest size, with the law of their growth."""
    count, every = len(boundary.slices), list[float]()
    for k, i in enumerate(sorted({0, count // 2, count - 1})):
        slice, marker = boundary.slices[i], MARKERS[k]
        found = by_point(slice)
        marked = plot.Series(series.color, marker, "none")
        name = f"${boundary.along.rpartition('.')[2]} = {boundary.x[i]:g}$"
        plot.medians(found.x, *found.medians, ax=ax, series=marked, label=name)
        law = slowing_of(slice)
        if law is not None:
            n = np.geomspace(
                found.x.min(), min(slice.posterior().median, 0.999 * law.boundary), 200
            )
            ax.plot(n, law.predict(n), color=series.color, linestyle=HORIZON_LINES[k], linewidth=1)
        every += found.x.tolist()
    plot.log_ticks(ax.xaxis, min(every) / 1.1, max(every) * 1.1)
    ax.set_xlim(min(every) / 1.1, max(every) * 1.1)
    ax.set_title("growth towards the boundary", loc="left")
    ax.legend(loc="upper left")


def _survival(ax: Axes, slice: SliceReport, series: plot.Series) -> None:
    """Not converged by t, at some n around the threshold."""
    found = by_point(slice)
    told = np.flatnonzero(found.trials >= FEWEST)
    threshold = slice.posterior().median
    near = told[np.argsort(np.abs(np.log(found.x[told] / threshold)))]
    below, above = near[found.x[near] <= threshold], near[found.x[near] > threshold]
    shown = sorted([*below[: MOST_CURVES // 2], *above[: MOST_CURVES // 2]])
    events = [t for i in shown for t in found.curves[i].times[1:]]
    since = min(events, default=1.0) / 1.5
    name = slice.along.rpartition(".")[2]
    for k, i in enumerate(shown):
        curve = found.curves[i]
        marked = plot.Series(series.color, "", HORIZON_LINES[k % len(HORIZON_LINES)])
        until = curve.known if np.isfinite(curve.known) else float(curve.times[-1])
        plot.survival(
            curve.times, curve.survival, curve.low, curve.high, ax=ax, series=marked,
            since=since, until=until,
            label=f"${name} = {found.x[i]:.0f}$, {found.trials[i]} trials",
        )  # fmt: skip
    if shown:
        ends = np.concatenate([drawn.get_xdata() for drawn in ax.lines])
        plot.time_axes(ax, (since, float(ends.max())))
        ax.legend(loc="lower left")
    ax.set_title(
        f"not converged by $t$: {plot.plain(slice.title)}, $N = {threshold:.0f}$", loc="left"
    )
