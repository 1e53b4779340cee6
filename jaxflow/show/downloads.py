"""What the plots of a page are made of as CSV, in links that hold it."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from jaxflow.core.types import Outcome
from jaxflow.report.history import History
from jaxflow.report.means import Profile
from jaxflow.report.universality import Comparison
from jaxflow.show.panels import Panel, View, across, label
from jaxflow.statistics.counts import wilson

GRID = 25  # points of a boundary


class Download(NamedTuple):
    """A file by its name, as a link that holds it."""

    name: str
    href: str


def table(name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Download:
    """A CSV file."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([headings, *rows])
    return Download(f"{name}.csv", f"data:text/csv;charset=utf-8,{quote(file.getvalue())}")


def counts(name: str, views: Sequence[View]) -> Download:
    """How the trials at every place ended by each horizon asked for."""
    along = views[0].slice.along
    names = list(dict.fromkeys(key for view in views for key in view.slice.place))
    headings = ["dynamics", "event", *names, "horizon", f"{along} from", f"{along} to",
                *map(str, Outcome), "P", "low", "high"]  # fmt: skip
    return table(name, headings, (row for view in views for row in _counts(view, names)))


def _counts(view: View, names: Sequence[str]) -> Iterator[Sequence[Any]]:
    slice, found = view.slice, view.places
    at = [slice.dynamics, slice.event, *(slice.place.get(key, "") for key in names)]
    for h, said in enumerate(slice.horizon.labels):
        ended = slice_counts(view, h)
        happened, trials = ended[:, 0], ended.sum(axis=1)
        columns = zip(found.low, found.high, ended, happened / trials, *wilson(happened, trials),
                      strict=True)  # fmt: skip
        for low, high, one, *share in columns:
            yield [*at, said, f"{low:g}", f"{high:g}", *one, *(f"{x:.4f}" for x in share)]


def slice_counts(view: View, horizon: int = -1) -> np.ndarray:
    """The counts (k, 4) at every place of a view by one of the horizons asked for."""
    return view.places.counts[view.asked[horizon]]


def boundaries(name: str, panel: Panel) -> Download:
    """Thresholds with their intervals at every horizon, and the boundary between them."""
    headings = ["what", panel.along or "place", "horizon", "threshold", "low", "high"]
    return table(name, headings, _boundaries(panel))


def _boundaries(panel: Panel) -> Iterator[Sequence[Any]]:
    slice = panel.views[0].slice
    for frame in panel.frames:
        said, told = label(slice, frame.time), frame.thresholds
        if told is not None:
            for at, *numbers in zip(panel.x, *told[1:4], strict=True):
                yield ["slice", f"{at:g}", said, *(f"{x:.6g}" for x in numbers)]
        if frame.boundary is not None:
            grid = np.linspace(min(panel.x), max(panel.x), GRID)
            band = frame.boundary.band(across(panel, grid))
            for at, *numbers in zip(grid, *band, strict=True):
                yield ["boundary", f"{at:g}", said, *(f"{x:.6g}" for x in numbers)]


def means(name: str, found: Sequence[Profile]) -> Download:
    """Means by place."""
    entries = [entry for profile in found for entry in profile.entries()]
    return table(name, list(entries[0]), (list(entry.values()) for entry in entries))


def history(name: str, found: Sequence[History]) -> Download:
    """Half-widths by trials."""
    rows = (
        [one.title, count, f"{width:.5g}"]
        for one in found
        for count, width in zip(one.trials.tolist(), one.half_width.tolist(), strict=True)
    )
    return table(name, ["of", "trials", "relative half-width"], rows)


def differences(name: str, found: Comparison) -> Download:
    """Differences of thresholds by place."""
    entries = found.as_dict()["places"]
    return table(name, list(entries[0]), (list(entry.values()) for entry in entries))
