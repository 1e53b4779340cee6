"""Scores of differences against size, with what chance gives."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.plot.style import Series, axis_name, size_ticks

CHANCE = 1.96  # within which 95 % of standard normal scores are


def scores(
    size: ArrayLike, z: ArrayLike, *, ax: Axes, series: Series, label: str | None = None
) -> Axes:
    """Scores z at sizes, both (k,), as open marks on stems from 0."""
    size, z = np.asarray(size, float), np.asarray(z, float)
    ax.vlines(size, 0, z, color=series.color, linewidth=0.8)
    ax.scatter(
        size, z, s=20, marker=series.marker, facecolor="white", edgecolor=series.color,
        linewidth=1.0, label=label, zorder=4,
    )  # fmt: skip
    return ax


def score_axes(ax: Axes, sizes: Sequence[float], along: str) -> Axes:
    """Axes of scores against a logarithmic size, with the band that holds 95 % of those of chance.

    They reach a little beyond the band, and beyond any score that is on them.
    """
    sized_axes(ax, sizes, along)
    ax.axhspan(-CHANCE, CHANCE, color="0.9", linewidth=0, zorder=0, label="95 % by chance")
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, -1.5 * CHANCE), max(high, 1.5 * CHANCE))
    return ax


def sized_axes(ax: Axes, sizes: Sequence[float], along: str) -> Axes:
    """A logarithmic axis of sizes, with ticks at these, and a line at 0."""
    low, high = min(sizes), max(sizes)
    margin = max((high / low) ** 0.15, 1.15)
    ax.set_xscale("log")
    ax.set_xlim(low / margin, high * margin)
    size_ticks(ax.xaxis, sorted(set(sizes)))
    ax.set_xlabel(axis_name(along))
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=1)
    return ax
