"""Bounds of a boundary that is known to be monotone in some axes of its plane.

Where N does not fall along an axis, what bounds it from below at a place does so at all that lie
beyond, and from above at all that lie before. So a band between two places that were tried is no
wider than from one to the other, and everywhere no wider than without. Other than a prior of
monotone curves, bounds do not push a level boundary upwards. They are those of bands at `LEVEL`:
there are many places to bound one, and some of them are wrong.
"""

from collections.abc import Callable, Sequence

import numpy as np

from jaxflow.core.checks import Array
from jaxflow.statistics.plane_prior import Axis

LEVEL = 0.99
PLACES = 17  # along an axis, at which bounds are taken


def bounds(axes: Sequence[Axis], v: Array, ends: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Lower and upper bounds (m,) of log n50 at places v (m, axes), in units of the axes.

    `ends` are those (2, q) of its band at places (q, axes). Infinite without a monotone axis.
    """
    low, high = np.full(len(v), -np.inf), np.full(len(v), np.inf)
    for k, axis in enumerate(axes):
        if axis.monotone is not None:
            line = np.repeat(v[:, None, :], PLACES, axis=1)
            line[..., k] = np.linspace(0, 1, PLACES)
            lows, highs = ends(line.reshape(-1, len(axes))).reshape(2, *line.shape[:2])
            before, beyond = line[..., k] <= v[:, k, None], line[..., k] >= v[:, k, None]
            if axis.monotone == "decreasing":
                before, beyond = beyond, before
            low = np.maximum(low, np.where(before, lows, -np.inf).max(axis=1))
            high = np.minimum(high, np.where(beyond, highs, np.inf).min(axis=1))
    return low, high
