"""Thresholds by the step of descent, and those of an edge flow held against descent's."""

from collections.abc import Iterator, Sequence

import numpy as np
from _common import Claim, ratio, threshold

from jaxflow import Outcome
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.resamples import bootstrap

FEWEST = 5  # pairs of trials that tell how times part
Steps = dict[float, SliceReport]


def by_dynamics(slices: Sequence[SliceReport], axis: str = "step") -> dict[str, Steps]:
    """Slices by dynamics and the value of an axis of it, 0 where it has none."""
    found: dict[str, Steps] = {}
    for slice in slices:
        at = slice.place.get(f"dynamics.{slice.dynamics}.{axis}", 0.0)
        found.setdefault(slice.dynamics, {})[at] = slice
    return {name: dict(sorted(by.items())) for name, by in found.items()}


def compared(
    place: str, step: float, name: str, edge: SliceReport, descent: SliceReport
) -> Iterator[Claim]:
    """N of the edge flow of this `name`, over that of descent, and how the times part."""
    yield threshold(f"{place}, {name} with step {step:g}", edge)
    what = f"{place}, step {step:g}: that of the {name} over that of descent"
    yield Claim(what, *ratio(edge, descent), len(edge.rows), 1.0, "if they are one")
    pairs = _pairs(descent, edge)
    if len(pairs) >= FEWEST:
        parted = [np.abs(np.log([edge / descent for descent, edge in pairs]))]
        found = map(float, bootstrap(parted, lambda groups: np.median(groups[0], axis=-1)))
        what = f"{place}, step {step:g}: median relative difference of the times to the event"
        yield Claim(what + ("" if name == "edge flow" else f", {name}"), *found, len(pairs))


def _pairs(descent: SliceReport, edge: SliceReport) -> list[tuple[float, float]]:
    """Times to the event of the draws that both were given and both brought there."""
    arrived = [
        {(row.n, row.seed): row.flow_time for row in slice.rows if row.outcome is Outcome.CONVERGED}
        for slice in (descent, edge)
    ]
    return [(arrived[0][key], arrived[1][key]) for key in arrived[0].keys() & arrived[1].keys()]
