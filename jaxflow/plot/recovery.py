"""Where trials ended, and curves of many trials with their spread."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.core.errors import mistake
from jaxflow.plot.style import Series

SHIFT = 0.02  # of a decade: half the width that trials at one x are spread over


def endings(
    x: ArrayLike,
    values: ArrayLike,
    reached: ArrayLike,
    *,
    ax: Axes,
    labels: tuple[str, str],
) -> Axes:
    """Last values (k,) of trials at x, logarithmic; whether each `reached` its goal.

    Trials at one x stand side by side. Those that reached it are full marks, the others open ones,
    with `labels` in this order. Raises `ValueError` unless the three have one length.
    """
    x, values, reached = np.asarray(x, float), np.asarray(values, float), np.asarray(reached, bool)
    if not (x.ndim == 1 and x.shape == values.shape == reached.shape):
        got = (x.shape, values.shape, reached.shape)
        raise mistake(
            "x, values and reached of one length", got, "give one of each for every trial"
        )
    places = x.copy()
    for one in np.unique(x):
        here = np.flatnonzero(x == one)
        places[here] *= 10 ** np.linspace(-SHIFT, SHIFT, len(here))
    styles = (("0.15", "o", "0.15", labels[0]), ("white", "^", "0.45", labels[1]))
    for kept, (face, marker, edge, label) in zip((reached, ~reached), styles, strict=True):
        ax.scatter(
            places[kept], values[kept], s=11, marker=marker, facecolor=face, edgecolor=edge,
            linewidth=0.6, label=label, zorder=3 if face != "white" else 2,
        )  # fmt: skip
    ax.set_yscale("log")
    return ax


def fan(
    time: ArrayLike,
    curves: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
) -> Axes:
    """The median of curves (trials, k) over time (k,), between their 5 and 95 % quantiles.

    Where a curve is NaN it does not count. Raises `ValueError` unless the shapes fit.
    """
    t, y = np.asarray(time, float), np.asarray(curves, float)
    if y.ndim != 2 or t.shape != y.shape[1:]:
        raise mistake("curves (trials, k) over times (k,)", (t.shape, y.shape), "transpose them")
    low, middle, high = np.nanquantile(y, (0.05, 0.5, 0.95), axis=0)
    ax.plot(t, middle, color=series.color, linestyle=series.line, label=label)
    ax.fill_between(t, low, high, color=series.color, alpha=0.15, linewidth=0)
    return ax
