"""Plots as inline SVG: scales, axes and marks, for a page that a reader can style, tab and print.

A plot is as wide as its page lets it be. What it is made of has classes, and colours are those of
the style of figures (plot/style.py) as `--series`, so that a style sheet can lighten them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from jaxflow import plot
from jaxflow.core.checks import Array

WIDTH, HEIGHT = 440, 300  # of a plot, in the units of its text, of which 12 are a line
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 12, 44  # around what is drawn
DASHES = {"-": "", "--": "6 4", "-.": "6 3 1.5 3", ":": "1.5 3"}
MARKERS = {  # within a circle of radius 1
    "s": "M-.85-.85H.85V.85H-.85Z",
    "^": "M0-1.05L1 .8H-1Z",
    "v": "M0 1.05L1-.8H-1Z",
    "D": "M0-1.15L1.15 0 0 1.15-1.15 0Z",
    "P": "M-.35-1H.35V-.35H1V.35H.35V1H-.35V.35H-1V-.35H-.35Z",
    "X": "M-.8-1L0-.35.8-1 1-.8.35 0 1 .8.8 1 0 .35-.8 1-1 .8-.35 0-1-.8Z",
    "*": "M0-1.1L.3-.35 1.05-.35.45.15.65.95 0 .45-.65.95-.45.15-1.05-.35-.3-.35Z",
}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
CIRCLE = "M1 0A1 1 0 1 1-1 0 1 1 0 1 1 1 0Z"


def tag(name: str, *children: Any, **attributes: Any) -> Markup:
    """An element; text and the values of attributes are escaped, those that are None left out."""
    said = "".join(
        f' {key.strip("_").replace("_", "-")}="{escape(_shown(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(escape(child) for child in children)
    return Markup(f"<{name}{said}>{inner}</{name}>")


def _shown(value: Any) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Scale:
    """From low..high of an axis to start..end of a plot."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = True

    def __call__(self, x: ArrayLike) -> Array:
        """Where x is drawn, in its shape; infinite x far outside."""
        with np.errstate(divide="ignore"):
            values, ends = np.asarray(x, float), np.array([self.low, self.high])
            if self.logarithmic:
                values, ends = np.log(values), np.log(ends)
        share = np.clip((values - ends[0]) / (ends[1] - ends[0]), -9, 9)
        return np.asarray(self.start + share * (self.end - self.start))

    def at(self, share: ArrayLike) -> Array:
        """What is drawn at shares of the way from start to end."""
        share = np.asarray(share, float)
        if self.logarithmic:
            return np.asarray(self.low * (self.high / self.low) ** share)
        return np.asarray(self.low + share * (self.high - self.low))

    @property
    def ticks(self) -> list[float]:
        """A few round numbers."""
        if self.logarithmic and self.high / self.low > 1.5:
            return plot.log_places(self.low, self.high)
        found = np.asarray(MaxNLocator(5).tick_values(self.low, self.high))
        return [x for x in found.tolist() if self.low <= x <= self.high]


