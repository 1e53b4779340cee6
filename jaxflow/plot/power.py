"""Numbers that grow or fall as powers: points with intervals and curves on logarithmic axes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.plot.style import Series, axis_name, log_ticks


def points(
    x: ArrayLike,
    y: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
    filled: bool = False,
) -> Axes:
    """Measured y with their intervals [low, high] at x, all (k,), as open or filled marks."""
    x, y, low, high = (np.asarray(v, float) for v in (x, y, low, high))
    ax.errorbar(
        x,
        y,
        yerr=np.maximum(np.stack([y - low, high - y]), 0),
        fmt=series.marker,
        color=series.color,
        markersize=4.5,
        markerfacecolor=series.color if filled else "white",
        elinewidth=1.0,
        capsize=2.0,
        label=label,
        zorder=4,
    )
    return ax


def line(x: ArrayLike, y: ArrayLike, *, ax: Axes, series: Series, label: str | None = None) -> Axes:
    """A curve y at x, both (k,): a law, a limit or a fit."""
    ax.plot(x, y, color=series.color, linestyle=series.line, linewidth=1.2, label=label, zorder=3)
    return ax


def power_axes(ax: Axes, x: Sequence[float], y: Sequence[float], *, along: str, label: str) -> Axes:
    """Logarithmic axes that hold x and y, with `label` for y."""
    for axis, values, limit in ((ax.xaxis, x, ax.set_xlim), (ax.yaxis, y, ax.set_ylim)):
        low, high = min(values) / 1.15, max(values) * 1.15
        log_ticks(axis, low, high)
        limit(low, high)
    ax.set_xlabel(axis_name(along))
    ax.set_ylabel(label)
    return ax
