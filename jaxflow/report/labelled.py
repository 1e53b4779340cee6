"""Thresholds as labelled arrays: a dimension for each axis but the scanned one, one for horizons.

Needs `pip install 'jaxflow-phase[export]'`.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxflow.core.errors import mistake
from jaxflow.core.machine import versions
from jaxflow.core.types import Outcome
from jaxflow.report.export import described, package
from jaxflow.report.slices import SliceReport, waiting

if TYPE_CHECKING:
    import xarray

LEVEL = 0.95
NUMBERS = {  # long names
    "threshold": "where P(event) crosses one half: posterior median",
    "low": "lower end of the credible interval of the threshold",
    "high": "upper end of the credible interval of the threshold",
    "width": "10-90 % width of the transition, in the logarithm of the scanned axis",
    "width_low": "lower end of the credible interval of the width",
    "width_high": "upper end of the credible interval of the width",
}
ENDS = ("low", "high", "width_low", "width_high")


def thresholds(
    found: Sequence[SliceReport], attributes: Mapping[str, str] | None = None
) -> "xarray.Dataset":
    """Thresholds, their intervals and counts by outcome, over dynamics, axes and horizons.

    NaN, and no trials, where no slice was run. Ends of intervals say their probability; a threshold
    beyond the range that was looked in says so in `at_edge`, "below" or "above". Raises
    `ValueError` where no slice has a threshold.
    """
    labelled = package("xarray")
    sliced = [slice for slice in waiting(found) if not slice.is_point]
    if not sliced:
        remedy = "take `proportions()`"
        raise mistake("slices with a threshold", "single values of the scanned axis", remedy)
    records = [_record(slice, h) for slice in sliced for h in range(len(slice.horizon.multiples))]
    places, values = zip(*records, strict=True)
    dims = _dims(places)
    index = tuple(
        np.searchsorted(axis, [place.get(name, nan) for place in places])
        for name, axis in dims.items()
    )
    shape, along = tuple(map(len, dims.values())), sliced[0].along
    variables = {}
    for name, first in values[0].items():
        filled = np.full(shape, _nothing(first), object if isinstance(first, str) else None)
        filled[index] = [told[name] for told in values]
        variables[name] = (list(dims), filled, _about(name, along))
    coordinates = {name: (name, axis, described(name)) for name, axis in dims.items()}
    coordinates["horizon"][2]["units"] = sliced[0].unit_of_horizons
    about = {"along": along, "versions": versions(), **(attributes or {})}
    made: xarray.Dataset = labelled.Dataset(variables, coordinates, about)
    return made


def _record(slice: SliceReport, horizon: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Where a threshold is, and what is known of it."""
    event = {"event": slice.event} if slice.event else {}
    place = {"dynamics": slice.dynamics, **event, **slice.place}
    known = slice.estimated(horizon)
    (low, high), (width_low, width_high) = known.interval(LEVEL), known.width_interval(LEVEL)
    outcomes = {name.lower(): count for name, count in slice.outcomes(horizon).items()}
    return {**place, "horizon": slice.horizon.multiples[horizon]}, {
        "threshold": known.median,
        "low": low,
        "high": high,
        "width": known.width,
        "width_low": width_low,
        "width_high": width_high,
        "at_edge": str(known.at_edge),
        "trials": len(slice.rows),
        **outcomes,
    }


def _dims(places: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The values of every axis, NaN where a slice has none; the horizons are the last."""
    names = list(dict.fromkeys(name for place in places for name in place if name != "horizon"))
    return {
        name: np.unique([place.get(name, nan) for place in places]) for name in [*names, "horizon"]
    }


def _nothing(value: float | str) -> float | str:
    """What stands where no slice was run."""
    return "" if isinstance(value, str) else 0 if isinstance(value, int) else nan


def _about(name: str, along: str) -> dict[str, Any]:
    """The long name and unit of a variable, and the probability of an interval."""
    if name in NUMBERS:
        is_width = name.startswith("width")
        unit = "1" if is_width else described(along).get("units", "1")
        level = {"interval_probability": LEVEL} if name in ENDS else {}
        return {"long_name": NUMBERS[name], "units": unit, **level}
    if name == "at_edge":
        return {"long_name": "beyond which end of the range looked in the threshold lies"}
    what = "trials" if name == "trials" else f"trials that ended as {Outcome(name.upper())}"
    return {"long_name": what, "units": "trials"}
