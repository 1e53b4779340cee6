"""The phase diagram at d = 30: where descent with step 1 and the gradient flow converge.

The first picture has P(converged) over n and p, where trials ran, and the boundary by each time
allowed; below, the boundary against p and against the time. The second is of convergence times:
their median over n and p, its growth towards the boundary, and the part of trials that have not
converged by t at a width in the middle.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from _common import Claim, Stores, main

from jaxflow import report
from jaxflow.report.plane import Plane, planes
from jaxflow.show.figures import draw as draw_store

STUDIES = ("phase-diagram-d30",)
WIDTHS = 20, 30, 50, 80, 120, 200  # at which the boundary is told, within the range of the study


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, and the boundary at the published horizon and at twice that."""
    store = stores["phase-diagram-d30"]
    draw_store(store, path, "diagram")
    draw_store(store, path.with_stem("phase_diagram_times"), "times")
    return [claim for plane in planes(report.slices(store)) for claim in claims(plane)]


def claims(plane: Plane) -> Iterator[Claim]:
    """The boundary at widths, by all trials of its plane, and how steep it is at the ends."""
    (axis,) = plane.axes
    trials = sum(len(slice.rows) for slice in plane.slices)
    widths = [[p] for p in WIDTHS if axis.low <= p <= axis.high]
    for horizon, label in enumerate(plane.slices[0].horizon.labels):
        boundary = plane.posterior(horizon)
        for (p,), n50, low, high in zip(widths, *boundary.band(widths), strict=True):
            what = f"N(30, {p:g}), {plane.name}, horizon {label}"
            yield Claim(what, float(n50), float(low), float(high), trials)
        ends = [axis.low, axis.high]
        slopes = boundary.exponent([[p] for p in ends])
        for p, value, low, high in zip(ends, *slopes, strict=True):
            what = f"d log N / d log p at p = {p:g}, {plane.name}, horizon {label}"
            yield Claim(what, float(value), float(low), float(high), trials)


if __name__ == "__main__":
    main("phase_diagram", draw)
