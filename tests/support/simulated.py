"""Studies whose truth is known, and what a store would say of them."""

from collections.abc import Sequence

import numpy as np

from benchmarks.simulated import base_point as base_point
from benchmarks.simulated import proportion as proportion
from benchmarks.simulated import row as row
from benchmarks.simulated import searched as searched
from jaxflow.core.types import Point, Row
from jaxflow.report.slices import SliceReport
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.plan import Plan
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.resamples import Measured


def measured(x, n50, seed, trials=20, width=0.1) -> Measured:
    """A slice of fixed design: 13 n over three widths of the transition."""
    rng = np.random.default_rng([seed, int(n50)])
    n = np.unique(np.round(n50 * np.exp(np.linspace(-1.5, 1.5, 13) * width)).astype(int))
    converged = rng.binomial(trials, proportion(n, (n50, width, 0.0)))
    tallies = [Tally(int(a), int(c), trials) for a, c in zip(n, converged, strict=True)]
    return Measured(x, tallies, n50 / 4, n50 * 4)


def simulate(plan: ThresholdPlan, truth, seed: int) -> list[Tally]:
    """The tallies of one study."""
    return list(searched(plan, truth, seed).tallies())


def told(
    name: str,
    base: Point,
    plan: Plan,
    horizon: Horizon,
    rows: Sequence[Row] = (),
    kind: str = "flow",
    tells: bool = True,
) -> SliceReport:
    """What a store would say of a slice with these rows, all allowed the horizon they have."""
    allowed = {row.trial: row.horizon for row in rows}
    return SliceReport(
        name, base, plan, horizon, kind=kind, tells_initialization=tells, rows=tuple(rows),
        allowed=allowed,
    )  # fmt: skip
