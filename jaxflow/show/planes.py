"""The table of a boundary: where it lies, how steep it is, and whether its counts go with it."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from jaxflow.report.plane import Plane, planes
from jaxflow.report.slices import SliceReport
from jaxflow.show.text import Table, between, number, sought, symbol
from jaxflow.statistics.boundary import BoundaryPosterior

ENDS = 0.0, 0.5, 1.0  # of an axis, where the boundary is told
SURPRISING = 0.01  # posterior predictive p, below which the counts do not go with a boundary


def tables(found: Sequence[SliceReport]) -> list[Table]:
    """A table for every plane and horizon."""
    chosen = [plane for plane in planes(found) if plane.axes and len(plane.slices) > 2]
    horizons = range(len(found[0].horizon.labels))
    return [_table(plane, horizon) for plane, horizon in product(chosen, horizons)]


def _table(plane: Plane, horizon: int) -> Table:
    posterior = plane.posterior(horizon)
    places = [
        tuple(float(axis.unscaled(np.array(v))) for axis, v in zip(plane.axes, at, strict=True))
        for at in _along(len(plane.axes))
    ]
    bands = zip(*posterior.band(places), strict=True)
    exponents = [zip(*posterior.exponent(places, k), strict=True) for k in range(len(plane.axes))]
    rows = (
        (
            *map(_rounded, place),
            number(round(n50, 3)),
            between(low, high),
            *(f"{b:.2f} [{low_b:.2f}, {high_b:.2f}]" for b, low_b, high_b in slopes),
        )
        for place, (n50, low, high), *slopes in zip(places, bands, *exponents, strict=True)
    )
    scanned, names = sought(plane.slices[0].along), [symbol(axis.name) for axis in plane.axes]
    fixed = (f"{symbol(name)} = {x:g}" for name, x in plane.fixed.items())
    label = plane.slices[0].horizon.labels[horizon]
    return Table(
        f"Boundary over {' and '.join(names)}: {', '.join([plane.name, *fixed, label])}",
        (*names, scanned, "band", *(f"exponent in {name}" for name in names)),
        tuple(rows),
        _misfit(plane, horizon),
        words=(),
    )


def _along(axes: int) -> list[tuple[float, ...]]:
    """Both ends of every axis and the middle of all, where the other axes are in their middle."""
    places = (
        tuple(v if axis == k else 0.5 for axis in range(axes)) for k in range(axes) for v in ENDS
    )
    return list(dict.fromkeys(places))


def _misfit(plane: Plane, horizon: int) -> str:
    """What counts drawn from the posterior, and every slice by the others, say of it."""
    posterior = plane.posterior(horizon)
    p, scores = posterior.predictive(), posterior.left_out
    worst = int(np.argmax(np.abs(scores)))
    where = _where(plane, posterior.counts[worst].place)
    said = "the counts are not of such a boundary: " if p < SURPRISING else ""
    apart = f"farthest from the rest, {where}: Z = {scores[worst]:.1f}"
    return f"{said}posterior predictive p = {p:.2g}; {apart}{_against_monotone(plane, posterior)}"


def _against_monotone(plane: Plane, posterior: BoundaryPosterior) -> str:
    """Where the counts contradict what the plan says of the way in which the boundary goes."""
    places = [count.place for count in posterior.counts]
    against = posterior.contradicted(places)
    if not against.any():
        return ""
    said = (f"{axis.monotone} in {symbol(axis.name)}" for axis in plane.axes if axis.monotone)
    first = _where(plane, places[int(np.argmax(against))])
    return f"; not {' and '.join(said)} by the counts, as at {first}"


def _where(plane: Plane, place: Sequence[float]) -> str:
    named = zip(plane.axes, place, strict=True)
    return ", ".join(f"{symbol(axis.name)} = {x:g}" for axis, x in named)


def _rounded(x: float) -> str:
    return f"{x:.3g}"
