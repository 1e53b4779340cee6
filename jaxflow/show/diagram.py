"""A phase diagram in one figure: where trials converge, how N grows, and how it moves with time."""

from collections.abc import Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.core.types import SIZES
from jaxflow.report.growth import Boundary, boundaries
from jaxflow.report.plane import Plane
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import against_time
from jaxflow.show.text import allowed
from jaxflow.show.transitions import pooled, role

POOLED = 0.06  # in log n, for the eye
ROWS, COLUMNS = 60, 120  # of the map
MARGIN = 1.5  # beyond the boundary,
BEFORE = 3.0  # and before it
ABOVE = 3.0  # times as high, for a legend
MARKED = 12  # one row in so many has a mark of its dynamics
RIM = 0.02  # of the axis, beyond its ends
HORIZON_LINES = ("-", "--", ":", "-.")


def contours(chosen: Sequence[Plane]) -> Figure:
    """Thresholds over planes of two axes: a row a dynamics, a column a horizon."""
    labels = chosen[0].slices[0].horizon.labels
    figure, axes = plt.subplots(
        len(chosen), len(labels), squeeze=False, figsize=(4.6 * len(labels), 3.6 * len(chosen))
    )
    for row, plane in zip(axes, chosen, strict=True):
        for h, ax in enumerate(row):
            _contours(ax, plane, h)
    return figure


def _contours(ax: Axes, plane: Plane, horizon: int) -> None:
    """The threshold over two axes at a horizon, and where trials ran."""
    down, across = plane.axes
    y, x = (axis.unscaled(np.linspace(-RIM, 1 + RIM, ROWS)) for axis in plane.axes)
    places = np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1).reshape(-1, 2)
    n50, _, _ = plane.posterior(horizon).band(places)
    scanned = plane.slices[0].along
    name = f"threshold ${'N' if scanned == 'n' else scanned.rpartition('.')[2]}$"
    plot.contour_map(x, y, n50.reshape(ROWS, ROWS), ax=ax, label=name)
    tried = [(*plane.at(slice), len(slice.rows)) for slice in plane.slices]
    at_y, at_x, trials = zip(*tried, strict=True)
    plot.tried(at_x, at_y, trials, ax=ax)
    ax.set_xlabel(plot.axis_name(across.name))
    ax.set_ylabel(plot.axis_name(down.name))
    label = plane.slices[0].horizon.labels[horizon]
    ax.set_title(f"{plot.plain(plane.name)}, to {label}", loc="left")


def longest_boundaries(found: Sequence[SliceReport]) -> list[Boundary]:
    """One boundary a dynamics, along the size with the most slices; at the longest horizon."""
    best: dict[str, Boundary] = {}
    for boundary in boundaries(found):
        name = boundary.slices[0].name
        if name not in best or len(boundary.slices) >= len(best[name].slices):
            best[name] = boundary
    return list(best.values())


def diagram(chosen: Sequence[Boundary]) -> Figure:
    """Heat maps of P(converged), thresholds with fits, and N against the flow time allowed."""
    rows, columns = (1, 3) if len(chosen) == 1 else (2, len(chosen))
    figure, axes = plt.subplots(rows, columns, figsize=(4.3 * columns, 3.7 * rows), squeeze=False)
    maps, (growth, times, *rest) = axes.flat[: len(chosen)], axes.flat[len(chosen) :]
    for ax, boundary in zip(maps, chosen, strict=True):
        _map(ax, boundary)
    _growth(growth, chosen)
    _times(times, chosen)
    for ax in rest:
        ax.set_visible(False)
    return figure


def series_of(chosen: Sequence[Boundary]) -> list[plot.Series]:
    """How the boundaries marked, one a dynamics."""
    return plot.by_dynamics([role(boundary.slices[0]) for boundary in chosen])


def _map(ax: Axes, boundary: Boundary) -> None:
    """P(converged by the longest horizon) over n and the size, the boundary at every horizon."""
    plane = boundary.plane
    (axis,) = plane.axes
    sizes = axis.unscaled(np.linspace(-RIM, 1 + RIM, ROWS))
    n = np.geomspace(*_extent(plane), COLUMNS)
    labels = boundary.slices[0].horizon.labels
    chance = plane.posterior().at(sizes[:, None]).chance(n)
    name = f"P(converged) to {labels[-1]}"
    plot.probability_map(n, sizes, chance, ax=ax, label=name, logarithmic=axis.logarithmic)
    for h, label in enumerate(labels):
        series = plot.Series("white", "", _line_of(h, len(labels)))
        band = plane.posterior(h).band(sizes[:, None])
        plot.boundary_band(sizes, *band, ax=ax, series=series, label=f"$N$ to {label}")
    _tried(ax, boundary)
    if boundary.slices[0].together is None:
        plot.size_ticks(ax.yaxis, boundary.x)
    ax.set_xlabel("number of samples $n$")
    ax.set_ylabel(plot.axis_name(boundary.along))
    ax.set_title(title_of(boundary), loc="left")
    ax.legend(loc="lower right", facecolor="0.75", frameon=True, framealpha=0.9)


