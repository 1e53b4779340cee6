"""The thresholds of a store, as data and as a table; of a grid of one value, P(converged) at it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from jaxflow.core.types import SIZES, Outcome
from jaxflow.report import look
from jaxflow.report.look import between, number, symbol
from jaxflow.report.slices import slices


def thresholds(folder: Path) -> list[dict[str, Any]]:
    """One dictionary a slice and horizon, as printed by `jaxflow thresholds --json`."""
    return [slice.as_dict(h) for slice in slices(folder) for h in range(len(slice.horizon.labels))]


def table(reports: Sequence[dict[str, Any]]) -> Table:
    """The thresholds as a table for a terminal of 80 columns: what all have in common is on top."""
    along = symbol(reports[0]["along"])
    places = [_places(report) for report in reports]
    names = list(dict.fromkeys(name for place in places for name in place))
    values = {name: {place.get(name, "") for place in places} for name in names}
    shared = {name: values[name].pop() for name in names if len(values[name]) == 1}
    own = sorted((name for name in names if name not in shared), key="horizon".__eq__)
    points = "proportion" in reports[0]
    sought = "P(converged)" if points else f"Threshold in {along}: where P(converged) crosses 1/2"
    title = f"{sought}, with its 95 % interval"
    made = look.table("\n".join([title, ", ".join(f"{k} = {x}" for k, x in shared.items())]))
    seen = [name for name in Outcome if any(report["outcomes"][name] for report in reports)]
    made.add_column("dynamics", no_wrap=True)
    first = "P" if points else "N" if along == "n" else along
    for column in (*own, first, "interval", "well initialized", *map(str.lower, seen)):
        made.add_column(column, justify="right", no_wrap=True)
    for report, place in zip(reports, places, strict=True):
        made.add_row(
            report["name"],
            *(place.get(name, "") for name in own),
            *(_proportion(report) if points else _threshold(report)),
            *(str(report["outcomes"][name]) for name in seen),
        )
    return made


def _places(report: dict[str, Any]) -> dict[str, str]:
    """Sizes, parameters by their last words, the only value of a grid, and the horizon, as text."""
    sizes = {name: str(report[name]) for name in SIZES if name in report}
    parameters = {symbol(name): number(x) for name, x in report["parameters"].items()}
    only = {symbol(report["along"]): number(report["at"])} if "at" in report else {}
    return {**sizes, **parameters, **only, "horizon": str(report["horizon"])}


def _threshold(report: dict[str, Any]) -> tuple[str, str, str]:
    """The threshold, its interval, and that given good initialization."""
    edge = {"": "", "below": "< ", "above": "> "}[report["at_edge"]]
    interval = between(report["low"], report["high"])
    return f"{edge}{number(report['n50'])}", interval, number(report["conditional"]["n50"])


def _proportion(report: dict[str, Any]) -> tuple[str, str, str]:
    """P(converged), its interval, and that given good initialization."""
    given = report["conditional"]
    interval = between(report["low"], report["high"])
    return number(report["proportion"]), interval, number(given["proportion"]) if given else ""
