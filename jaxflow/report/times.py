"""When trials converge: N as a function of the flow time allowed, and convergence times by n."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxflow._errors import mistake
from jaxflow._types import Row
from jaxflow.report.cells import CellReport
from jaxflow.sweep import estimate
from jaxflow.sweep.survival import Survival, convergence_times, survival
from jaxflow.theory import published_horizon

Array = np.ndarray


class AgainstTime(NamedTuple):
    """Thresholds by flow times allowed, all (k,); `factor` is in published horizons."""

    factor: Array
    n50: Array
    low: Array
    high: Array
    at_edge: tuple[str, ...]


def against_time(cell: CellReport, factors: Sequence[float] = ()) -> AgainstTime:
    """N at multiples of the published horizon, from one set of trials.

    Those of an eighth to the longest that all trials were allowed, if none are given. A time that
    the trials at some n do not tell of leaves those n out.
    """
    if cell.along != "n":
        raise mistake("a study that scans n", f"one along {cell.along}", "ask it for thresholds")
    if not factors:
        longest = min(row.horizon / published_horizon(row.n, row.p) for row in cell.rows)
        factors = (np.geomspace(1 / 8, 1, 10) * longest).tolist()
    found = []
    for factor in factors:

        def allowed(row: Row, factor: float = factor) -> float:
            return factor * published_horizon(row.n, row.p)

        found.append(estimate(cell.tallies_within(allowed), *cell.extent))
    return AgainstTime(
        np.asarray(factors, float),
        np.array([f.n50 for f in found]),
        np.array([f.low for f in found]),
        np.array([f.high for f in found]),
        tuple(f.at_edge for f in found),
    )


class ByPoint(NamedTuple):
    """The trials of a cell by their place on the scanned axis, in increasing order."""

    x: Array
    trials: Array
    curves: tuple[Survival, ...]

    @property
    def medians(self) -> tuple[Array, Array, Array]:
        """Median convergence times and their 95 % intervals; inf where not reached."""
        ends = np.array([curve.median_interval for curve in self.curves])
        return np.array([curve.median for curve in self.curves]), ends[:, 0], ends[:, 1]


def by_point(cell: CellReport, width: float = 0.0) -> ByPoint:
    """Survival of "not converged" at every n, or of neighbours within `width` in log n as one."""
    groups: list[list[Row]] = []
    for row in sorted(cell.rows, key=lambda row: row.point[cell.along]):
        x = row.point[cell.along]
        first = groups[-1][0].point[cell.along] if groups else None
        if first is not None and (x == first or np.log(x / first) < width):
            groups[-1].append(row)
        else:
            groups.append([row])
    return ByPoint(
        np.array([np.mean([row.point[cell.along] for row in group]) for group in groups]),
        np.array([len(group) for group in groups]),
        tuple(survival(*convergence_times(group)) for group in groups),
    )
