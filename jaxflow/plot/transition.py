"""P(converged) against the number of samples: measured, and the threshold."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.plot.style import Series, axis_name, log_ticks

LABEL_HEIGHT = 9  # points from one level of labels above the axes to the next


def proportions(
    n: ArrayLike,
    proportion: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    trials: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
) -> Axes:
    """Proportions of converged trials at n samples with their intervals [low, high], all (k,).

    A point's area grows with its trials, and points of few trials are faint.
    """
    n, proportion, low, high, trials = (
        np.asarray(v, float) for v in (n, proportion, low, high, trials)
    )
    weight = np.clip(trials / 12, 0.25, 1.0)
    for i in range(len(n)):
        ax.vlines(n[i], low[i], high[i], color=series.color, alpha=0.6 * weight[i], linewidth=0.8)
    ax.scatter(
        n,
        proportion,
        s=22 * weight,
        marker=series.marker,
        facecolor="white",
        edgecolor=series.color,
        linewidth=0.9,
        label=label,
        zorder=3,
    )
    return ax


def threshold(
    n50: float,
    low: float,
    high: float,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
    level: int = 0,
) -> Axes:
    """A threshold at P = 1/2 with its 95 % interval, in samples.

    The label stands above the axes; labels too near each other need different levels.
    """
    ax.axvspan(low, high, color=series.color, alpha=0.12, linewidth=0)
    ax.axvline(n50, color=series.color, linestyle=series.line, linewidth=0.8)
    if label is not None:
        _label(label, n50, "center", ax=ax, series=series, level=level)
    return ax


def beyond(
    edge: float, *, above: bool, ax: Axes, series: Series, label: str, level: int = 0
) -> Axes:
    """A threshold out of the range of the axis, which ends at `edge`: its label alone."""
    _label(label, edge, "right" if above else "left", ax=ax, series=series, level=level)
    return ax


def _label(
    text: str,
    x: float,
    side: Literal["left", "center", "right"],
    *,
    ax: Axes,
    series: Series,
    level: int,
) -> None:
    """A text above the axes, at x."""
    ax.annotate(
        text,
        (x, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2 + LABEL_HEIGHT * level),
        textcoords="offset points",
        ha=side,
        va="bottom",
        fontsize=8,
        color=series.color,
    )


def phase_axes(ax: Axes, extent: tuple[float, float], along: str = "n") -> Axes:
    """Axes of P(converged) against the number of samples or another axis, logarithmic."""
    log_ticks(ax.xaxis, *extent)
    ax.set_xlim(*extent)
    ax.set_ylim(-0.04, 1.04)
    ax.set_xlabel(axis_name(along))
    ax.set_ylabel("P(converged)")
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    return ax
