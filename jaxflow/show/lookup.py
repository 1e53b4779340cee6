"""What the script of a page looks up: what became of trials at every place and horizon."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxflow.core.types import Outcome
from jaxflow.report.slices import SliceReport
from jaxflow.show.panels import View
from jaxflow.show.repeat import Origin, command
from jaxflow.show.text import symbol
from jaxflow.statistics.counts import wilson

DIGITS = 4  # of an interval
ENDED = {  # outcomes, by what a reader calls them
    Outcome.CONVERGED: "event",
    Outcome.STALLED: "stalled",
    Outcome.UNDECIDED: "undecided",
    Outcome.FAILED: "failed",
}


def lookup(study: Origin, shown: Sequence[View]) -> dict[str, Any]:
    """Places with their counts by horizon and a command each; intervals by counts; horizons."""
    labels = list(dict.fromkeys(view.labels for view in shown))
    return {
        "points": [point for view in shown for point in _points(study, view, labels)],
        "intervals": _intervals(shown),
        "labels": labels,
        "outcomes": [ENDED[outcome] for outcome in Outcome],
    }


def _points(study: Origin, view: View, labels: Sequence[Any]) -> Iterator[dict[str, Any]]:
    found, slice = view.places, view.slice
    columns = zip(found.low.tolist(), found.high.tolist(), found.seed.tolist(), strict=True)
    for k, (low, high, seed) in enumerate(columns):
        yield {
            "at": f"{slice.title}, {stretch(slice, low, high)}",
            "command": command(study, slice, low, seed),
            "counts": found.counts[:, k].tolist(),
            "labels": labels.index(view.labels),
        }


def stretch(slice: SliceReport, low: float, high: float) -> str:
    """Where on the scanned axis, in words."""
    name = symbol(slice.along)
    return f"{name} = {low:g}" if low == high else f"{name} from {low:g} to {high:g}"


def _intervals(shown: Sequence[View]) -> dict[str, list[float]]:
    """Wilson's interval of every pair of counts that there is."""
    pairs = np.concatenate([_pairs(view) for view in shown])
    known = np.unique(pairs, axis=0)
    ends = np.stack(wilson(known[:, 0], known[:, 1]), axis=1).round(DIGITS).tolist()
    return {f"{a}/{b}": end for (a, b), end in zip(known.tolist(), ends, strict=True)}


def _pairs(view: View) -> np.ndarray:
    happened = view.places.happened
    trials = np.broadcast_to(view.places.trials, happened.shape)
    return np.stack([happened.ravel(), trials.ravel()], axis=1)
