"""What trials measured where they ended: means by place, and where these cross a level."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxflow.core.checks import Array
from jaxflow.core.errors import mistake, unknown_name
from jaxflow.report.slices import SliceReport
from jaxflow.statistics import levels
from jaxflow.statistics.resamples import Interval


@dataclass(frozen=True)
class Profile:
    """An observable along the scanned axis of a slice, where its trials ended.

    `x` are the places (k,), and `groups` what the trials at each measured, finite numbers all;
    `left_out` counts those at each that measured none, as trials that failed.
    """

    slice: SliceReport
    observable: str
    x: Array
    groups: tuple[Array, ...]
    left_out: tuple[int, ...]

    @property
    def title(self) -> str:
        """Which slice it is; it belongs to no event."""
        return replace(self.slice, event="").title

    def means(self) -> Interval:
        """The means (k,) with their 95 % intervals, by the bootstrap."""
        return levels.means(self.groups)

    def crossing(self, level: float) -> Interval:
        """Where the mean last crosses a level, with its 95 % interval; 0 and infinity: beyond x.

        Neighbouring places with few trials are pooled: one trial alone would seem exact.
        """
        return levels.crossing(*levels.pooled(self.x, self.groups), level)

    def entries(self) -> Iterator[dict[str, Any]]:
        """One dictionary a place."""
        columns = zip(self.x, self.groups, self.left_out, *self.means(), strict=True)
        for x, group, left_out, mean, low, high in columns:
            yield {
                **self._place(),
                self.slice.along: float(x),
                "mean": float(mean),
                "low": float(low),
                "high": float(high),
                "trials": len(group),
                "left_out": left_out,
            }

    def level(self, level: float) -> dict[str, Any]:
        """Where the mean crosses a level, as a dictionary."""
        value, low, high = map(float, self.crossing(level))
        found = {"level": level, "along": self.slice.along, "crossing": value}
        return {**self._place(), **found, "low": low, "high": high}

    def _place(self) -> dict[str, Any]:
        slice = self.slice
        return {"dynamics": slice.dynamics, **slice.place, "observable": self.observable}


def measured(found: Sequence[SliceReport]) -> list[str]:
    """The observables that the trials of slices measured; `ValueError` where there are none."""
    names = list(dict.fromkeys(name for row in found[0].rows for name, _ in row.measured))
    if not names:
        remedy = 'name observables in the study, as measure = ["test_loss"], and run it'
        raise mistake("a study that measures something", "nothing measured", remedy)
    return names


def profiles(found: Sequence[SliceReport], observable: str) -> list[Profile]:
    """An observable along every slice; `ValueError` where it was not measured."""
    names = measured(found)
    if observable not in names:
        raise unknown_name("an observable that was measured", observable, names)
    first = found[0].event  # of several events each slice is there as often
    return [_profile(slice, observable) for slice in found if slice.event == first]


def every_profile(found: Sequence[SliceReport]) -> list[Profile]:
    """All that was measured, along every slice."""
    return [profile for name in measured(found) for profile in profiles(found, name)]


def _profile(slice: SliceReport, observable: str) -> Profile:
    groups: dict[float, list[float]] = {}
    for row in slice.rows:
        groups.setdefault(row.point[slice.along], []).append(dict(row.measured)[observable])
    kept = {x: np.array([v for v in groups[x] if np.isfinite(v)]) for x in sorted(groups)}
    told = {x: values for x, values in kept.items() if len(values)}
    return Profile(
        slice,
        observable,
        np.array(list(told)),
        tuple(told.values()),
        tuple(len(groups[x]) - len(values) for x, values in told.items()),
    )


def varying(found: Sequence[Profile]) -> str | None:
    """The one axis, beside the scanned one, in which profiles of one dynamics differ, if it is."""
    places = [profile.slice.place for profile in found]
    names = [name for name in places[0] if len({place[name] for place in places}) > 1]
    return names[0] if len(names) == 1 else None
