"""The figures of a store."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from jaxflow import plot, report
from jaxflow.core.errors import mistake, unknown_name
from jaxflow.report.slices import SliceReport
from jaxflow.show.convergence import times
from jaxflow.show.diagram import diagram, longest_line
from jaxflow.show.transitions import transitions

KINDS = ("auto", "diagram", "times", "transitions")


def draw(folder: Path, path: Path, kind: str = "auto") -> Path:
    """The figure of the store in `folder`, written to `path`.

    `kind` is "transitions": P(converged) along the scanned axis, a panel a place; "diagram": a
    phase diagram, its boundary and how it grows; "times": when trials converge. The last two take
    three slices along d or p that scan n, and "auto" draws a diagram where there are. Raises
    `ValueError` where the store has no such figure, and where the file cannot be written.
    """
    if kind not in KINDS:
        raise unknown_name("a kind of figure", kind, KINDS)
    found = report.slices(folder)
    with plot.style():
        figure = _made(found, kind)
        try:
            figure.savefig(path)
        except (OSError, ValueError) as error:
            raise mistake("a figure file that can be written", str(path), str(error)) from error
        finally:
            plt.close(figure)
    return path


def _made(found: Sequence[SliceReport], kind: str) -> Figure:
    lines = longest_line(found) if found[0].along == "n" else []
    if kind == "transitions" or (kind == "auto" and not lines):
        return transitions(found)
    if not lines:
        got = f"{len(found)} slices along {found[0].along}"
        raise mistake(f"three slices along d or p for {kind}", got, "draw its transitions")
    drawing: Callable[..., Figure] = times if kind == "times" else diagram
    return drawing(lines)
