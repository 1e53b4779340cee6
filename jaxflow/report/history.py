"""How what is known of a store's thresholds grew, trial by trial as they were asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.checks import Array
from jaxflow.report.plane import Plane, sampled_as_one
from jaxflow.report.slices import SliceReport
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Posterior
from jaxflow.store.order import ranks
from jaxflow.store.store import Store
from jaxflow.store.table import Trials

FIRST = 12  # trials, at which a history begins
POINTS = 8  # of a history
MOST_SLICES = 12  # of which one is told
MOST_COUNTS = 400  # of a plane


class History(NamedTuple):
    """Half the 95 % interval over the threshold against the trials by then, both (k,).

    Of a plane it is the largest at the places tried. `asked` is where the study stops; None of a
    grid.
    """

    title: str
    trials: NDArray[np.int64]
    half_width: Array
    asked: float | None


def histories(folder: str | Path, found: Sequence[SliceReport]) -> list[History]:
    """Those of planes sampled as one, and else of slices, evenly chosen if they are many."""
    with Store.read(folder) as store:
        asked = store.asked_in_turn(store.designs[-1].hash)
    alone = [slice for slice in found if slice.together is None and not slice.is_point]
    step = -(-len(alone) // MOST_SLICES) or 1
    made = [_of_plane(plane, asked) for plane in sampled_as_one(found) if _is_small(plane)]
    return [one for one in made if len(one.trials)] + [
        one for slice in alone[::step] if len((one := _of_slice(slice, asked)).trials)
    ]


def _is_small(plane: Plane) -> bool:
    return sum(len(slice.tallies()) for slice in plane.slices) <= MOST_COUNTS


def _of_slice(slice: SliceReport, asked: Trials) -> History:
    turn = turns(slice, asked)
    counts = _checkpoints(int(np.isfinite(turn).sum()))
    posteriors = [slice.plan.posterior(_first(slice, turn, k)) for k in counts]
    return History(slice.title, counts, _widths(posteriors), _asked(slice))


def _of_plane(plane: Plane, asked: Trials) -> History:
    turn = [turns(slice, asked) for slice in plane.slices]
    every = np.sort(np.concatenate(turn))
    counts, last, widths = _checkpoints(int(np.isfinite(every).sum())), None, []
    for count in counts:
        end = every[count - 1]
        tallies = [
            slice.columns.counted(_happened(slice), of_one <= end)
            for slice, of_one in zip(plane.slices, turn, strict=True)
        ]
        last = plane.given(tallies, last)
        median, low, high = last.band([plane.at(slice) for slice in plane.slices])
        widths.append(float(np.max((high - low) / (2 * median))))
    return History(plane.name, counts, np.array(widths), _asked(plane.slices[0]))


def turns(slice: SliceReport, asked: Trials) -> Array:
    """The place of every row (m,) among all that was asked for; infinity of those that were not."""
    wanted, there = ranks(asked, slice.columns.rows)
    order = np.argsort(wanted, kind="stable")
    place = np.minimum(np.searchsorted(wanted[order], there), len(order) - 1)
    known = wanted[order][place] == there if len(order) else np.zeros(len(there), bool)
    return np.where(known, order[place], np.inf)


def _checkpoints(trials: int) -> NDArray[np.int64]:
    """Counts from the first to all, even in their logarithm."""
    if not trials:
        return np.zeros(0, np.int64)
    return np.unique(np.geomspace(min(FIRST, trials), trials, POINTS).round().astype(np.int64))


def _first(slice: SliceReport, turn: Array, count: int) -> tuple[Tally, ...]:
    """The counts of the first so many trials."""
    end = np.partition(turn, count - 1)[count - 1]
    return slice.columns.counted(_happened(slice), turn <= end)


def _happened(slice: SliceReport) -> NDArray[np.bool_]:
    return slice.columns.converged_by(slice.horizon.multiples[-1])


def _widths(posteriors: Sequence[Posterior]) -> Array:
    return np.array([p.relative_half_width for p in posteriors])


def _asked(slice: SliceReport) -> float | None:
    plan = slice.plan
    return plan.relative_half_width if isinstance(plan, ThresholdPlan) else None
