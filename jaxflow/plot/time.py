"""When trials converge: survival, medians against n, and N against the flow time allowed."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.plot.style import Series, log_ticks

OPEN = 1.3  # times the median, where the arrow of an interval without an upper end stands


def survival(
    times: ArrayLike,
    remaining: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
    since: float,
    until: float | None = None,
) -> Axes:
    """P(not converged by t) as steps with its band, all (k,), over the logarithm of flow time.

    The first entry holds from time 0 and is drawn from `since` on; `until` is where the last ends.
    """
    t, s, low, high = (np.asarray(v, float) for v in (times, remaining, low, high))
    t = np.append(np.maximum(t, since), max(until or t[-1], t[-1]))
    s, low, high = (np.append(v, v[-1]) for v in (s, low, high))
    ax.step(t, s, where="post", color=series.color, linestyle=series.line, label=label)
    ax.fill_between(t, low, high, step="post", color=series.color, alpha=0.15, linewidth=0)
    return ax


def time_axes(ax: Axes, extent: tuple[float, float]) -> Axes:
    """Axes of P(not converged) over the logarithm of flow time."""
    log_ticks(ax.xaxis, *extent)
    ax.set_xlim(*extent)
    ax.set_ylim(-0.04, 1.04)
    ax.set_xlabel("flow time $t$")
    ax.set_ylabel("P(not converged by $t$)")
    return ax


def medians(
    n: ArrayLike,
    median: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
) -> Axes:
    """Median convergence times with their intervals against n, all (k,), logarithmic.

    A median that is not reached is left out, an open interval ends in an arrow, and one that holds
    every time is not drawn.
    """
    n, median, low, high = (np.asarray(v, float) for v in (n, median, low, high))
    known = np.isfinite(median)
    closed = known & np.isfinite(high)
    ax.plot(n[known], median[known], color=series.color, linestyle=series.line)
    ax.vlines(n[closed], low[closed], high[closed], color=series.color, linewidth=0.8)
    lone = known & ~closed & (low > 0)
    ax.vlines(n[lone], low[lone], OPEN * median[lone], color=series.color, linewidth=0.8)
    ax.scatter(n[lone], OPEN * median[lone], marker="^", s=5, color=series.color, linewidth=0)
    ax.scatter(
        n[known], median[known], s=16, marker=series.marker, facecolor="white",
        edgecolor=series.color, zorder=3, label=label,
    )  # fmt: skip
    ax.set_yscale("log")
    ax.set_xlabel("number of samples $n$")
    ax.set_ylabel("median convergence time (flow time)")
    return ax


def against_time(
    time: ArrayLike,
    n50: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
    at_edge: Sequence[str] = (),
) -> Axes:
    """N against the flow time allowed, with its 95 % band, all (k,); time is logarithmic.

    Where `at_edge` says "below" or "above" the threshold is out of the range of n: an arrow stands
    there instead of a number.
    """
    t, n50, low, high = (np.asarray(v, float) for v in (time, n50, low, high))
    edges = np.array(at_edge or [""] * len(t))
    inside = edges == ""
    ax.plot(t[inside], n50[inside], color=series.color, linestyle=series.line, label=label)
    ax.fill_between(
        t[inside], low[inside], high[inside], color=series.color, alpha=0.18, linewidth=0
    )
    ax.scatter(
        t[inside], n50[inside], s=14, marker=series.marker, facecolor="white",
        edgecolor=series.color, zorder=3,
    )  # fmt: skip
    for edge, marker in (("below", "v"), ("above", "^")):
        here = edges == edge
        ax.scatter(t[here], n50[here], s=18, marker=marker, color=series.color)
    return ax
