"""One trial on its way, as a figure and a line of text."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.core.types import Row


def trajectory(row: Row, found: Mapping[str, np.ndarray], step: float | None = None) -> Figure:
    """A panel for every observable of a trial, arrays (k,) by name; `step` is that of a descent."""
    title = f"{row.dynamics}, d = {row.d}, n = {row.n}, p = {row.p}, seed {row.seed}: {row.outcome}"
    return plot.trajectory(found, step=step, title=title)


def summary(row: Row) -> str:
    """What became of a trial."""
    return (
        f"{row.dynamics} d={row.d} n={row.n} p={row.p} seed {row.seed}: {row.outcome} at flow time "
        f"{row.flow_time:.4g} of {row.horizon:g}, {row.evaluations} evaluations, "
        f"loss {row.first_loss:.3g} to {row.last_loss:.3g}"
    )
