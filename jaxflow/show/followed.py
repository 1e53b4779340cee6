"""A single trial that was followed on its way, for Python and for notebooks."""

from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jaxflow.core.types import Row
from jaxflow.show.figures import drawn, embedded, save, trajectory


@dataclass(frozen=True)
class Followed:
    """The row of a trial, and what was observed: arrays (k,) by name, "time" the first."""

    row: Row
    observed: dict[str, np.ndarray]

    def plot(self, path: str | PathLike[str] | None = None) -> Figure:
        """A panel for every observable against flow time, written to `path` if one is given."""
        with drawn(lambda: trajectory(self.row, self.observed)) as made:
            if path is not None:
                save(made, Path(path))
            return made

    def __repr__(self) -> str:
        row = self.row
        last = ", ".join(f"{name} = {x[-1]:.4g}" for name, x in self.observed.items())
        place = f"d = {row.d}, n = {row.n}, p = {row.p}, seed {row.seed}"
        return f"{row.dynamics}, {place}: {row.outcome} by {row.reason}\n  {last}"

    def _repr_html_(self) -> str:
        image = embedded(lambda: trajectory(self.row, self.observed), repr(self))
        return f"<pre>{escape(repr(self))}</pre>{image}"
