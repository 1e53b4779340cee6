"""Text for people: numbers, intervals, and tables of them for a terminal of 80 columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from math import isinf

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from jaxflow.core.errors import printable
from jaxflow.report.compute import Compute

FAR = -100.0  # below zero, an end of the interval of an exponent
WIDTH = 80  # columns of a terminal
OPEN = "[a, ..)"  # an interval without an upper end

Entry = str | tuple[str, ...]  # a line, or several


@dataclass(frozen=True)
class Table:
    """Entries of plain text, none of which is taken for markup or for orders to a terminal.

    Rich prints it, `str` gives it as text of 80 columns, a notebook shows it as HTML.
    """

    title: Entry
    headings: tuple[Entry, ...]
    rows: tuple[tuple[Entry, ...], ...]
    caption: str = ""
    words: tuple[int, ...] = (0,)  # columns of words, to the left and folded; numbers are not

    @property
    def width(self) -> int:
        """The columns that it takes where nothing is folded."""
        columns = zip(self.headings, *self.rows, strict=True)
        return 1 + sum(1 + max(map(_width, column)) for column in columns)

    def __rich__(self) -> RichTable:
        made = RichTable(
            title=_text(self.title),
            title_justify="left",
            show_header=bool(self.rows),
            min_width=WIDTH - 4,
            caption=_text(self.caption),
            caption_justify="left",
            box=box.SIMPLE_HEAD,
            padding=0,
        )
        for k, heading in enumerate(self.headings):
            if k in self.words:
                made.add_column(_text(heading), overflow="fold")
            else:
                made.add_column(_text(heading), justify="right", no_wrap=True)
        for row in self.rows:
            made.add_row(*map(_text, row))
        return made

    def __str__(self) -> str:
        file = StringIO()
        Console(file=file, width=WIDTH, color_system=None, force_jupyter=False).print(self)
        return "\n".join(map(str.rstrip, file.getvalue().splitlines())).strip("\n")

    def _repr_html_(self) -> str:
        head = _html_row("th", self.headings)
        body = "".join(_html_row("td", row) for row in self.rows)
        caption = f"<p>{_html(self.caption)}</p>" if self.caption else ""
        table = f"<caption>{_html(self.title)}</caption><thead>{head}</thead><tbody>{body}</tbody>"
        return f'<table class="dataframe">{table}</table>{caption}'


def counted(count: int, what: str) -> str:
    """So many of what has a regular plural."""
    return f"{count} {what}{'s' * (count != 1)}"


def duration(seconds: float) -> str:
    """Seconds, or minutes or hours and what is over."""
    seconds = max(0, round(seconds))
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"


def taken(spent: Compute) -> str:
    """What runs took, by the clock and by workers; no word where it was not noted."""
    if not spent.runs:
        return ""
    times = f"{duration(spent.seconds)}, {duration(spent.worker_seconds)} summed over workers"
    return f"{counted(spent.trials, 'trial')} in {counted(spent.runs, 'run')}: {times}"


def number(x: float | None) -> str:
    """A threshold: whole from 100 on, else three digits."""
    if x is None:
        return ""
    if isinf(x):
        return ".."
    return f"{x:.0f}" if x >= 100 or x == int(x) else f"{x:.3g}"


def between(low: float, high: float) -> str:
    """An interval; an end that is open, or so far below zero that it says nothing, is dots."""
    start = "(.." if low < FAR else f"[{number(low)}"
    return f"{start}, ..)" if isinf(high) else f"{start}, {number(high)}]"


def beyond(edge: str, extent: Sequence[float]) -> str:
    """A threshold that is "below" or "above" the range in which it was looked for."""
    low, high = extent
    return f"< {number(low)}" if edge == "below" else f"> {number(high)}"


def sought(axis: str) -> str:
    """What the threshold along an axis is called."""
    return "N" if axis == "n" else symbol(axis)


def allowed(unit: str) -> str:
    """What an axis of horizons in a unit is called."""
    return "flow time allowed (T0)" if unit == "T0" else f"{unit} allowed"


def symbol(axis: str) -> str:
    """The last word of a parameter's dotted name."""
    return axis.rpartition(".")[2]


def _lines(entry: Entry) -> list[str]:
    return [printable(line) for line in ((entry,) if isinstance(entry, str) else entry)]


def _width(entry: Entry) -> int:
    return max(map(cell_len, _lines(entry)), default=0)


def _text(entry: Entry) -> Text:
    return Text("\n".join(_lines(entry)))


def _html(entry: Entry) -> str:
    return "<br>".join(map(escape, _lines(entry)))


def _html_row(tag: str, entries: Iterable[Entry]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_html(entry)}</{tag}>" for entry in entries) + "</tr>"
