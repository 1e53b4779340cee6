"""The thresholds of a store, as data and as a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from jaxflow._types import SIZES, Outcome
from jaxflow.report import look
from jaxflow.report.cells import cells
from jaxflow.report.look import between, number, symbol


def thresholds(folder: Path) -> list[dict[str, Any]]:
    """One dictionary a cell and horizon, as printed by `jaxflow thresholds --json`."""
    return [cell.as_dict(h) for cell in cells(folder) for h in range(len(cell.horizon.labels))]


def table(reports: Sequence[dict[str, Any]]) -> Table:
    """The thresholds as a table for a terminal of 80 columns."""
    along = symbol(reports[0]["along"])
    title = f"Threshold in {along}: where P(converged) crosses 1/2, with its 95 % interval"
    made = look.table(title)
    seen = [name for name in Outcome if any(report["outcomes"][name] for report in reports)]
    places = [name for name in SIZES if name in reports[0]]
    parameters = sorted({name for report in reports for name in report["parameters"]})
    made.add_column("dynamics", no_wrap=True)
    for column in (
        *places,
        *map(symbol, parameters),
        "horizon",
        "N" if along == "n" else along,
        "interval",
        "good start",
        *map(str.lower, seen),
    ):
        made.add_column(column, justify="right", no_wrap=True)
    for report in reports:
        made.add_row(
            report["name"],
            *(str(report[name]) for name in places),
            *(number(report["parameters"].get(name)) for name in parameters),
            str(report["horizon"]),
            _where(report),
            between(report["low"], report["high"]),
            number(report["conditional"]["n50"]),
            *(str(report["outcomes"][name]) for name in seen),
        )
    return made


def _where(report: dict[str, Any]) -> str:
    edge = {"": "", "below": "< ", "above": "> "}[report["at_edge"]]
    return f"{edge}{number(report['n50'])}"