def padded(values: ArrayLike, start: float, end: float, *, logarithmic: bool) -> Scale:
    """A scale that holds finite values, with a little room."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (1.0, 2.0)
    if logarithmic:
        room = max((high / low) ** 0.05, 1.03)
        return Scale(low / room, high * room, start, end)
    room = 0.05 * (high - low) or max(abs(low), 1.0) / 10
    return Scale(low - room, high + room, start, end, logarithmic=False)


def across(values: ArrayLike, *, logarithmic: bool = True) -> Scale:
    """A scale from left to right."""
    return padded(values, LEFT, WIDTH - RIGHT, logarithmic=logarithmic)


def upwards(values: ArrayLike, *, logarithmic: bool = True) -> Scale:
    """A scale from the bottom up."""
    return padded(values, HEIGHT - BOTTOM, TOP, logarithmic=logarithmic)


CHANCE = Scale(-0.02, 1.02, HEIGHT - BOTTOM, TOP, logarithmic=False)


def tick(x: float) -> str:
    """The number at a tick of an axis."""
    if x == 0 or 1e-3 <= abs(x) < 1e5:
        return f"{x:g}"
    mantissa, exponent = f"{x:.2e}".split("e")
    power = f"10{str(int(exponent)).translate(RAISED)}"
    return power if float(mantissa) == 1 else f"{float(mantissa):g}·{power}"


def axes(
    x: Scale,
    y: Scale,
    names: tuple[str, str],
    places: Sequence[tuple[float, str]] | None = None,
) -> Markup:
    """Lines, ticks and names of both axes; `places` are other ticks of x, with their labels."""
    bottom, top, left, right = HEIGHT - BOTTOM, TOP, LEFT, WIDTH - RIGHT
    made = [tag("path", d=f"M{left} {top}V{bottom}H{right}", class_="axis")]
    for value, label in places or [(at, tick(at)) for at in x.ticks]:
        at = float(x(value))
        made.append(tag("path", d=f"M{at:.1f} {bottom}v4", class_="axis"))
        made.append(tag("text", label, x=at, y=bottom + 17, text_anchor="middle"))
    for value in y.ticks:
        at = float(y(value))
        made.append(tag("path", d=f"M{left} {at:.1f}h-4", class_="axis"))
        made.append(tag("text", tick(value), x=left - 7, y=at + 4, text_anchor="end"))
    middle = (top + bottom) / 2
    made.append(tag("text", names[0], x=(left + right) / 2, y=HEIGHT - 8, text_anchor="middle"))
    turned = f"translate(13 {middle:.0f}) rotate(-90)"
    made.append(tag("text", names[1], transform=turned, text_anchor="middle"))
    return tag("g", *made, class_="axes", aria_hidden="true")


def points(x: ArrayLike, y: ArrayLike) -> list[str]:
    """Pairs of coordinates as text, of what is finite."""
    pairs = np.stack([np.asarray(x, float), np.asarray(y, float)], axis=-1)
    return [f"{a:.1f} {b:.1f}" for a, b in pairs[np.isfinite(pairs).all(axis=1)].tolist()]


def path(x: ArrayLike, y: ArrayLike) -> str:
    """A line through points."""
    return "M" + "L".join(found) if (found := points(x, y)) else ""


def ribbon(x: ArrayLike, low: ArrayLike, high: ArrayLike) -> str:
    """The outline of what lies between two lines over x."""
    x, low, high = (np.asarray(v, float) for v in (x, low, high))
    outline = path(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]))
    return f"{outline}Z" if outline else ""


def line(d: str, series: plot.Series, **attributes: Any) -> Markup:
    """A line in the colour and with the dashes of a series."""
    return tag("path", d=d, class_="line", style=look(series), stroke_dasharray=dashes(series),
               **attributes)  # fmt: skip


def bar(d: str, series: plot.Series, **attributes: Any) -> Markup:
    """An interval in the colour of a series."""
    return tag("path", d=d, class_="error", style=look(series), **attributes)


def band(d: str, series: plot.Series, **attributes: Any) -> Markup:
    """A band in the colour of a series."""
    return tag("path", d=d, class_="band", style=look(series), **attributes)


def mark(x: float, y: float, radius: float, series: plot.Series, **attributes: Any) -> Markup:
    """A mark in the shape of a series."""
    return shape(series, placed(x, y, radius), **attributes)


def shape(series: plot.Series, transform: str, **attributes: Any) -> Markup:
    """The same, placed by a transformation."""
    d = MARKERS.get(series.marker, CIRCLE)
    return tag("path", d=d, transform=transform, style=look(series), **attributes)


def placed(x: float, y: float, radius: float) -> str:
    """The transformation that puts a mark somewhere."""
    return f"translate({x:.1f} {y:.1f}) scale({radius:.1f})"


def look(series: plot.Series) -> str:
    """The colour of a series, for a style sheet."""
    return f"--series:{series.color}"


def dashes(series: plot.Series) -> str | None:
    """The dashes of a series, as those of its figure."""
    if isinstance(series.line, str):
        return DASHES.get(series.line) or None
    return " ".join(str(2 * length) for length in series.line[1])


def figure(title: str, *children: Any, **attributes: Any) -> Markup:
    """A plot that a screen reader calls by its title."""
    box = f"0 0 {WIDTH} {HEIGHT}"
    said = {"role": "img", "aria_label": title, **attributes}
    return tag("svg", *children, viewBox=box, **said)


def legend(entries: Sequence[tuple[str, plot.Series]]) -> Markup:
    """What the series of a plot are called, as a list."""
    made = []
    for name, series in entries:
        sample = tag(
            "svg",
            line("M1 7H29", series),
            mark(15, 7, 4, series, class_="mark"),
            viewBox="0 0 30 14", aria_hidden="true",
        )  # fmt: skip
        made.append(tag("li", sample, name))
    return tag("ul", *made, class_="legend")


def spoken(axis: str) -> str:
    """What an axis is called, without the signs of mathematics."""
    return re.sub(r"\\?\$", lambda found: "$" if len(found[0]) > 1 else "", plot.axis_name(axis))
