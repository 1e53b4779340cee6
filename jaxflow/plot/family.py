"""Curves of one kind in order: how they look, and their intervals."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from numpy.typing import ArrayLike

from jaxflow.plot.style import Series

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":")
LIGHTEST = 0.85  # of the colour map, where white is still far


def family(count: int) -> list[Series]:
    """How so many curves look, from dark to light: even in grey they keep their order."""
    colors = mpl.colormaps["cividis"]
    return [
        Series(
            to_hex(colors(LIGHTEST * k / max(count - 1, 1))),
            MARKERS[k % len(MARKERS)],
            LINES[k % len(LINES)],
        )
        for k in range(count)
    ]


def curve(
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
    """A mean over trials against x with its interval [low, high], all (k,).

    Of its points every so many have a mark; none with `marks` = 0.
    """
    ax.plot(
        x, mean, color=series.color, linestyle=series.line, label=label, markersize=3.5,
        marker=series.marker if marks else "", markevery=marks or None, markerfacecolor="white",
    )  # fmt: skip
    ax.fill_between(x, low, high, color=series.color, alpha=0.25, linewidth=0)
    return ax


def estimates(
    x: ArrayLike,
    mean: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
) -> Axes:
    """Numbers at x with their intervals [low, high] as bars, all (k,), joined by a line."""
    ax.plot(
        x, mean, color=series.color, linestyle=series.line, label=label, markersize=4,
        marker=series.marker, markerfacecolor="white", linewidth=1.0,
    )  # fmt: skip
    ax.vlines(x, low, high, color=series.color, linewidth=1.2)
    return ax
