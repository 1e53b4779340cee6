"""What became of the trials at every place of a slice, at every horizon of a ladder."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.checks import Array
from jaxflow.core.types import Outcome
from jaxflow.report.slices import SliceReport

EVENT = list(Outcome).index(Outcome.CONVERGED)


class Places(NamedTuple):
    """Places along the scanned axis, or where they are many, stretches of it from `low` to `high`.

    `counts` (times, k, 4) say how the trials at each ended by each time, in the order of `Outcome`;
    `seed` (k,) is a trial at `low`.
    """

    x: Array  # (k,), the mean over its trials
    low: NDArray[np.float64]
    high: Array
    seed: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def trials(self) -> NDArray[np.int64]:
        """How many trials are at each (k,)."""
        return np.asarray(self.counts[-1].sum(axis=-1))

    @property
    def happened(self) -> NDArray[np.int64]:
        """How often the event had happened by each time (times, k)."""
        return np.asarray(self.counts[..., EVENT])


def places(slice: SliceReport, times: Sequence[float], most: int) -> Places:
    """Those of a slice, at most so many, by times in the unit of its horizons."""
    columns = slice.columns
    x, first = np.unique(columns.x, return_index=True)
    starts = _starts(x, most)
    ended = [columns.ended_by(time)[1] for time in times]
    counts = np.stack([np.add.reduceat(of_one, starts, axis=0) for of_one in ended])
    trials = ended[-1].sum(axis=1)
    mean = np.add.reduceat(x * trials, starts) / np.add.reduceat(trials, starts)
    ends = np.append(starts[1:], len(x)) - 1
    seeds = columns.rows.array("seed")[first][starts]
    return Places(mean, x[starts].astype(float), x[ends], seeds, counts)


def _starts(x: Array, most: int) -> NDArray[np.int64]:
    """Where in sorted x (m,) each of at most so many stretches begins, even in log x."""
    if len(x) <= most:
        return np.arange(len(x))
    share = np.log(x / x[0]) / np.log(x[-1] / x[0])
    stretch = np.minimum((share * most).astype(int), most - 1)
    return np.flatnonzero(np.diff(stretch, prepend=-1))
