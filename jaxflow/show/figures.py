"""The figures of a store and of a trial, and how any figure is drawn and written."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from jaxflow import plot, report
from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.types import SIZES, Row
from jaxflow.report.plane import sampled_as_one
from jaxflow.report.slices import SliceReport
from jaxflow.show import collapse, means
from jaxflow.show.convergence import times
from jaxflow.show.diagram import contours, diagram, longest_boundaries
from jaxflow.show.transitions import transitions

KINDS = ("auto", "collapse", "diagram", "means", "times", "transitions")


def draw(
    folder: Path, path: Path, kind: str = "auto", levels: Mapping[str, float] | None = None
) -> Path:
    """The `figure` of the store in `folder`, written to `path`.

    Raises `ValueError` where the store has no such figure, and where the file cannot be written.
    """
    with drawn(lambda: figure(report.slices(folder), kind, levels)) as made:
        return save(made, path)


def figure(
    found: Sequence[SliceReport], kind: str = "auto", levels: Mapping[str, float] | None = None
) -> Figure:
    """A figure of slices; drawn inside `drawn`, it has the style of the project.

    `kind` is "transitions": P(converged) along the scanned axis, a panel a place; "diagram": a
    phase diagram, its boundary and how it grows; "times": when trials converge. These two take
    three slices along d or p that scan n, and "auto" draws a diagram where there are. "collapse" is
    of all sizes against one variable, and of widths by size. "means" are
    those of what was measured where trials ended, with `levels` by observable, and what is drawn of
    a study that waits for no event. Raises `ValueError` for another kind, and where there are too
    few slices for it.
    """
    if kind not in KINDS:
        raise unknown_name("a kind of figure", kind, KINDS)
    if kind == "means" or (kind == "auto" and not found[0].waits):
        return means.figure(found, levels or {})
    if kind == "collapse":
        return collapse.figure(found)
    planes = [plane for plane in sampled_as_one(found) if len(plane.axes) > 1]
    if planes and kind in ("auto", "diagram"):
        return contours(planes)
    chosen = longest_boundaries(found) if found[0].along == "n" else []
    if kind == "transitions" or (kind == "auto" and not chosen):
        return transitions(found)
    if kind == "auto":
        try:
            return diagram(chosen)
        except ValueError:  # as where a threshold is out of its range
            plt.close()
            return transitions(found)
    if not chosen:
        got = f"{len(found)} slices along {found[0].along}"
        raise mistake(f"three slices along d or p for {kind}", got, "draw its transitions")
    return times(chosen) if kind == "times" else diagram(chosen)


def trajectory(row: Row, found: Mapping[str, np.ndarray], step: float | None = None) -> Figure:
    """A panel for every observable of a trial, arrays (k,) by name; `step` is that of a descent."""
    sizes = [f"{name} = {row.point[name]:g}" for name in SIZES]
    others = [f"{plot.axis_name(name)} = {x:g}" for name, x in row.parameters]
    title = ", ".join([row.dynamics, *sizes, *others, f"seed {row.seed}: {row.outcome}"])
    return plot.trajectory(found, step=step, title=title)


@contextmanager
def drawn(make: Callable[[], Figure]) -> Iterator[Figure]:
    """A figure in the style of the project, which pyplot forgets at the end of the `with`."""
    with plot.style():
        made = make()
        try:
            yield made
        finally:
            plt.close(made)


def embedded(make: Callable[[], Figure], alt: str) -> str:
    """A figure as an image of HTML, for notebooks; `alt` says what it shows."""
    file = BytesIO()
    with drawn(make) as made:
        made.savefig(file, format="png", dpi=110)
    data = b64encode(file.getvalue()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{data}">'


def save(made: Figure, path: Path) -> Path:
    """Write a figure; `ValueError` where the file cannot be written."""
    try:
        made.savefig(path)
    except (OSError, ValueError) as error:
        raise mistake("a figure file that can be written", str(path), str(error)) from error
    return path