def _tried(ax: Axes, boundary: Boundary) -> None:
    n, size, trials = [], [], []
    for x, slice in zip(boundary.x, boundary.slices, strict=True):
        places, _, counts = pooled(slice.tallies(), POOLED)
        n += places.tolist()
        size += [x] * len(places)
        trials += counts.tolist()
    plot.tried(n, size, trials, ax=ax, label="trials")


def _extent(plane: Plane) -> tuple[float, float]:
    """From where to where n was tried, within the range and about the boundaries."""
    tried = [tally.x for slice in plane.slices for tally in slice.tallies()]
    ends = [plane.posterior(h).band([plane.at(s) for s in plane.slices]) for h in (0, -1)]
    low = max(min(tried), min(float(low.min()) for _, low, _ in ends) / BEFORE)
    high = max(tried[0], *(MARGIN * float(high.max()) for _, _, high in ends))
    first, last = plane.slices[0].extent
    return max(low, first), max(min(high, last), 1.1 * max(low, first))


def _line_of(horizon: int, count: int) -> str:
    """That of one of so many horizons: the longest is drawn through."""
    return HORIZON_LINES[(count - 1 - horizon) % len(HORIZON_LINES)]


def _growth(ax: Axes, chosen: Sequence[Boundary]) -> None:
    """The boundary against the size at every horizon, with its band.

    Slices that were searched one by one are there with their own thresholds.
    """
    every: list[float] = []
    for boundary, series in zip(chosen, series_of(chosen), strict=True):
        plane = boundary.plane
        (axis,) = plane.axes
        grid = axis.unscaled(np.linspace(0, 1, ROWS))
        labels = boundary.slices[0].horizon.labels
        for h, label in enumerate(labels):
            marked = replace(series, line=_line_of(h, len(labels)))
            name = f"{plot.plain(boundary.slices[0].name)}, to {label}"
            found = plane.posterior(h).band(grid[:, None])
            every += [float(found[1].min()), float(found[2].max())]
            one_by_one = boundary.slices[0].together is None
            marks = 0 if one_by_one else MARKED
            plot.band(grid, *found, ax=ax, series=marked, label=name, marks=marks)
            if one_by_one:
                own = replace(series, line="none")
                plot.boundary(
                    boundary.x, *replace(boundary, horizon=h).thresholds, ax=ax, series=own
                )
    first, is_log = chosen[0], chosen[0].plane.axes[0].logarithmic
    at_sizes = first.slices[0].together is None
    plot.size_axes(ax, first.x, every, along=first.along, logarithmic=is_log, at_sizes=at_sizes)
    ax.set_title("boundary with its 95 % band", loc="left")
    low, high = ax.get_ylim()
    ax.set_ylim(low, ABOVE * high if is_log else high + (high - low) / 2)
    formula = first.slices[0].horizon.formula
    look = {"ncols": len(chosen), "fontsize": 7, "title_fontsize": 7}
    ax.legend(loc="upper left", title=formula, alignment="left", **look)


def _times(ax: Axes, chosen: Sequence[Boundary]) -> None:
    """N against the flow time allowed at the smallest, middle and largest size."""
    told: list[float] = []
    for boundary, series in zip(chosen, series_of(chosen), strict=True):
        count, name = len(boundary.slices), plot.plain(boundary.slices[0].name)
        shown = sorted({0, count // 2, count - 1})
        for i, style in zip(shown, HORIZON_LINES, strict=False):
            found = against_time(boundary.slices[i]).told()
            told += found.time.tolist()
            marked = replace(series, line=style)
            plot.against_time(
                found.time,
                found.n50,
                found.low,
                found.high,
                ax=ax,
                series=marked,
                at_edge=found.at_edge,
                label=f"{name}, ${boundary.along} = {boundary.x[i]:g}$",
            )
    plot.log_ticks(ax.xaxis, min(told) / 1.1, max(told) * 1.1)
    ax.set_yscale("log")
    plot.log_ticks(ax.yaxis, *ax.get_ylim())
    ax.set_xlabel(allowed(chosen[0].slices[0].unit_of_horizons))
    ax.set_ylabel("threshold $N$ (samples)")
    left_out = any(len(boundary.slices) > 3 for boundary in chosen)
    some = f", of some ${chosen[0].along}$" if left_out else ""
    ax.set_title(f"threshold against time{some}", loc="left")
    handles, labels = ax.get_legend_handles_labels()
    ax.set_ylim(ax.get_ylim()[0] / 2.5, None)
    ax.legend(handles, labels, loc="lower right", ncols=len(chosen), fontsize=7)


def title_of(boundary: Boundary) -> str:
    """Which dynamics it is, and what its slices have in common."""
    fixed = {name: x for name, x in boundary.slices[0].place.items() if name != boundary.along}
    places = [
        f"${name} = {x:g}$" if name in SIZES else f"{plot.axis_name(name)} = {x:g}"
        for name, x in fixed.items()
    ]
    return ", ".join([plot.plain(boundary.slices[0].name), *places])
