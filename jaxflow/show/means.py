"""The means of what trials measured where they ended, along an axis or over a plane."""

from collections.abc import Mapping, Sequence
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.core.errors import unknown_name
from jaxflow.report.means import Profile, measured, profiles, varying
from jaxflow.report.slices import SliceReport

FEWEST_ROWS = 3  # of a heat map
WIDE = 30  # the largest mean over the least, from which on a map is logarithmic


def figure(found: Sequence[SliceReport], levels: Mapping[str, float]) -> Figure:
    """A panel for every observable and dynamics: its means along the axis, or over the plane.

    Three slices or more that differ in one axis make a heat map, others a curve each. A level is a
    line across, or the line in the map along which the mean is at it.
    """
    names = measured(found)
    for name in levels:
        if name not in names:
            raise unknown_name("an observable that was measured", name, names)
    dynamics = list(dict.fromkeys(slice.dynamics for slice in found))
    panels = list(product(names, dynamics))
    made, axes = plt.subplots(
        len(names), len(dynamics), squeeze=False, figsize=(5.2 * len(dynamics), 3.6 * len(names))
    )
    for ax, (name, rule) in zip(axes.flat, panels, strict=True):
        shown = [p for p in profiles(found, name) if p.slice.dynamics == rule]
        other = varying(shown)
        draw = _map if other is not None and len(shown) >= FEWEST_ROWS else _curves
        draw(ax, shown, other or "", levels.get(name))
        ax.set_title(f"{plot.plain(rule)}: mean {_called(name)} at the end", loc="left")
    return made


def _curves(ax: Axes, shown: Sequence[Profile], other: str, level: float | None) -> None:
    for profile, series in zip(shown, plot.family(len(shown)), strict=True):
        places = (f"{name.rpartition('.')[2]} = {x:g}" for name, x in profile.slice.place.items())
        trials = f"{sum(map(len, profile.groups))} trials"
        label = plot.plain(", ".join([*places, trials]))
        plot.points(profile.x, *profile.means(), ax=ax, series=series, label=label, joined=True)
    if level is not None:
        ax.axhline(level, color="0.4", linestyle=(0, (1, 2)), linewidth=1.0, label=_at(level))
    every = np.concatenate([profile.x for profile in shown])
    low, high = every.min() / 1.1, every.max() * 1.1
    plot.log_ticks(ax.xaxis, low, high)
    ax.set_xlim(low, high)
    ax.set_xlabel(plot.axis_name(shown[0].slice.along))
    ax.set_ylabel(_called(shown[0].observable))
    ax.legend(loc="best", fontsize=7)


def _map(ax: Axes, shown: Sequence[Profile], other: str, level: float | None) -> None:
    shown = sorted(shown, key=lambda profile: profile.slice.place[other])
    y = [profile.slice.place[other] for profile in shown]
    counts = [len(profile.x) for profile in shown]
    is_logarithmic = min(y) > 0
    means = np.concatenate([profile.means().value for profile in shown])
    is_wide = means.min() > 0 and means.max() > WIDE * means.min()
    plot.heat_map(
        np.concatenate([profile.x for profile in shown]),
        np.repeat(y, counts),
        means,
        ax=ax,
        label=_called(shown[0].observable),
        scale="logarithmic" if is_wide else "linear",
        logarithmic=(True, is_logarithmic),
    )
    if level is not None:
        _level_line(ax, shown, y, level)
    if is_logarithmic:
        plot.size_ticks(ax.yaxis, y)
    ax.set_xlabel(plot.axis_name(shown[0].slice.along))
    ax.set_ylabel(plot.axis_name(other))


def _level_line(ax: Axes, shown: Sequence[Profile], y: Sequence[float], level: float) -> None:
    """Through the crossings that lie inside the slices, with their intervals."""
    inside = []
    for profile, height in zip(shown, y, strict=True):
        value, low, high = map(float, profile.crossing(level))
        if 0 < value < np.inf:
            ends = max(low, float(profile.x[0])), min(high, float(profile.x[-1]))
            inside.append((height, value, *ends))
    if not inside:
        return
    heights, *crossing = zip(*inside, strict=True)
    series = plot.Series("white", "o", "-")
    plot.boundary(
        heights, *crossing, ax=ax, series=series, on_map=True, vertical=False, label=_at(level)
    )
    ax.legend(loc="lower right", facecolor="0.75", frameon=True, framealpha=0.9)


def _at(level: float) -> str:
    return f"mean {level:g}"


def _called(observable: str) -> str:
    return plot.plain(observable.replace("_", " "))
