"""Phase diagrams: heat maps over two axes, the boundary in them, and how it grows."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake
from jaxflow.plot.style import Series, axis_name, log_ticks, size_ticks

Array = NDArray[np.float64]
COLORS = "cividis"  # even in grey

Scale = Literal["proportion", "linear", "logarithmic"]


def heat_map(
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    *,
    ax: Axes,
    label: str,
    scale: Scale = "proportion",
    logarithmic: tuple[bool, bool] = (True, True),
) -> Axes:
    """Values (k,) of slices at (x_i, y_i): proportions, or numbers on a scale of their own.

    Every y is a row, whose slices end midway between its own x: rows need not have the same ones.
    A proportion is coloured from 0 to 1, others from their smallest to their largest; what is not
    finite was not reached and is hatched. Raises `ValueError` unless the three have one length.
    """
    x, y, values = (np.asarray(v, float) for v in (x, y, values))
    if not (x.ndim == 1 and x.shape == y.shape == values.shape and len(x)):
        got = (x.shape, y.shape, values.shape)
        raise mistake("x, y and values of one length", got, "give one of each for every slice")
    rows = np.unique(y)
    heights = dict(zip(rows.tolist(), _edges(rows, logarithmic[1]), strict=True))
    boxes, colours = [], []
    for row in rows.tolist():
        inside = np.flatnonzero(y == row)
        inside = inside[np.argsort(x[inside])]
        low, high = heights[row]
        for i, (left, right) in zip(inside, _edges(x[inside], logarithmic[0]), strict=True):
            boxes.append([(left, low), (right, low), (right, high), (left, high)])
            colours.append(values[i])
    found = np.array(colours)
    reached = np.isfinite(found)
    ends = np.array(boxes)
    known = found[reached] if reached.any() else np.ones(1)
    norm = Normalize(0, 1)
    if scale == "logarithmic":
        norm = LogNorm(known.min(), max(known.max(), known.min() * 1.01))
    elif scale == "linear":
        norm = Normalize(known.min(), known.max())
    # An edge of the face's own colour closes the hairlines between neighbours.
    made = PolyCollection(ends[reached], cmap=COLORS, norm=norm, edgecolor="face", linewidth=0.3)
    made.set_array(found[reached])
    ax.add_collection(made)
    if not reached.all():
        ax.add_collection(
            PolyCollection(ends[~reached], facecolor="0.93", edgecolor="0.7", hatch="////", lw=0)
        )
        handle = Patch(facecolor="0.93", edgecolor="0.7", hatch="////", label="not reached")
        ax.legend(handles=[handle], loc="lower right", frameon=True, framealpha=0.9)
    for axis, k in ((ax.xaxis, 0), (ax.yaxis, 1)):
        low, high = float(ends[:, :, k].min()), float(ends[:, :, k].max())
        if logarithmic[k]:
            log_ticks(axis, low, high)
        (ax.set_xlim if k == 0 else ax.set_ylim)(low, high)
    bar = ax.figure.colorbar(made, ax=ax, pad=0.02)
    bar.set_label(label)
    if scale == "logarithmic":
        log_ticks(bar.ax.yaxis, norm.vmin or 1.0, norm.vmax or 1.0)
    return ax


def boundary(
    x: ArrayLike,
    n50: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
    on_map: bool = False,
    vertical: bool = True,
) -> Axes:
    """Thresholds n50 with intervals [low, high] at x, all (k,); N is upwards if `vertical`.

    Over a heat map, `on_map`, they are white with a black rim.
    """
    x, n50, low, high = _sorted(x, n50, low, high)
    color = "white" if on_map else series.color
    style: Any = {"color": color, "linestyle": series.line, "linewidth": 1.4}
    if on_map:
        style["path_effects"] = [withStroke(linewidth=3.0, foreground="black")]
    errors = np.maximum(np.stack([n50 - low, high - n50]), 0)
    marks: Any = {
        "color": color,
        "fmt": series.marker,
        "markersize": 4.5,
        "markerfacecolor": "white",
        "markeredgecolor": "black" if on_map else color,
        "elinewidth": 1.0,
        "capsize": 2.5,
        "label": label,
        "zorder": 4,
        **({"path_effects": style["path_effects"]} if on_map else {}),
    }
    if vertical:
        ax.plot(x, n50, **style, zorder=3)
        ax.errorbar(x, n50, yerr=errors, **marks)
    else:
        ax.plot(n50, x, **style, zorder=3)
        ax.errorbar(n50, x, xerr=errors, **marks)
    return ax


def size_axes(
    ax: Axes,
    x: Sequence[float],
    n: Sequence[float],
    *,
    along: str,
    logarithmic: bool = True,
    at_sizes: bool = True,
) -> Axes:
    """Axes of thresholds against the width, the dimension or a parameter.

    With ticks `at_sizes`, those of x, if they are few; else at round numbers.
    """
    if logarithmic:
        for axis, values, limit in ((ax.xaxis, x, ax.set_xlim), (ax.yaxis, n, ax.set_ylim)):
            low, high = min(values) / 1.2, max(values) * 1.2
            log_ticks(axis, low, high)
            limit(low, high)
        if at_sizes:
            size_ticks(ax.xaxis, x)
    ax.set_xlabel(axis_name(along))
    ax.set_ylabel("threshold $N$ (samples)")
    return ax


def _edges(centres: Array, logarithmic: bool) -> list[tuple[float, float]]:
    """Where slices around sorted centres end: midway to the next, and as far outside."""
    scaled = np.log(centres) if logarithmic else centres
    if len(scaled) == 1:
        half = 0.1 if logarithmic else max(0.05 * abs(float(scaled[0])), 0.5)
        edges = np.array([scaled[0] - half, scaled[0] + half])
    else:
        middles = (scaled[1:] + scaled[:-1]) / 2
        first, last = 2 * scaled[0] - middles[0], 2 * scaled[-1] - middles[-1]
        edges = np.concatenate([[first], middles, [last]])
    edges = np.exp(edges) if logarithmic else edges
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _sorted(x: ArrayLike, *others: ArrayLike) -> list[Array]:
    x = np.asarray(x, float)
    order = np.argsort(x)
    return [np.asarray(v, float)[order] for v in (x, *others)]
