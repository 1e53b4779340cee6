"""P(converged) against n for every slice, with its threshold and published points."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from jaxflow import plot, report
from jaxflow.papers.weakly_interacting import transition_at
from jaxflow.show.text import between, beyond, number
from jaxflow.statistics.counts import Tally, wilson

MOST_PANELS = 6
LEGEND = 100  # characters of a row of the legend,
HANDLE = 6  # of which a handle takes so many
TEXT_WIDTH = 0.18  # of the axis, that the label of a threshold takes


class Curve(NamedTuple):
    """How a dynamics with its own parameters is drawn and called, the same in every panel."""

    series: plot.Series
    label: str


def transitions(found: Sequence[report.SliceReport]) -> Figure:
    """A panel for every place off the scanned axis, with its dynamics at their longest horizon."""
    panels: dict[str, list[report.SliceReport]] = {}
    for slice in found:
        panels.setdefault(_place(slice, shared=True), []).append(slice)
    shown = dict(list(panels.items())[:MOST_PANELS])
    figure, axes = plt.subplots(len(shown), 1, squeeze=False, figsize=(6.4, 0.6 + 3.2 * len(shown)))
    curves = _curves([slice for here in shown.values() for slice in here])
    for ax, (title, here) in zip(axes[:, 0], shown.items(), strict=True):
        _draw_panel(ax, title, here, curves)
    handles = {
        label: h
        for ax in axes[:, 0]
        for h, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    columns = _columns(list(handles))
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=columns)
    return figure


def _columns(labels: Sequence[str]) -> int:
    """In how many columns a legend fits below the panels; it is filled column by column."""
    for count in (3, 2):
        rows = -(-len(labels) // count)
        widest = (max(map(len, labels[i : i + rows])) for i in range(0, len(labels), rows))
        if sum(width + HANDLE for width in widest) <= LEGEND:
            return count
    return 1


def role(slice: report.SliceReport) -> str:
    """What a dynamics is drawn as: its kind, or of a kind of the user's own, its name."""
    return slice.kind if slice.kind in ("flow", "descent") else slice.dynamics


def _curves(found: Sequence[report.SliceReport]) -> dict[tuple[str, str], Curve]:
    """The curves by dynamics and its own parameters; labels count the trials of all panels."""
    groups: dict[tuple[str, str], list[report.SliceReport]] = {}
    for slice in found:
        groups.setdefault((slice.name, _place(slice, shared=False)), []).append(slice)
    series = plot.by_dynamics([role(group[0]) for group in groups.values()])
    trials = (f"{sum(len(slice.rows) for slice in group)} trials" for group in groups.values())
    return {
        (name, own): Curve(one, ", ".join(filter(None, (plot.plain(name), own, count))))
        for (name, own), one, count in zip(groups, series, trials, strict=True)
    }


def _place(slice: report.SliceReport, shared: bool) -> str:
    """The coordinates that all dynamics share, or those of this one alone."""
    return ", ".join(
        f"${name}$ = {x:g}" if len(name) == 1 else f"{plot.axis_name(name)} = {x:g}"
        for name, x in slice.place.items()
        if name.startswith("dynamics.") != shared
    )


def _draw_panel(
    ax: Any, title: str, found: Sequence[report.SliceReport], curves: Mapping[Any, Curve]
) -> None:
    extents = [n for slice in found for n in _extent(slice)]
    extent = min(extents), max(extents)
    plot.phase_axes(ax, extent, found[0].along)
    grid = np.geomspace(*extent, 400)
    levels = _levels([_middle(slice) for slice in found], extent)
    for slice, level in zip(found, levels, strict=True):
        curve = curves[slice.name, _place(slice, shared=False)]
        _draw_slice(ax, slice, grid, curve, level)
    known = transition_at(found[0].base.d, found[0].base.p) if found[0].along == "n" else None
    if known is not None:
        n, proportion = zip(*known.proportions, strict=True)
        ax.plot(
            n,
            proportion,
            plot.PUBLISHED.marker,
            color=plot.PUBLISHED.color,
            markersize=4,
            label=f"published descent, step 1 ({known.source})",
            zorder=3,
        )
    ax.set_title(title, loc="left", pad=14 + 9 * max(levels))


def _extent(slice: report.SliceReport) -> tuple[float, float]:
    """What the axis holds; around a lone point as much on either side."""
    low, high = slice.extent
    return (low / 1.5, low * 1.5) if slice.is_point else (low, high)


def _middle(slice: report.SliceReport) -> float:
    return slice.extent[0] if slice.is_point else slice.estimated().median


def _levels(places: Sequence[float], extent: tuple[float, float]) -> list[int]:
    """The level of the label at each place, the lowest at which none is too near it."""
    width = TEXT_WIDTH * np.log(extent[1] / extent[0])
    taken: list[list[float]] = []
    levels = []
    for x in np.log(places):
        free = (k for k, at in enumerate(taken) if min(abs(x - other) for other in at) > width)
        level = next(free, len(taken))
        if level == len(taken):
            taken.append([])
        taken[level].append(float(x))
        levels.append(level)
    return levels


def _draw_slice(
    ax: Any, slice: report.SliceReport, grid: np.ndarray, curve: Curve, level: int
) -> None:
    tallies = slice.tallies()
    n, converged, trials = pooled(tallies)
    ends = wilson(converged, trials)
    series, label = curve
    of_points = label if slice.is_point else None
    plot.proportions(n, converged / trials, *ends, trials, ax=ax, series=series, label=of_points)
    if slice.is_point:
        return
    posterior = slice.estimated()
    plot.band(grid, *posterior.curve(grid), ax=ax, series=series, label=label)
    if edge := posterior.at_edge:
        above = edge == "above"
        text = beyond(edge, slice.extent)
        at = slice.extent[above]
        plot.beyond(at, above=above, ax=ax, series=series, label=text, level=level)
        return
    found = [posterior.median, *posterior.interval()]
    text = f"{number(found[0])} {between(*found[1:])}"
    plot.threshold(*found, ax=ax, series=series, label=text, level=level)


def pooled(
    tallies: Sequence[Tally], width: float = 0.03
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbours within `width` in log n as one: mean n, converged, trials; for the eye only."""
    bins: list[list[Tally]] = []
    for tally in tallies:
        if bins and np.log(tally.x / bins[-1][0].x) < width:
            bins[-1].append(tally)
        else:
            bins.append([tally])
    trials = np.array([sum(t.trials for t in group) for group in bins])
    converged = np.array([sum(t.converged for t in group) for group in bins])
    weighted = np.array([sum(t.x * t.trials for t in group) for group in bins])
    return weighted / trials, converged, trials
