"""Trials over time: the observables of one, a panel each; the spread of many, and their ends."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake
from jaxflow.plot.style import FLOW, Series, log_ticks, plain

Array = NDArray[np.float64]

LABELS = {
    "loss": "loss $L$",
    "curvature": "local PL curvature $\\mu$",
    "sharpness": "sharpness",
    "flips": "activation signs flipped",
    "distance": "distance from the start",
    "balancedness": "drift of $a_j^2 - |w_j|^2$",
    "teacher_error": "$|W^TW - V^TV|_F / |V^TV|_F$",
    "teacher_distance": "$\\min_Q |QW - V|_F / |V|_F$",
    "quotient_low": "$\\lambda_{\\min}$ mod rotations",
    "quotient_high": "$\\lambda_{\\max}$ mod rotations",
}
LOGARITHMIC = {
    "loss",
    "test_loss",
    "curvature",
    "gradient_norm",
    "balancedness",
    "teacher_error",
    "teacher_distance",
}
SHIFT = 0.02  # of a decade: half the width that trials at one x are spread over
BOUNDS = {"curvature": ("curvature_low", "curvature_high")}


def panel(name: str, found: Mapping[str, Array], *, ax: Axes, step: float | None = None) -> Axes:
    """One observable of `found`, arrays (k,) by name with "time" among them.

    The curvature is drawn between its bounds where these are there, the sharpness with the line
    2/step of a descent with that step.
    """
    shown = found["time"] > 0
    t = found["time"][shown]
    y = found[name][shown]
    ax.plot(t, y, color=FLOW.color, linestyle=FLOW.line)
    bounds = [found[bound][shown] for bound in BOUNDS.get(name, ()) if bound in found]
    for bound, line in zip(bounds, ("--", "-."), strict=False):
        ax.plot(t, bound, color="0.45", linestyle=line, linewidth=0.9)
    if len(bounds) == 2:
        ax.fill_between(t, bounds[0], bounds[1], color="0.5", alpha=0.12, linewidth=0)
    if name == "sharpness" and step is not None:
        ax.axhline(2 / step, color="0.45", linestyle="--", linewidth=0.9)
        ax.annotate("2/step", (t[0], 2 / step), xytext=(2, 2), textcoords="offset points", size=7)
    log_ticks(ax.xaxis, t.min(), t.max())
    if name in LOGARITHMIC and np.any(y > 0) and not np.any(y < 0):
        positive = np.concatenate([v[v > 0] for v in (y, *bounds)])
        if positive.max() > 3 * positive.min():
            log_ticks(ax.yaxis, positive.min() / 1.1, positive.max() * 1.1)
    ax.set_ylabel(LABELS.get(name, plain(name.replace("_", " "))))
    return ax


def trajectory(found: Mapping[str, Array], *, step: float | None = None, title: str = "") -> Figure:
    """A figure with a panel for every observable of `found` but bounds and "time"."""
    hidden = {"time", *(bound for pair in BOUNDS.values() for bound in pair)}
    names = [name for name in found if name not in hidden]
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(
        rows, columns, sharex=True, squeeze=False, figsize=(3.4 * columns, 0.5 + 1.9 * rows)
    )
    for ax, name in zip(axes.flat, names, strict=False):
        panel(name, found, ax=ax, step=step)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    for column in range(columns):
        last = axes[(len(names) - 1 - column) // columns, column]
        last.set_xlabel("flow time $t$")
        last.tick_params(labelbottom=True)
    figure.suptitle(plain(title), x=0.01, ha="left", fontsize=9)
    return figure


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
