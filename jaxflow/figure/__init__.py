"""The figures of a store."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from jaxflow import plot, report
from jaxflow._errors import mistake, unknown_name
from jaxflow.figure.diagram import diagram, longest_line
from jaxflow.figure.times import times
from jaxflow.figure.transitions import transitions
from jaxflow.report import CellReport

KINDS = ("auto", "diagram", "times", "transitions")


def draw(folder: Path, path: Path, kind: str = "auto") -> Path:
    """The figure of the store in `folder`, written to `path`.

    `kind` is "transitions": P(converged) along the scanned axis, a panel a place; "diagram": a
    phase diagram, its boundary and how it grows; "times": when trials converge. The last two take
    three cells along d or p that scan n, and "auto" draws a diagram where there are. Raises
    `ValueError` where the store has no such figure, and where the file cannot be written.
    """
    if kind not in KINDS:
        raise unknown_name("a kind of figure", kind, KINDS)
    found = report.cells(folder)
    with plot.style():
        figure = _made(found, kind)
        try:
            figure.savefig(path)
        except (OSError, ValueError) as error:
            raise mistake("a figure file that can be written", str(path), str(error)) from error
        finally:
            plt.close(figure)
    return path


def _made(found: Sequence[CellReport], kind: str) -> Figure:
    lines = longest_line(found) if found[0].along == "n" else []
    if kind == "transitions" or (kind == "auto" and not lines):
        return transitions(found)
    if not lines:
        got = f"{len(found)} cells along {found[0].along}"
        raise mistake(f"three cells along d or p for {kind}", got, "draw its transitions")
    drawing: Callable[..., Figure] = times if kind == "times" else diagram
    return drawing(lines)
