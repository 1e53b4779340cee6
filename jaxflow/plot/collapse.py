"""Finite-size scaling: the transitions of all sizes against one variable, and their curve."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow.plot.marks import points
from jaxflow.plot.style import family


class Counted(NamedTuple):
    """Proportions of one size with their intervals [low, high] at the scaled places t, all (k,)."""

    label: str
    t: ArrayLike
    proportion: ArrayLike
    low: ArrayLike
    high: ArrayLike


def collapse(
    sizes: Sequence[Counted], t: ArrayLike, curve: ArrayLike, *, ax: Axes, label: str = "$t$"
) -> Axes:
    """All sizes, from dark to light, and the curve at t that they share, both (k,).

    `label` says what t is.
    """
    for (name, *told), series in zip(sizes, family(len(sizes)), strict=True):
        points(*told, ax=ax, series=series, label=name)
    ax.plot(np.asarray(t, float), curve, color="0.25", linewidth=1.2, zorder=2)
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    ax.set_ylim(-0.04, 1.24)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_xlabel(label)
    ax.set_ylabel("P(converged) / (1 - lapse)")
    ax.legend(loc="upper right")
    return ax
