"""What a run left in its folder, for Python and for notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.figure import Figure

from jaxflow import report
from jaxflow.core.errors import printable, unknown_name
from jaxflow.core.types import Row
from jaxflow.report import export, labelled
from jaxflow.report.means import Profile, measured, profiles
from jaxflow.report.slices import entries
from jaxflow.show import terminal
from jaxflow.show.figures import drawn, embedded, figure, save
from jaxflow.show.text import Table, sought
from jaxflow.statistics.counts import Tally, wilson
from jaxflow.store.file import FILE
from jaxflow.store.store import Store

if TYPE_CHECKING:
    import pandas
    import xarray

MOST_LINES = 6  # of a repr


@dataclass(frozen=True)
class Result:
    """The trials of a study and what they say; reads its folder anew whenever it is asked.

    `design` is the name of one of those that were run into the folder. Every method raises
    `ValueError` where the folder has no store, or one without trials.
    """

    folder: Path
    design: str | None = None  # its name; those of the same horizons along the same axis if None

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))

    def rows(self) -> list[Row]:
        """Every trial of the store, of earlier designs too, sorted by place and number."""
        with Store.read(self.folder) as store:
            return store.rows()

    def thresholds(self) -> list[dict[str, Any]]:
        """One dictionary a slice and horizon: its place, its threshold, its trials by outcome."""
        return report.thresholds(self.folder, self.design)

    def table(self) -> Table:
        """The thresholds as a table: `str` of it is text, rich and notebooks print it.

        Of a study that waits for no event, the means of what it measured.
        """
        return terminal.summary(report.slices(self.folder, self.design))

    def plot(
        self,
        kind: str = "auto",
        path: str | PathLike[str] | None = None,
        *,
        levels: Mapping[str, float] | None = None,
    ) -> Figure:
        """A figure of the kinds of `jaxflow figure`, written to `path` if one is given.

        A path in the first place is one, with the kind left to choose. `levels` are those of means,
        by observable.
        """
        if path is None and Path(kind).suffix:
            kind, path = "auto", kind
        with drawn(lambda: figure(report.slices(self.folder, self.design), kind, levels)) as made:
            if path is not None:
                save(made, Path(path))
            return made

    def proportions(self) -> list[dict[str, Any]]:
        """One dictionary a place of every slice: the trials there, and P(converged) of them.

        "low" and "high" are its 95 % interval by Wilson, at the longest horizon.
        """
        return [
            {**_followed(slice), **slice.place, slice.along: tally.x, **_counted(tally)}
            for slice in report.slices(self.folder, self.design)
            for tally in slice.tallies()
        ]

    def means(self, observable: str) -> list[dict[str, Any]]:
        """One dictionary a place of every slice: the mean of what trials measured at their ends.

        "low" and "high" are its 95 % interval, by the bootstrap over the "trials" there; those
        whose value is not finite are "left_out".
        """
        return [entry for profile in self._profiles(observable) for entry in profile.entries()]

    def level(self, observable: str, value: float) -> list[dict[str, Any]]:
        """One dictionary a slice: where the mean of an observable last crosses a value.

        "crossing" lies between two places, linear in their logarithms, and "low" and "high" are its
        95 % interval by the bootstrap; 0 and infinity are beyond the places measured.
        """
        return [profile.level(value) for profile in self._profiles(observable)]

    def _profiles(self, observable: str) -> list[Profile]:
        return profiles(report.slices(self.folder, self.design), observable)

    def to_pandas(self) -> "pandas.DataFrame":
        """The trials, one row each; needs `jaxflow-phase[export]`."""
        with Store.read(self.folder) as store:
            return export.to_pandas(store.table())

    def to_xarray(self, of: Literal["trials", "thresholds"] = "trials") -> "xarray.Dataset":
        """The trials and their counts over the axes, labelled; needs `jaxflow-phase[export]`.

        Or the thresholds over the axes and horizons with both ends of their 95 % intervals, NaN
        where no slice was run; `ValueError` where the study has none.
        """
        if of not in ("trials", "thresholds"):
            raise unknown_name("what to label", of, ("trials", "thresholds"))
        with Store.read(self.folder) as store:
            about = {"protocol": store.protocol_json, "protocol_hash": store.protocol_hash}
            if of == "trials":
                return export.to_xarray(store.table(), about)
        return labelled.thresholds(report.slices(self.folder, self.design), about)

    def __repr__(self) -> str:
        try:
            slices = report.slices(self.folder, self.design)
        except ValueError:
            held = "no trials" if (self.folder / FILE).exists() else "no store"
            return f"Result({str(self.folder)!r}): {held}"
        found = entries(slices) if slices[0].waits else []
        lines = [_line(entry) for entry in found[:MOST_LINES]] or _ranges(slices)
        more = [f"  and {len(found) - MOST_LINES} more"] if len(found) > MOST_LINES else []
        trials = f"{sum(len(slice.rows) for slice in slices)} trials"
        remark = [f"  {said}"] if (said := terminal.remark(slices)) else []
        return "\n".join([f"Result({str(self.folder)!r}): {trials}", *lines, *more, *remark])

    def _repr_html_(self) -> str:
        try:
            slices = report.slices(self.folder, self.design)
        except ValueError:
            return f"<pre>{escape(repr(self))}</pre>"
        return terminal.summary(slices)._repr_html_() + embedded(
            lambda: figure(slices), f"figure of {self!r}"
        )


def _followed(slice: report.SliceReport) -> dict[str, Any]:
    event = {"event": slice.event} if slice.event else {}
    return {"dynamics": slice.dynamics, **event}


def _counted(tally: Tally) -> dict[str, float]:
    low, high = wilson(tally.converged, tally.trials)
    share = tally.converged / tally.trials
    return {"proportion": share, "low": float(low), "high": float(high), "trials": tally.trials}


def _ranges(slices: Sequence[report.SliceReport]) -> list[str]:
    """What was measured, of a study that waits for no event: the least mean and the largest."""
    lines = []
    for name in measured(slices):
        means = np.concatenate([profile.means().value for profile in profiles(slices, name)])
        ends = f"{means.min():.4g} to {means.max():.4g}"
        lines.append(printable(f"  mean {name}: {ends} over {len(means)} places"))
    return lines


def _line(entry: dict[str, Any]) -> str:
    """One threshold, or P(converged), of `thresholds`."""
    place = ", ".join(f"{name} = {x}" for name, x in terminal.place(entry).items())
    found = "P" if "proportion" in entry else sought(entry["along"])
    said = " ".join(terminal.estimate(entry)).strip()
    name = ", ".join(filter(None, (entry["dynamics"], entry.get("event"))))
    return printable(f"  {name}, {place}: {found} = {said}")
