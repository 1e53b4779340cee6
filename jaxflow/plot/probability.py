"""P(event) over a plane as a smooth map, its boundary, and where trials ran."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from jaxflow.core.errors import mistake
from jaxflow.plot.plane import COLORS
from jaxflow.plot.style import Series, log_ticks, tick_label

RIM = [withStroke(linewidth=2.6, foreground="black")]  # of a white line, over any colour
SMALLEST, LARGEST = 3.0, 40.0  # areas of marks, in points squared


def probability_map(
    x: ArrayLike, y: ArrayLike, chance: ArrayLike, *, ax: Axes, label: str, logarithmic: bool = True
) -> Axes:
    """P(event) (m, k) at y (m,), upwards, and x (k,), on a logarithmic axis.

    y is `logarithmic` too if not said otherwise. Raises `ValueError` for another shape.
    """
    x, y, chance = (np.asarray(v, float) for v in (x, y, chance))
    if chance.shape != (len(y), len(x)):
        got = (chance.shape, y.shape, x.shape)
        raise mistake("chance of shape (len(y), len(x))", got, "give a row for every y")
    made = ax.pcolormesh(
        x, y, chance, cmap=COLORS, norm=Normalize(0, 1), shading="gouraud", rasterized=True
    )
    log_ticks(ax.xaxis, float(x.min()), float(x.max()))
    if logarithmic:
        log_ticks(ax.yaxis, float(y.min()), float(y.max()))
    ax.set_xlim(x.min(), x.max())
    ax.set_ylim(y.min(), y.max())
    ax.figure.colorbar(made, ax=ax, pad=0.02).set_label(label)
    return ax


def contour_map(
    x: ArrayLike, y: ArrayLike, n50: ArrayLike, *, ax: Axes, label: str, levels: int = 7
) -> Axes:
    """Thresholds (m, k) at y (m,), upwards, and x (k,): shades, and lines with their N."""
    x, y, n50 = (np.asarray(v, float) for v in (x, y, n50))
    made = ax.pcolormesh(x, y, np.log(n50), cmap=COLORS, shading="gouraud", rasterized=True)
    at = np.geomspace(n50.min(), n50.max(), levels + 2)[1:-1]
    at = np.unique([float(f"{value:.2g}") for value in at])
    lines = ax.contour(x, y, n50, levels=at, colors="white", linewidths=1.0)
    lines.set(path_effects=[withStroke(linewidth=2.0, foreground="black")])
    named = ax.clabel(lines, fmt=tick_label, fontsize=7)
    for text in named:
        text.set_path_effects([withStroke(linewidth=1.6, foreground="black")])
    for axis, values in ((ax.xaxis, x), (ax.yaxis, y)):
        log_ticks(axis, float(values.min()), float(values.max()))
    ax.set_xlim(x.min(), x.max())
    ax.set_ylim(y.min(), y.max())
    bar = ax.figure.colorbar(made, ax=ax, pad=0.02)
    bar.set_ticks(np.log(at).tolist(), labels=[tick_label(value) for value in at])
    bar.set_label(label)
    return ax


def boundary_band(
    y: ArrayLike,
    n50: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    ax: Axes,
    series: Series,
    label: str | None = None,
) -> Axes:
    """Over a map, a boundary n50 with its band [low, high] at y, upwards, all (k,)."""
    style: Any = {"color": "white", "linestyle": series.line, "path_effects": RIM, "zorder": 3}
    ax.plot(n50, y, linewidth=1.4, label=label, **style)
    ax.fill_betweenx(y, low, high, color="white", alpha=0.35, linewidth=0, zorder=2)
    return ax


def tried(
    x: ArrayLike, y: ArrayLike, trials: ArrayLike, *, ax: Axes, label: str | None = None
) -> Axes:
    """Where trials ran, (k,), as small marks whose area grows with the root of their number."""
    x, y, trials = (np.asarray(v, float) for v in (x, y, trials))
    area = np.clip(SMALLEST * np.sqrt(trials), SMALLEST, LARGEST)
    ax.scatter(
        x, y, s=area, marker="o", facecolor="white", edgecolor="black", linewidth=0.5, alpha=0.8,
        label=label, zorder=4,
    )  # fmt: skip
    return ax
