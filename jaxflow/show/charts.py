"""The other plots of a page: transitions, thresholds by time, means, histories, differences."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from jaxflow import plot
from jaxflow.core.checks import Array
from jaxflow.report.history import History
from jaxflow.report.means import Profile
from jaxflow.report.universality import Comparison
from jaxflow.show import canvas
from jaxflow.show.canvas import BOTTOM, CHANCE, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, tag
from jaxflow.show.panels import Panel, View, is_told
from jaxflow.show.text import allowed
from jaxflow.statistics.counts import wilson
from jaxflow.statistics.universality import NORMAL_END

GRID = 80  # points of a curve
MOST_CURVES = 5
HALF = 0.5


def transition(group: Sequence[View], title: str) -> Markup:
    """P(event) against the scanned axis by the longest horizon: counts, bands and thresholds."""
    x = canvas.across([end for v in group for end in (v.places.x.min(), v.places.x.max())])
    level = float(CHANCE(HALF))
    made = [tag("path", d=f"M{LEFT} {level:.1f}H{WIDTH - RIGHT}", class_="guide")]
    for view in group:
        made += _curve(view, x)
        made += _proportions(view, x)
    names = canvas.spoken(group[0].slice.along), "P(event)"
    said = f"Transition: {title}. Arrow keys go from place to place."
    return canvas.figure(said, canvas.axes(x, CHANCE, names), *made, role="group", class_="plot")


def _curve(view: View, x: Scale) -> list[Markup]:
    """The band of P(event), and the threshold with its interval, where there is one."""
    slice, series = view.slice, view.series
    if slice.is_point or not slice.waits:
        return []
    posterior = slice.estimated()
    grid = x.at(np.linspace(0, 1, GRID))
    mean, low, high = posterior.curve(grid)
    at, bottom = x(grid), HEIGHT - BOTTOM
    made = [
        canvas.band(canvas.ribbon(at, CHANCE(low), CHANCE(high)), series),
        canvas.line(canvas.path(at, CHANCE(mean)), series),
    ]
    if not posterior.at_edge:
        ends = np.clip(x(posterior.interval()), LEFT, WIDTH - RIGHT)
        middle = float(x(posterior.median))
        made.append(canvas.band(f"M{ends[0]:.1f} {TOP}V{bottom}H{ends[1]:.1f}V{TOP}Z", series))
        made.append(canvas.line(f"M{middle:.1f} {TOP}V{bottom}", series, opacity="0.6"))
    return made


def _proportions(view: View, x: Scale) -> list[Markup]:
    """The counts of a view, with their intervals."""
    found = view.places
    happened, trials = found.happened[-1], found.trials
    low, high = (CHANCE(end) for end in wilson(happened, trials))
    columns = zip(x(found.x), CHANCE(happened / trials), low, high, trials, strict=True)
    made = []
    for k, (at, height, bottom, top, count) in enumerate(columns):
        weight = float(np.clip(count / 12, 0.25, 1))
        d, opacity = f"M{at:.1f} {bottom:.1f}V{top:.1f}", f"{weight:.2f}"
        made.append(canvas.bar(d, view.series, opacity=opacity))
        radius = 2.2 + 2.2 * weight
        made.append(
            canvas.mark(at, height, radius, view.series, class_="mark", data_point=view.first + k)
        )
    return made


def against_time(panel: Panel) -> Markup | None:
    """The thresholds of a panel against the time allowed; None where nothing is told of them."""
    told = [frame.thresholds for frame in panel.frames if frame.thresholds is not None]
    if not told or not (kept := np.array([is_told(one) for one in told])).any():
        return None
    time, n50, low, high = (np.array([one[k] for one in told]) for k in range(4))
    x, y = canvas.across(time[:, 0]), canvas.upwards([*low[kept], *high[kept]])
    chosen = _chosen(kept)
    looks = plot.family(len(chosen)) if panel.along else [panel.views[i].series for i in chosen]
    made = []
    for i, series in zip(chosen, looks, strict=True):
        t, middle, below, above = (v[kept[:, i], i] for v in (time, n50, low, high))
        made += _joined(x(t), y(middle), y(below), y(above), series)
    cursor = tag(
        "path", d=f"M0 {TOP}V{HEIGHT - BOTTOM}", class_="cursor",
        transform=f"translate({x(time[-1, 0]):.1f} 0)",
        data_times=" ".join(f"{at:.1f}" for at in x(time[:, 0])),
    )  # fmt: skip
    slice = panel.views[0].slice
    names = allowed(slice.unit_of_horizons), f"threshold in {canvas.spoken(slice.along)}"
    title = f"Threshold against time: {panel.title}"
    entries = [(_called(panel, i), series) for i, series in zip(chosen, looks, strict=True)]
    svg = canvas.figure(title, canvas.axes(x, y, names), *made, cursor)
    return svg + canvas.legend(entries)


def _joined(at: Array, middle: Array, low: Array, high: Array, series: plot.Series) -> list[Markup]:
    """A line with its band, and a mark at every point of it, in coordinates (k,)."""
    return [
        canvas.band(canvas.ribbon(at, low, high), series),
        canvas.line(canvas.path(at, middle), series),
        *(canvas.mark(a, b, 3, series, class_="mark") for a, b in zip(at, middle, strict=True)),
    ]


def _chosen(kept: np.ndarray) -> list[int]:
    """A few of the views that tell something, evenly."""
    known = np.flatnonzero(kept.any(axis=0))
    places = np.linspace(0, len(known) - 1, min(MOST_CURVES, len(known))).round().astype(int)
    return sorted(set(known[places].tolist()))


def _called(panel: Panel, i: int) -> str:
    view = panel.views[i]
    name = panel.along.rpartition(".")[2]
    return f"{name} = {view.slice.place[panel.along]:g}" if panel.along else view.slice.title


def means(found: Sequence[Profile], looks: Sequence[plot.Series]) -> Markup:
    """An observable along the scanned axis of slices, means with their intervals."""
    told = [profile.means() for profile in found]
    values = np.concatenate([np.concatenate(one) for one in told])
    logarithmic = bool(np.nanmin(values) > 0 and np.nanmax(values) > 20 * np.nanmin(values))
    x = canvas.across(np.concatenate([profile.x for profile in found]))
    y = canvas.upwards(values, logarithmic=logarithmic)
    made = []
    for profile, (value, low, high), series in zip(found, told, looks, strict=True):
        made += _joined(x(profile.x), y(value), y(low), y(high), series)
    names = canvas.spoken(found[0].slice.along), f"mean {found[0].observable}"
    title = f"Means of {found[0].observable}"
    svg = canvas.figure(title, canvas.axes(x, y, names), *made)
    titles = [profile.title for profile in found]
    return svg + canvas.legend(list(zip(titles, looks, strict=True)))


def history(found: Sequence[History], looks: Sequence[plot.Series]) -> Markup:
    """Half-widths of intervals against the trials by then, and where they are narrow enough."""
    x = canvas.across([count for one in found for count in one.trials])
    asked = {one.asked for one in found if one.asked is not None}
    y = canvas.upwards([*(w for one in found for w in one.half_width), *asked])
    made = [
        tag("path", d=f"M{LEFT} {y(level):.1f}H{WIDTH - RIGHT}", class_="guide") for level in asked
    ]
    for one, series in zip(found, looks, strict=True):
        at, height = x(one.trials), y(one.half_width)
        made.append(canvas.line(canvas.path(at, height), series))
        made += [
            canvas.mark(a, b, 3, series, class_="mark") for a, b in zip(at, height, strict=True)
        ]
    svg = canvas.figure(
        "Half-width of the interval against trials",
        canvas.axes(x, y, ("trials", "half-width over threshold")), *made,
    )  # fmt: skip
    return svg + canvas.legend([(one.title, s) for one, s in zip(found, looks, strict=True)])


def differences(found: Comparison) -> Markup:
    """The difference of every place with its interval, in percent, against the size."""
    told = found.differences
    half = NORMAL_END * told.error
    value, low, high = (
        100 * np.expm1(v) for v in (told.value, told.value - half, told.value + half)
    )
    x = canvas.across(told.size)
    y = canvas.upwards([*low, *high, 0.0], logarithmic=False)
    zero = float(y(0.0))
    common = found.differences.common
    ends = y(100 * np.expm1([common.low, common.high]))
    series = plot.OTHERS[0]
    made = [
        canvas.band(f"M{LEFT} {ends[0]:.1f}V{ends[1]:.1f}H{WIDTH - RIGHT}V{ends[0]:.1f}Z", series),
        tag("path", d=f"M{LEFT} {zero:.1f}H{WIDTH - RIGHT}", class_="guide"),
    ]
    for at, middle, a, b in zip(x(told.size), y(value), y(low), y(high), strict=True):
        made.append(canvas.bar(f"M{at:.1f} {a:.1f}V{b:.1f}", series))
        made.append(canvas.mark(at, middle, 4, series, class_="mark"))
    names = canvas.spoken(found.along), "difference (%)"
    return canvas.figure(f"Differences: {found.title}", canvas.axes(x, y, names), *made)
