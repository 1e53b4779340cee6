"""Thresholds against one size: of the control and of the flow, at every horizon they were given.

On the left N with its fits, the published points and the count p d; on the right how near the count
comes as more time is allowed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from jaxflow import plot
from jaxflow.papers.bounds import interpolation_count
from jaxflow.papers.weakly_interacting import READINGS, PublishedThreshold
from jaxflow.report.growth import Boundary, boundaries
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import against_time
from jaxflow.show.diagram import HORIZON_LINES
from jaxflow.statistics.fitting import Fit
from jaxflow.statistics.forms import form
from jaxflow.statistics.scaling import Comparison

MARKERS = {"flow": ("o", "^", "v"), "descent": ("s", "D", "p")}
COLORS = {"flow": plot.FLOW.color, "descent": plot.DESCENT.color}
NAMES = {"flow": "flow", "descent": "descent, step 1"}
COUNT = plot.Series("black", "", (0, (6, 2)))
READING_LINES = ("-.", ":")
TIMES = 9
STEP = "published for descent with step 1"


def boundaries_of(
    published: Sequence[SliceReport], longer: Sequence[SliceReport], along: str
) -> list[Boundary]:
    """The boundaries along a size: in the published time, and at the longer of other slices."""
    first = [boundary for boundary in boundaries(published) if boundary.along == along]
    more = [boundary for boundary in boundaries(longer) if boundary.along == along]
    return first + [boundary for boundary in more if boundary.horizon > 0]


def draw_growth(
    found: Sequence[Boundary], known: Sequence[PublishedThreshold], path: Path
) -> list[Comparison]:
    """Write the figure; returns the forms of every boundary, compared."""
    compared = [boundary.compare() for boundary in found]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 5.2), width_ratios=(1.25, 1))
    growth(left, found, compared, known)
    published(left, known, found[0].along)
    left.set_title(f"threshold, {_fixed(found[0])}; bands: best form", loc="left")
    nearness(right, found)
    right.set_title("how near the count, given time", loc="left")
    figure.legend(*_by_kind(left), loc="outside lower center", ncols=3, fontsize=7.5)
    right.legend(loc="upper left", ncols=2, fontsize=7.5)
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return compared


def growth(
    ax: Axes,
    found: Sequence[Boundary],
    compared: Sequence[Comparison],
    known: Sequence[PublishedThreshold],
) -> None:
    """N against the size, with the best form of every boundary and the count p d."""
    along, every = found[0].along, [t.n50 for t in known]
    sizes = sorted(
        {x for boundary in found for x in boundary.x} | {getattr(t, along) for t in known}
    )
    grid = np.geomspace(sizes[0], sizes[-1], 200)
    for boundary, forms in zip(found, compared, strict=True):
        n50, low, high = boundary.thresholds
        kind = boundary.slices[0].kind
        look = plot.Series(COLORS[kind], MARKERS[kind][boundary.horizon % 3], "none")
        plot.boundary(boundary.x, n50, low, high, ax=ax, series=look, label=_label(boundary))
        if (best := forms.curve) is not None:
            inside = grid[(grid >= boundary.x[0]) & (grid <= boundary.x[-1])]
            plot.band(inside, *best.predict(inside), ax=ax, series=replace(look, line=":"))
        every += [*low, *high]
    count = [_count(found[0], x) for x in sizes]
    plot.guide(sizes, count, ax=ax, series=COUNT, label="interpolation count, $n = p\\,d$")
    plot.size_axes(ax, sizes, [*every, max(count)], along=along)


def published(ax: Axes, known: Sequence[PublishedThreshold], along: str) -> None:
    """Published thresholds, with the spacing of their grid, and what the authors read from them."""
    places = [float(getattr(t, along)) for t in known]
    n50 = np.array([t.n50 for t in known])
    half = np.array([t.spacing / 2 for t in known])
    label = f"{STEP} ({known[0].source})"
    plot.published_points(places, n50, ax=ax, low=n50 - half, high=n50 + half, label=label)
    readings = [reading for reading in READINGS if reading.along == along]
    for reading, style in zip(readings, READING_LINES, strict=False):
        grid = np.geomspace(*reading.extent, 100)
        read = form(reading.form).curve(np.array(reading.coefficients), grid)
        look = replace(plot.PUBLISHED, line=style)
        plot.guide(grid, read, ax=ax, series=look, label=f"published reading, {reading.formula}")


def nearness(ax: Axes, found: Sequence[Boundary]) -> None:
    """N / p d against the time allowed, at the smallest, middle and largest size."""
    longest = max(boundary.horizon for boundary in found)
    last = [boundary for boundary in found if boundary.horizon == longest]
    for boundary in last:
        kind, end = boundary.slices[0].kind, len(boundary.slices) - 1
        for i, style in zip(sorted({0, end // 2 + end % 2, end}), HORIZON_LINES, strict=False):
            slice = boundary.slices[i]
            times = np.geomspace(slice.horizon.factor[0], slice.horizon.factor[-1], TIMES)
            told = against_time(slice, times.tolist())
            count = _count(boundary, boundary.x[i])
            look = plot.Series(COLORS[kind], MARKERS[kind][0], style)
            plot.against_time(
                told.time,
                told.n50 / count,
                told.low / count,
                told.high / count,
                ax=ax,
                series=look,
                at_edge=told.at_edge,
                label=f"{NAMES[kind]}, ${boundary.along} = {boundary.x[i]:g}$",
            )
    ax.axhline(1, color=COUNT.color, linestyle=COUNT.line, linewidth=0.9)
    plot.log_ticks(ax.xaxis, 0.95, 1.05 * last[0].slices[0].horizon.factor[-1])
    ax.set_ylim(0, 1.32)  # the legend is above the count
    ax.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    ax.annotate("$n = p\\,d$", (1, 1), xytext=(0, 3), textcoords="offset points", size=8)
    ax.set_xlabel("flow time allowed (published horizons)")
    ax.set_ylabel("threshold over count, $N / p\\,d$")


def claims(
    found: Sequence[Boundary], compared: Sequence[Comparison], known: Sequence[PublishedThreshold]
) -> Iterator[Claim]:
    """Every threshold measured where one is published, the growth of each boundary, and N / p d."""
    for boundary, forms in zip(found, compared, strict=True):
        if boundary.slices[0].kind == "descent" and boundary.horizon == 0:
            yield from _against_published(boundary, known)
            yield from _against_readings(boundary, forms)
        yield from _growth_claims(boundary, forms)
    largest = max(set.intersection(*(set(boundary.x) for boundary in found)))
    for boundary in found:
        yield _nearness_claim(boundary, largest)


def _against_published(boundary: Boundary, known: Sequence[PublishedThreshold]) -> Iterator[Claim]:
    slices = dict(zip(boundary.x, boundary.slices, strict=True))
    for t in known:
        slice = slices.get(getattr(t, boundary.along))
        if slice is None:
            continue
        posterior = slice.posterior(boundary.horizon)
        remark = f"published by another estimator, on a grid of n with spacing {t.spacing:g}"
        yield Claim(
            f"N({t.d}, {t.p}), {_label(boundary)}",
            posterior.median,
            *posterior.interval(),
            len(slice.rows),
            t.n50,
            t.source,
            remark,
        )


def _against_readings(boundary: Boundary, forms: Comparison) -> Iterator[Claim]:
    """The slope of every form that the authors read from their thresholds."""
    for reading in (reading for reading in READINGS if reading.along == boundary.along):
        fit = forms.of(reading.form)
        if fit is None:
            continue
        low, high = reading.extent
        yield Claim(
            f"a of {fit.form.formula.format(x=boundary.along)}, {_fixed(boundary)}, "
            f"{_label(boundary)}, {boundary.along} = {boundary.x[0]:g}..{boundary.x[-1]:g}",
            fit.coefficients[0],
            fit.low[0],
            fit.high[0],
            boundary.trials,
            reading.coefficients[0],
            reading.source,
            f"published from {boundary.along} = {low:g}..{high:g}; {_holds(fit)}",
        )


def _growth_claims(boundary: Boundary, forms: Comparison) -> Iterator[Claim]:
    """The exponent b of N = a x^b, if there are sizes enough, with what the forms say."""
    power, best = forms.of("power"), forms.fits[0]
    if power is None:
        return
    names = zip(best.form.coefficients, best.coefficients, best.low, best.high, strict=True)
    numbers = ", ".join(f"{name} = {x:.4g} [{low:.4g}, {high:.4g}]" for name, x, low, high in names)
    remark = f"{forms.verdict}; {best.form.formula.format(x=boundary.along)}: {numbers}, "
    remark += f"{_holds(best)}; the power {_holds(power)}"
    what = f"exponent of N in {boundary.along}, {_fixed(boundary)}, {_label(boundary)}, "
    what += f"{boundary.along} = {boundary.x[0]:g}..{boundary.x[-1]:g}"
    yield Claim(
        what, power.coefficients[1], power.low[1], power.high[1], boundary.trials, remark=remark
    )


def _holds(found: Fit) -> str:
    return f"holds to {100 * np.expm1(found.holds_to):.2g} %, chi2/dof {found.misfit:.2g}"


def _nearness_claim(boundary: Boundary, x: float) -> Claim:
    """N / p d at a size of the boundary."""
    slice, count = boundary.slices[boundary.x.index(x)], _count(boundary, x)
    posterior = slice.posterior(boundary.horizon)
    low, high = posterior.interval()
    trials = len(slice.rows)
    what = f"N / p d at d = {slice.base.d}, p = {slice.base.p}, {_label(boundary)}"
    return Claim(what, posterior.median / count, low / count, high / count, trials)


def _by_kind(ax: Axes) -> tuple[list[Any], list[str]]:
    """Handles and labels of a legend with a column for each dynamics and one for the rest."""
    handles = {text: handle for handle, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    columns = [[text for text in handles if text.startswith(name)] for name in NAMES.values()]
    columns.append([text for text in handles if not text.startswith(tuple(NAMES.values()))])
    rows = max(map(len, columns))
    texts = [text for column in columns for text in [*column, *[""] * (rows - len(column))]]
    empty = Patch(alpha=0)
    return [handles.get(text, empty) for text in texts], texts


def _label(boundary: Boundary) -> str:
    slice = boundary.slices[0]
    factor = slice.horizon.factor[boundary.horizon]
    return f"{NAMES[slice.kind]}, {factor:g} x horizon"


def _fixed(boundary: Boundary) -> str:
    places = boundary.slices[0].place.items()
    return ", ".join(f"{name} = {x:g}" for name, x in places if name != boundary.along)


def _count(boundary: Boundary, x: float) -> float:
    sizes = {name: boundary.slices[0].base[name] for name in ("d", "p")} | {boundary.along: x}
    return float(interpolation_count(sizes["d"], sizes["p"]))
