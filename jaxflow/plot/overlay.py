"""What stands beside measured numbers: published points, and lines that are known."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.plot.style import PUBLISHED, Series


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
