"""The tables and the figure of finite-size scaling, and its verdict in words."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.core.errors import mistake
from jaxflow.report.collapse import CollapseReport, collapses, limit_of
from jaxflow.report.growth import Boundary
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import slowing_of
from jaxflow.sampling.axes import MOST_SLICES
from jaxflow.show.text import Table, between, number, symbol
from jaxflow.show.transitions import pooled
from jaxflow.statistics.collapse import FEWEST, LEVEL, Collapse
from jaxflow.statistics.counts import wilson
from jaxflow.statistics.limit import Limit
from jaxflow.statistics.slowing import Slowing, common_exponent

POOLED = 0.1  # neighbours within so much of a width are drawn as one


def tables(found: Sequence[SliceReport], most_limits: int = MOST_SLICES) -> list[Table]:
    """For every size that varies: widths with their law and the verdict, and limits of times.

    A limit takes seconds: of more slices than `most_limits` there are none.
    """
    made = []
    for report in collapses(found):
        told = report.inside.slices if len(found) <= most_limits else ()
        limits = [(slice, limit_of(slice)) for slice in told]
        known = [(slice, limit) for slice, limit in limits if limit is not None]
        made += [_table(report), *([_limits(report, known)] if known else [])]
    return made


def _limits(report: CollapseReport, known: Sequence[tuple[SliceReport, Limit]]) -> Table:
    """The thresholds of long times, and the exponent of slowing, by size."""
    along = report.every.along
    rows, laws = [], []
    for slice, limit in known:
        n50, law = slice.posterior().median, slowing_of(slice)
        laws += [law] if law is not None and law.known else []
        rows.append(
            (
                f"{slice.base[along]:g}",
                number(n50),
                number(limit.threshold),
                between(limit.low, limit.high),
                f"{limit.threshold / n50:.3f}",
                "" if law is None else between(*law.exponent_interval),
            )
        )
    return Table(
        f"Limit of long times along {symbol(along)}: {report.every.title}",
        (symbol(along), "N", "limit", "interval", "limit / N", "interval of z"),
        tuple(rows),
        exponents(laws),
        words=(),
    )


def exponents(laws: Sequence[Slowing]) -> str:
    """Whether laws of slowing have one exponent, and which, in words."""
    if len(laws) < FEWEST:
        return f"one z: not enough sizes: {len(laws)} of {FEWEST}"
    common = common_exponent(laws)
    if common.p <= LEVEL:
        return f"no one z for all sizes ({_p(common.p)})"
    return f"one z = {common.exponent:.2f} {between(*common.interval)} ({_p(common.p)})"


def _table(report: CollapseReport) -> Table:
    along, told = symbol(report.every.along), report.collapse
    headings = (along, "N (no lapse)", "width (10-90 %)", "interval", "width fitted", "lapse")
    return Table(
        f"Collapse along {along}: {report.every.title}",
        headings,
        () if told is None else tuple(_row(told, i) for i in range(len(told.size))),
        verdict(report),
        words=(),
    )


def _row(told: Collapse, i: int) -> tuple[str, ...]:
    low, high = (float(ends[i]) for ends in told.own_interval)
    return (
        f"{told.size[i]:g}",
        number(float(told.threshold[i])),
        f"{told.own_width[i]:.3f}",
        between(low, high),
        f"{told.width(told.size[i]):.3f}",
        f"{told.lapse[i]:.3f}",
    )


def verdict(report: CollapseReport) -> str:
    """Whether there is a collapse, of what exponent, and what else the counts say, in words."""
    told, along = report.collapse, symbol(report.every.along)
    known, missing = len(report.inside.slices), len(report.every.slices)
    said = [f"{missing - known} left out, out of their ranges"] if missing > known else []
    if told is None:
        return "; ".join([f"not enough sizes: {known} of {FEWEST}", *said])
    curve = f"curve {told.shape.name}{'' if told.knows_shape else ', or another'}"
    said.insert(0, f"{curve} (counts {_p(told.counts_p)})")
    low, high = told.scattered_interval
    if told.collapses:
        law = power(along, told.exponent, told.interval)
        scattered = f"[{-high:.2f}, {-low:.2f}] if widths may scatter about it"
        return "; ".join([f"collapses ({_p(told.p)}): {law}", scattered, *said])
    first, second = told.apart
    apart = f"the slopes at {along} = {first:g} and {second:g} differ by more than a power explains"
    law = power(along, told.exponent, told.scattered_interval)
    scatter = f"{law}, about which widths scatter by {100 * told.scatter:.0f} %"
    return "; ".join([f"does not collapse ({_p(told.p)}): {apart}", scatter, *said])


def power(along: str, exponent: float, interval: tuple[float, float]) -> str:
    """The law of the width, which is the size to minus the exponent."""
    low, high = interval
    return f"width ~ {along}^({-exponent:.2f} [{-high:.2f}, {-low:.2f}])"


def _p(p: float) -> str:
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def figure(found: Sequence[SliceReport]) -> Figure:
    """A column a collapse: all counts against t with the common curve, and widths by size.

    Raises `ValueError` where there is none.
    """
    told = [(r.inside, r.collapse) for r in collapses(found) if r.collapse is not None]
    if not told:
        remedy = "give the study more values of d or p"
        raise mistake("three sizes whose thresholds are known", f"{len(found)} slices", remedy)
    made, axes = plt.subplots(2, len(told), figsize=(4.3 * len(told), 6.8), squeeze=False)
    for (boundary, collapse), column in zip(told, axes.T, strict=True):
        _counts(column[0], boundary, collapse)
        _widths(column[1], boundary.along, collapse)
    return made


def _counts(ax: Axes, boundary: Boundary, told: Collapse) -> None:
    """P(converged) without the lapse against t."""
    sizes = []
    for i, slice in enumerate(boundary.slices):
        x, converged, trials = pooled(slice.tallies(), POOLED * float(told.width(told.size[i])))
        found = np.array([converged / trials, *wilson(converged, trials)]) / (1 - told.lapse[i])
        label = f"${symbol(boundary.along)} = {told.size[i]:g}$"
        sizes.append(plot.Counted(label, told.scaled(i, x), *found))
    t = np.linspace(*_ends(sizes), 300)
    first = boundary.slices[0]
    name, sign = symbol(first.along), "-" if first.rises else ""
    what = rf"$t = {sign}\log({name} / N)\,/\,w$" if len(name) == 1 else "$t$"
    plot.collapse(sizes, t, told.curve(t), ax=ax, label=what)
    ax.set_title(plot.plain(boundary.title), loc="left")


def _ends(sizes: Sequence[plot.Counted]) -> tuple[float, float]:
    every = np.concatenate([np.asarray(counted.t) for counted in sizes])
    return float(every.min()), float(every.max())


def _widths(ax: Axes, along: str, told: Collapse) -> None:
    """The width of every size by itself, and the law."""
    low, high = told.own_interval
    size = np.geomspace(told.size[0], told.size[-1], 50)
    law = power(symbol(along), told.exponent, told.interval)
    plot.points(told.size, told.own_width, low, high, ax=ax, series=plot.FLOW)
    plot.line(size, told.width(size), ax=ax, series=plot.DESCENT, label=law)
    sizes, ends = told.size.tolist(), [*low.tolist(), *high.tolist()]
    plot.power_axes(ax, sizes, ends, along=along, label="10-90 % width, in log x")
    plot.size_ticks(ax.xaxis, sizes)
    ax.legend(loc="upper right")
