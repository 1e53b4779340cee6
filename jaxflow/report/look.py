"""How tables look: numbers, intervals and names of axes, for a terminal of 80 columns."""

from math import isinf

from rich import box
from rich.table import Table

OPEN = "[a, ..)"  # an interval without an upper end


def table(title: str, caption: str = "") -> Table:
    """An empty table."""
    return Table(
        title=title,
        title_justify="left",
        min_width=76,
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
    )


def number(x: float | None) -> str:
    """A threshold: whole from 100 on, else three digits."""
    if x is None:
        return ""
    if isinf(x):
        return ".."
    return f"{x:.0f}" if x >= 100 or x == int(x) else f"{x:.3g}"


def between(low: float, high: float) -> str:
    """An interval; one that is open has no upper end."""
    return f"[{number(low)}, ..)" if isinf(high) else f"[{number(low)}, {number(high)}]"


def symbol(axis: str) -> str:
    """The last word of a parameter's dotted name."""
    return axis.rpartition(".")[2]
