"""The sections of a page: what its template fills in."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from jaxflow import plot
from jaxflow.report.history import histories
from jaxflow.report.means import measured as observables
from jaxflow.report.means import profiles
from jaxflow.report.slices import SliceReport
from jaxflow.report.universality import compare
from jaxflow.show import canvas, charts, collapse, downloads, fits, planes, terminal, universality
from jaxflow.show.downloads import slice_counts
from jaxflow.show.layers import drawn
from jaxflow.show.panels import Panel, View, rows
from jaxflow.show.text import Table, number, sought, symbol
from jaxflow.statistics.counts import wilson

MOST_TRANSITIONS = 24
MOST_MEANS = 6  # curves of a plot
MOST_LIMITS = 4  # slices whose limit of long times is told: each takes seconds
FEW = 100_000  # trials, up to which laws that look at each of them are told


class Section(NamedTuple):
    """What a template fills in, and what its script looks up."""

    content: dict[str, Any]
    data: dict[str, Any]


def sentences(found: Sequence[SliceReport]) -> list[str]:
    """Where the boundary of every dynamics and event goes by the longest horizon."""
    made = []
    for name in dict.fromkeys(slice.name for slice in found):
        here = [slice for slice in found if slice.name == name]
        first, last = here[0], here[-1]
        ends = [first] if first is last else [first, last]
        said = "; ".join(f"{_answer(slice)} at {_where(slice)}" for slice in ends)
        made.append(f"{name}, within {first.horizon.labels[-1]}: {said}.")
    return made


def _answer(slice: SliceReport) -> str:
    estimate, interval, *_ = terminal.estimate(slice.as_dict())
    name = "P" if slice.is_point else sought(slice.along)
    return f"{name} = {estimate} {interval}" if interval else f"{name} {estimate}"


def _where(slice: SliceReport) -> str:
    return ", ".join(f"{symbol(name)} = {x:g}" for name, x in slice.place.items())


def diagram(shown: Sequence[View], found: Sequence[Panel]) -> Section:
    """The panels of a phase diagram, and thresholds against time."""
    made, data, times = [], {}, []
    for k, panel in enumerate(found):
        key = f"panel-{k}"
        svg, data[key] = drawn(panel, key)
        made.append({**_panel(panel), "key": key, "plot": svg, "beyond": _beyond(panel, svg)})
        if (against := charts.against_time(panel)) is not None:
            times.append({"title": panel.title, "plot": against, "table": by_time(panel)})
    more = len(shown) - sum(len(panel.views) for panel in found)
    return Section({"panels": made, "times": times, "more_panels": more}, {"panels": data})


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "horizon": panel.views[0].labels[-1],
        "rows": rows(panel),
        "names": [] if panel.along else [view.slice.title for view in panel.views],
        "along": symbol(panel.along) if panel.along else "place",
        "scanned": sought(panel.views[0].slice.along),
        "downloads": [
            downloads.boundaries("boundary", panel),
            downloads.counts("counts", panel.views),
        ],
    }


def _beyond(panel: Panel, svg: str) -> int:
    """How many places are not drawn."""
    return sum(len(view.places.x) for view in panel.views) - svg.count("data-point=")


def by_time(panel: Panel) -> Markup:
    """The thresholds of a panel at every horizon."""
    told = [rows(panel, k) for k in range(len(panel.frames))]
    headings = ("within", *(place for place, _, _ in told[-1]))
    made = [
        (said, *(f"{n50} {interval}" for _, n50, interval in here))
        for said, here in zip(panel.views[0].labels, told, strict=True)
    ]
    return markup(Table(f"Thresholds by time: {panel.title}", headings, tuple(made)))


def transitions(shown: Sequence[View]) -> dict[str, Any]:
    """P(event) at every place off the scanned axis; evenly chosen places, if they are many."""
    groups: dict[tuple[Any, ...], list[View]] = {}
    for view in shown if shown[0].slice.waits else []:
        here = ((k, x) for k, x in view.slice.place.items() if not k.startswith("dynamics."))
        groups.setdefault(tuple(here), []).append(view)
    step = -(-len(groups) // MOST_TRANSITIONS) or 1
    chosen = list(groups.items())[::step]
    made = []
    for place, group in chosen:
        title = ", ".join(f"{symbol(name)} = {x:g}" for name, x in place) or "everywhere"
        made.append(
            {
                "title": title,
                "plot": charts.transition(group, title),
                "scanned": symbol(group[0].slice.along),
                "rows": [row for view in group for row in _counted(view)],
                "download": downloads.counts("counts", group),
            }
        )
    looks = {view.slice.name: view.series for view in shown}
    return {
        "transitions": made,
        "more_transitions": len(groups) - len(chosen),
        "legend": canvas.legend(list(looks.items())),
    }


def _counted(view: View) -> Iterator[tuple[str, ...]]:
    found, ended = view.places, slice_counts(view)
    happened, trials = ended[:, 0], ended.sum(axis=1)
    ends = wilson(happened, trials)
    for low, high, total, one, p, a, b in zip(
        found.low, found.high, trials, ended, happened / trials, *ends, strict=True
    ):
        at = number(low) if low == high else f"{number(low)} to {number(high)}"
        counts = map(str, (total, *one))
        yield view.slice.name, at, *counts, f"{p:.3g}", f"[{a:.3f}, {b:.3f}]"


def measured(found: Sequence[SliceReport]) -> dict[str, Any]:
    """What trials measured, an observable a plot."""
    if not found[0].columns.rows.named("measured").numbers:
        return {"measured": [], "means_table": ""}
    made = []
    for name in observables(found):
        every = profiles(found, name)
        chosen = every[:: -(-len(every) // MOST_MEANS)]
        looks = plot.family(len(chosen))
        made.append(
            {
                "title": name,
                "plot": charts.means(chosen, looks),
                "download": downloads.means("means", every),
            }
        )
    return {"measured": made, "means_table": markup(terminal.means(found))}


def laws(found: Sequence[SliceReport]) -> list[Markup]:
    """The laws of thresholds with their verdicts; none of slices that have no threshold."""
    if not found[0].waits:
        return []
    is_small = sum(len(slice.rows) for slice in found) <= FEW
    every = [
        *(planes.tables(found) if is_small else []),
        *fits.scaling(found),
        *collapse.tables(found, MOST_LIMITS),
        *(fits.slowing(found) if is_small else []),
    ]
    return [markup(table) for table in every if table.rows]


def comparison(folder: Path, other: Path) -> dict[str, Any]:
    """Another store held against this one."""
    found = compare([folder, other])
    parts = [
        {
            "title": one.title,
            "plot": charts.differences(one),
            "verdict": one.verdict.text,
            "table": markup(universality.table(one)),
            "download": downloads.differences("differences", one),
        }
        for one in found.comparisons
    ]
    return {
        "other": found.names[1],
        "sentences": list(universality.sentences(found)),
        "parts": parts,
    }


def history(folder: Path, shown: Sequence[View]) -> dict[str, Any] | None:
    """How intervals narrowed; None where no threshold is looked for."""
    found = [view.slice for view in shown]
    known = histories(folder, found) if found[0].waits else []
    if not known:
        return None
    named = {view.slice.name: view.series for view in shown}
    is_named = all(one.title in named for one in known)
    looks = [named[one.title] for one in known] if is_named else plot.family(len(known))
    return {"plot": charts.history(known, looks), "download": downloads.history("history", known)}


def cost(found: Sequence[SliceReport]) -> Markup:
    """Evaluations and steps of the trials of every dynamics."""
    made = []
    seen = {(slice.dynamics, slice.base): slice for slice in found}  # of several events once
    for name in dict.fromkeys(slice.dynamics for slice in found):
        here = [slice for (dynamics, _), slice in seen.items() if dynamics == name]
        sums = {
            column: sum(float(slice.columns.rows.array(column).sum()) for slice in here)
            for column in ("evaluations", "steps", "rejections")
        }
        trials = sum(len(slice.rows) for slice in here)
        rejected = sums["rejections"] / max(sums["steps"] + sums["rejections"], 1)
        made.append((name, str(trials), f"{sums['evaluations']:.3g}",
                     f"{sums['evaluations'] / trials:.0f}", f"{sums['steps'] / trials:.0f}",
                     f"{100 * rejected:.1f} %"))  # fmt: skip
    headings = ("dynamics", "trials", "evaluations", "a trial", "steps a trial", "rejected")
    return markup(Table("Cost, in evaluations of the field", headings, tuple(made)))


def text_link(text: str) -> str:
    """A link that holds a text."""
    return f"data:text/plain;charset=utf-8,{quote(text)}"


def markup(table: Table) -> Markup:
    """A table as HTML, which has escaped what is in it."""
    return Markup(table._repr_html_())
