"""Figures of phase diagrams. Functions draw plain arrays on the `ax=` given and return it.

One style for all: series differ by marker and line as well as by colour, so that a figure can be
read in grey.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

STYLE: Any = {
    "figure.figsize": (6.4, 3.8),
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
}


@dataclass(frozen=True)
class Series:
    """How one dynamics looks."""

    color: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


FLOW = Series("#0b4f8a", "o", "-")
DESCENT = Series("#b3541e", "s", "--")
PUBLISHED = Series("#555555", "x", ":")
OTHERS = (Series("#2e7d4f", "^", "-."), Series("#7a4fa3", "D", (0, (3, 1, 1, 1, 1, 1))))


@contextmanager
def style() -> Iterator[None]:
    """The style of the project's figures, inside a `with`."""
    with mpl.rc_context(STYLE):
        yield


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


def transition(
    n: ArrayLike,
    mean: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
) -> Axes:
    """A fitted P(converged) against n samples with its credible band, all (k,)."""
    ax.plot(n, mean, linestyle=series.line, color=series.color, label=label)
    ax.fill_between(n, low, high, color=series.color, alpha=0.15, linewidth=0)
    return ax


def threshold(
    n50: float, low: float, high: float, *, ax: Axes, series: Series, label: str | None = None
) -> Axes:
    """A threshold at P = 1/2 with its 95 % interval, in samples."""
    ax.axvspan(low, high, color=series.color, alpha=0.12, linewidth=0)
    ax.axvline(n50, color=series.color, linestyle=series.line, linewidth=0.8)
    if label is not None:
        ax.annotate(
            label,
            (n50, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
            color=series.color,
        )
    return ax


def phase_axes(ax: Axes, extent: tuple[float, float]) -> Axes:
    """Axes of P(converged) against the number of samples, logarithmic."""
    ax.set_xscale("log")
    ax.set_xlim(*extent)
    ax.set_ylim(-0.04, 1.04)
    ax.set_xlabel("number of samples $n$")
    ax.set_ylabel("P(converged)")
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    ticks = [
        t for t in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if extent[0] <= t <= extent[1]
    ]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    return ax
