"""What most figures are made of: measured and published points, curves, bands, and known lines."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.plot.style import PUBLISHED, Series, axis_name, log_ticks


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
    joined: bool = False,
) -> Axes:
    """Measured y with their intervals [low, high] at x, all (k,), as open or filled marks.

    `joined` draws the line of the series from each to the next.
    """
    x, y, low, high = (np.asarray(v, float) for v in (x, y, low, high))
    ax.errorbar(
        x,
        y,
        yerr=np.maximum(np.stack([y - low, high - y]), 0),
        marker=series.marker,
        color=series.color,
        linestyle=series.line if joined else "none",
        linewidth=1.0,
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


def band(
    x: ArrayLike,
    mean: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
    marks: int = 0,
) -> Axes:
    """A curve against x with its interval [low, high] as a band, all (k,).

    Of its points every so many have a mark; none with `marks` = 0.
    """
    ax.plot(
        x, mean, color=series.color, linestyle=series.line, label=label, markersize=3.5,
        marker=series.marker if marks else "", markevery=marks or None, markerfacecolor="white",
    )  # fmt: skip
    ax.fill_between(x, low, high, color=series.color, alpha=0.18, linewidth=0)
    return ax


def published_points(
    x: ArrayLike,
    y: ArrayLike,
    *,
    ax: Axes,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    series: Series = PUBLISHED,
    label: str | None = None,
) -> Axes:
    """Published values y at x, both (k,), with bars from `low` to `high` where these are known."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    errors = None
    if low is not None and high is not None:
        errors = np.maximum(np.stack([y - np.asarray(low), np.asarray(high) - y]), 0)
    ax.errorbar(
        x,
        y,
        yerr=errors,
        fmt=series.marker,
        color=series.color,
        markersize=5.5,
        markeredgewidth=1.4,
        elinewidth=0.8,
        label=label,
        zorder=5,
    )
    return ax


def guide(
    x: ArrayLike, y: ArrayLike, *, ax: Axes, series: Series = PUBLISHED, label: str | None = None
) -> Axes:
    """A thin line through y at x, both (k,): something known, without an interval."""
    ax.plot(x, y, color=series.color, linestyle=series.line, linewidth=0.9, label=label, zorder=1)
    return ax


def level(
    y: float, low: float, high: float, *, ax: Axes, series: Series, label: str | None = None
) -> Axes:
    """A value that is the same all along the axis, with its 95 % interval as a band."""
    ax.axhspan(low, high, color=series.color, alpha=0.18, linewidth=0)
    ax.axhline(y, color=series.color, linestyle=series.line, linewidth=1.0, label=label)
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
