"""Is it the kernel? Thresholds of the gradient flow beside those of its linearization at the start.

Left against the scale of the first parameters, in the middle their ratio, right against the width
at the published first parameters, by the time allowed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main, ratio, threshold
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from jaxflow import plot, report
from jaxflow.papers.bounds import parameter_count
from jaxflow.report.slices import SliceReport

BY_SCALE, BY_WIDTH = "lazy-scale", "lazy-width"
STUDIES = (BY_SCALE, BY_WIDTH)
SCALE = "problem.initialization.scale"
NAMES = {"flow": "gradient flow", "linearized": "linearized at its start"}
LINES = {"flow": "-", "linearized": "--"}
RATIO = "-."
Key = tuple[int, float]  # width, and scale or horizon


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; both thresholds and their ratio at every place."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.2, 3.8))
    claims = [*_by_scale(left, middle, report.slices(stores[BY_SCALE], stores.design(BY_SCALE)))]
    claims += _by_width(right, report.slices(stores[BY_WIDTH]))
    left.set_ylabel("threshold $N$")
    lines = [Line2D([], [], color="0.3", linestyle=LINES[name]) for name in NAMES]
    figure.legend(lines, NAMES.values(), loc="outside lower center", ncols=2)
    figure.savefig(path)
    plt.close(figure)
    return claims


def _by_scale(left: Axes, middle: Axes, slices: Sequence[SliceReport]) -> Iterator[Claim]:
    """Thresholds and ratios against the scale, a curve for each width."""
    found = {
        name: {(s.base.p, s.place[SCALE]): s for s in slices if s.dynamics == name}
        for name in NAMES
    }
    widths = sorted({p for p, _ in found["flow"]})
    scales = sorted({scale for _, scale in found["flow"]})
    drawn: list[float] = []
    for p, series in zip(widths, plot.family(len(widths)), strict=True):
        for name in NAMES:
            here = [found[name][p, scale] for scale in scales]
            drawn += _curve(left, scales, here, series, name, f"$p = {p}$")
        pairs = [(found["linearized"][p, x], found["flow"][p, x]) for x in scales]
        known = [pair if _are_found(pair) else None for pair in pairs]
        told = [(x, ratio(*pair)) for x, pair in zip(scales, known, strict=True) if pair]
        x, ratios = [x for x, _ in told], np.array([r for _, r in told])
        look = plot.Series(series.color, series.marker, RATIO)
        plot.boundary(x, *ratios.T, ax=middle, series=look, label=f"$p = {p}$")
        for scale, pair in zip(scales, pairs, strict=True):
            place = f"d = {pair[0].base.d}, p = {p}, scale {scale:g}"
            yield from _claims(place, pair)
    plot.size_axes(left, scales, drawn, along=SCALE)
    left.set_xlabel("scale of the first parameters")
    left.set_title(f"$d = {slices[0].base.d}$, within $T_0$", loc="left")
    middle.axhline(1, color="0.45", linestyle=":", linewidth=0.9)
    middle.set_xscale("log", base=2)
    middle.set_xticks(scales, [f"{x:g}" for x in scales])
    middle.set_ylim(bottom=0)
    middle.set_xlabel("scale of the first parameters")
    middle.set_ylabel("$N$ of the linearization over $N$ of the flow")
    middle.legend(loc="lower right")


def _by_width(ax: Axes, slices: Sequence[SliceReport]) -> Iterator[Claim]:
    """Thresholds against the width, at every horizon."""
    widths = sorted({slice.base.p for slice in slices})
    factors = slices[0].horizon.multiples
    drawn: list[float] = []
    for horizon, series in zip(range(len(factors)), plot.family(len(factors)), strict=True):
        for name in NAMES:
            here = [s for p in widths for s in slices if (s.base.p, s.dynamics) == (p, name)]
            label = f"{factors[horizon]:g} $T_0$"
            drawn += _curve(ax, widths, here, series, name, label, horizon)
    d = slices[0].base.d
    counts = [float(parameter_count(d, p)) for p in widths]
    plot.guide(widths, counts, ax=ax, series=plot.PUBLISHED, label="$p (d + 1)$")
    plot.size_axes(ax, widths, drawn + counts, along="p")
    ax.set_title(f"experiment 1, $d = {d}$", loc="left")
    ax.legend(loc="upper left")
    for p in widths:
        flow, linearized = (
            next(s for s in slices if (s.base.p, s.dynamics) == (p, name)) for name in NAMES
        )
        yield from _claims(f"experiment 1, d = {d}, p = {p}", (linearized, flow))


def _curve(
    ax: Axes,
    x: Sequence[float],
    slices: Sequence[SliceReport],
    series: plot.Series,
    name: str,
    label: str,
    horizon: int = 0,
) -> list[float]:
    """Thresholds where they are within the range scanned; the ends of their intervals."""
    told = [(x, s.posterior(horizon)) for x, s in zip(x, slices, strict=True) if _is_found(s)]
    low, high = np.array([posterior.interval() for _, posterior in told]).T
    look = plot.Series(series.color, series.marker, LINES[name])
    plot.boundary(
        [x for x, _ in told],
        [posterior.median for _, posterior in told],
        low,
        high,
        ax=ax,
        series=look,
        label=label if name == "flow" else None,
    )
    return [*low, *high]


def _is_found(slice: SliceReport) -> bool:
    """Whether the threshold lies within the range that was scanned."""
    return bool(slice.posterior().median > 1.2 * slice.plan.low)


def _are_found(pair: tuple[SliceReport, SliceReport]) -> bool:
    return all(map(_is_found, pair))


def _claims(place: str, pair: tuple[SliceReport, SliceReport]) -> Iterator[Claim]:
    """Both thresholds within T0, and the ratio in words."""
    for slice in pair:
        remark = ""
        if slice.dynamics == "linearized" and _are_found(pair):
            remark = "{:.3f} [{:.3f}, {:.3f}] of the flow's".format(*ratio(*pair))
        yield threshold(f"{place}: N, {NAMES[slice.dynamics]}", slice, remark=remark)


if __name__ == "__main__":
    main("lazy", draw)
