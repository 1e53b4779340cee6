"""The table of a boundary: where it lies, how steep it is, and whether its counts go with it."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from jaxflow.report.plane import Plane, told
from jaxflow.report.slices import SliceReport
from jaxflow.show.text import Table, between, number, sought, symbol
from jaxflow.statistics.boundary import BoundaryPosterior

SURPRISING = 0.01  # posterior predictive p, below which the counts do not go with a boundary


def tables(found: Sequence[SliceReport]) -> list[Table]:
    """A table for every plane and horizon."""
    horizons = range(len(found[0].horizon.labels))
    return [_table(plane, horizon) for plane, horizon in product(told(found), horizons)]


def _table(plane: Plane, horizon: int) -> Table:
    posterior = plane.posterior(horizon)
    places = plane.landmarks
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
