"""One style for all figures, and the ticks of logarithmic axes.

Series differ by marker and line as well as by colour, so that a figure can be read in grey.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.ticker import NullFormatter, NullLocator

from jaxflow.core.errors import printable

STEPS = (  # of ticks in a decade, the closest first
    (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
    (1, 1.5, 2, 3, 4, 5, 7),
    (1, 2, 3, 5),
    (1, 2, 5),
    (1, 3),
    (1,),
)
MOST_TICKS = 7
LEAST_GAP = 0.12  # between ticks, of the axis

STYLE: Any = {
    "figure.figsize": (6.4, 3.8),
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
}


@dataclass(frozen=True)
class Series:
    """How one dynamics looks."""

    color: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


FLOW = Series("#0b4f8a", "o", "-")
DESCENT = Series("#b3541e", "s", "--")
PUBLISHED = Series("#555555", "x", ":")
OTHERS = (
    Series("#2e7d4f", "^", "-."),
    Series("#7a4fa3", "D", (0, (3, 1, 1, 1, 1, 1))),
    Series("#c99700", "v", ":"),
    Series("#1a1a1a", "P", (0, (6, 2))),
    Series("#d1699b", "X", (0, (1, 1))),
    Series("#4fb3bf", "*", (0, (5, 1, 1, 1))),
)
SIZES = (
    Series("#a8791b", "v", ":"),
    Series("#2e7d4f", "^", "-."),
    Series("#7a4fa3", "D", (0, (3, 1, 1, 1, 1, 1))),
    Series("#2b7bba", "s", "--"),
    Series("#1a1a1a", "o", "-"),
)

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":")
LIGHTEST = 0.85  # of the colour map, where white is still far


@contextmanager
def style() -> Iterator[None]:
    """The style of the project's figures, inside a `with`."""
    with mpl.rc_context(STYLE):
        yield


def by_dynamics(kinds: Sequence[str]) -> list[Series]:
    """How dynamics of these kinds look, each unlike the ones before.

    The first flow and the first descent are drawn as in every figure; all others, of whatever kind,
    take the series that are left, in turn.
    """
    known, others = {"flow": FLOW, "descent": DESCENT}, cycle(OTHERS)
    return [known.pop(kind) if kind in known else next(others) for kind in kinds]


def by_size(place: int, count: int) -> Series:
    """How the value in this place of `count` values of a size looks; the last is the darkest."""
    return SIZES[(place - count) % len(SIZES)]


def family(count: int) -> list[Series]:
    """How so many curves in order look, from dark to light: even in grey they keep their order."""
    colors = mpl.colormaps["cividis"]
    return [
        Series(
            to_hex(colors(LIGHTEST * k / max(count - 1, 1))),
            MARKERS[k % len(MARKERS)],
            LINES[k % len(LINES)],
        )
        for k in range(count)
    ]


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """A logarithmic scale from low to high with a few round numbers as ticks."""
    axis._set_axes_scale("log")  # type: ignore[attr-defined]
    ticks = log_places(low, high)
    axis.set_ticks(ticks, [tick_label(t) for t in ticks])
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def log_places(low: float, high: float) -> list[float]:
    """A few round numbers from low to high, apart on a logarithmic scale."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in STEPS:
        ticks = [s * 10.0**k for k in decades for s in steps if low <= s * 10.0**k <= high]
        gaps = np.diff(np.log(ticks)) / np.log(high / low)
        if len(ticks) <= MOST_TICKS and np.all(gaps > LEAST_GAP):
            return ticks
    return ticks[:: -(-len(ticks) // MOST_TICKS)]


def size_ticks(axis: Axis, sizes: Sequence[float]) -> None:
    """Ticks at the sizes themselves, if they are few and apart."""
    logs = np.log(sorted(sizes))
    apart = len(logs) < 2 or np.min(np.diff(logs)) > 0.08 * np.ptp(logs)
    if len(logs) <= 10 and apart:
        axis.set_ticks(sorted(sizes), [tick_label(x) for x in sorted(sizes)])
        axis.set_minor_locator(NullLocator())


def plain(text: str) -> str:
    """A text as it is: none of it is taken for mathematics, and a label may begin with "_"."""
    shown = printable(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def axis_name(axis: str) -> str:
    """What an axis of the phase diagram is called in a figure."""
    names = {"p": "width $p$", "d": "input dimension $d$", "n": "number of samples $n$"}
    return names.get(axis, plain(axis.rpartition(".")[2].replace("_", " ")))


def tick_label(x: float) -> str:
    """The number as it is, or as a power of ten where that is shorter."""
    if 1e-3 <= x < 1e5:
        return f"{x:g}"
    exponent = int(np.floor(np.log10(x) + 1e-9))
    factor = x / 10.0**exponent
    power = rf"10^{{{exponent}}}"
    return f"${power}$" if round(factor, 6) == 1 else rf"${factor:g}\cdot{power}$"
