"""Random data: where the flow converges at the widths of theorem 1, and where that promises it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes

from jaxflow import plot, report
from jaxflow.papers.bounds import largest_correlation
from jaxflow.papers.weakly_interacting import SOURCE
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.counts import wilson
from jaxflow.statistics.resamples import Interval, mean_interval
from jaxflow.study.drawing import inputs_of
from jaxflow.study.study import Study

STUDIES = ("theorem-1",)

LARGEST = 2.0  # of d in the figure, over the largest n^2
DRAWN = 12  # inputs whose correlation is looked at, of every n and d


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, the least d that the flow needs, how correlated inputs are there."""
    folder = stores["theorem-1"]
    slices = sorted(report.slices(folder), key=lambda slice: slice.base.n)
    found = [correlations(Study.load(folder), slice) for slice in slices]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.2), width_ratios=(1.35, 1))
    diagram(left, slices)
    against_correlation(right, slices, found)
    figure.savefig(path)
    plt.close(figure)
    return [*claims(slices), *correlation_claims(slices, found)]


def correlations(study: Study, slice: SliceReport) -> dict[int, Interval]:
    """The largest correlation of some inputs of every d, in increasing order."""
    trials: dict[int, list[float]] = {}
    for row in sorted(slice.rows, key=lambda row: (row.d, row.trial.seed)):
        here = trials.setdefault(row.d, [])
        if len(here) < DRAWN:
            here.append(largest_correlation(inputs_of(study, row.trial)))
    return {d: mean_interval(here) for d, here in trials.items()}


def diagram(ax: Axes, slices: Sequence[SliceReport]) -> None:
    """P(converged) over (n, d), its boundary, and the line d = n^2."""
    x, y, values = [], [], []
    for slice in slices:
        for tally in slice.tallies(conditional=True):
            x.append(slice.base.n)
            y.append(tally.x)
            values.append(tally.converged / tally.trials)
    plot.heat_map(x, y, values, ax=ax, label="P(converged | good initialization)")
    n = np.array([slice.base.n for slice in slices])
    plot.boundary(n, *thresholds(slices), ax=ax, series=plot.FLOW, label="P = 1/2", on_map=True)
    low, high = ax.get_xlim()
    top = LARGEST * n.max() ** 2
    guide = np.geomspace(low, high, 50)
    plot.line(guide, guide**2, ax=ax, series=plot.PUBLISHED)
    ax.fill_between(guide, guide**2, top, facecolor="none", edgecolor="0.7", hatch="//", lw=0)
    ax.text(
        n.min(), 0.35 * top, "theorem 1: $d \\geq C n^2$,\ndrawn at $C = 1$, which is not known",
        fontsize=8, va="center", bbox={"facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip
    ax.text(n.min(), 3 * max(y), "not measured", fontsize=8, color="0.4")
    bottom = ax.get_ylim()[0]
    plot.log_ticks(ax.yaxis, bottom, top)
    ax.set_ylim(bottom, top)
    plot.size_ticks(ax.xaxis, n.tolist())
    ax.set_xlabel(plot.axis_name("n"))
    ax.set_ylabel(plot.axis_name("d"))
    ax.set_title("inputs on the sphere, $p \\geq 4\\,\\log(n / 0.05)$", loc="left")
    ax.legend(loc="center right", frameon=True)


def against_correlation(
    ax: Axes, slices: Sequence[SliceReport], found: Sequence[dict[int, Interval]]
) -> None:
    """P(converged) against the largest correlation, and that of the d for which it is promised."""
    for i, (slice, correlation) in enumerate(zip(slices, found, strict=True)):
        look, n = plot.by_size(i, len(slices)), slice.base.n
        tallies = slice.tallies(conditional=True)
        x = [float(correlation[int(t.x)].value) for t in tallies]
        good, trials = (np.array([getattr(t, k) for t in tallies]) for k in ("converged", "trials"))
        label = f"$n = {n}$"
        ends = wilson(good, trials)
        plot.points(x, good / trials, *ends, ax=ax, series=look, label=label, joined=True)
        ax.axvline(promised(n), color=look.color, linestyle=look.line, linewidth=1.0)
    ax.text(
        1.4 * promised(slices[0].base.n), 0.8, "$d = n^2$:\n$2 \\sqrt{\\log n} / n$",
        fontsize=8, va="center",
    )  # fmt: skip
    ax.set_xlim(0, 1.02)
    ax.set_ylim(-0.04, 1.04)
    ax.set_xlabel("largest correlation $\\max_{i \\neq k} |x_i \\cdot x_k| / |x_i| |x_k|$")
    ax.set_ylabel("P(converged | good initialization)")
    ax.set_title("weak correlation is not needed", loc="left")
    ax.legend(loc="lower left", bbox_to_anchor=(0.16, 0.04), title="$d$ grows to the left")


def promised(n: int) -> float:
    """The largest correlation of n inputs on the sphere of dimension n^2, to first order."""
    return 2 * np.sqrt(np.log(n)) / n


def thresholds(slices: Sequence[SliceReport]) -> np.ndarray:
    """The d at which P(converged) crosses one half, with its interval: (3, slices)."""
    found = [slice.posterior() for slice in slices]
    return np.array([[p.median, *p.interval()] for p in found]).T


def claims(slices: Sequence[SliceReport]) -> Iterator[Claim]:
    """By n: the threshold in d; and what the largest d gives, of good initializations."""
    for slice, (middle, low, high) in zip(slices, thresholds(slices).T, strict=True):
        n, trials = slice.base.n, len(slice.rows)
        what = f"theorem 1: d above which the flow converges, n = {n}, p = {slice.rows[0].p}"
        remark = f"d = n^2 is {n**2}, sufficient up to an unknown constant"
        yield Claim(what, middle, low, high, trials, f"C * {n**2}", SOURCE, remark)
    last = [slice.tallies(conditional=True)[-1] for slice in slices]
    converged, trials = sum(t.converged for t in last), sum(t.trials for t in last)
    low, high = wilson(converged, trials)
    what = f"theorem 1: P(converged | good initialization) at d = {last[0].x:g}, all n"
    yield Claim(what, converged / trials, float(low), float(high), trials)


def correlation_claims(
    slices: Sequence[SliceReport], found: Sequence[dict[int, Interval]]
) -> Iterator[Claim]:
    """By n: how correlated inputs are at the least d at which all good starts converged."""
    for slice, correlation in zip(slices, found, strict=True):
        tallies = slice.tallies(conditional=True)
        good = next((t for t in tallies if t.converged == t.trials), None)
        if good is None:
            continue
        n = slice.base.n
        what = f"theorem 1: largest correlation where all good ones converged, n = {n}"
        remark = f"at d = {good.x:g}; of inputs of d = n^2 it is {promised(n):.3f}"
        drawn = min(DRAWN, sum(row.d == good.x for row in slice.rows))
        yield Claim(what, *(float(v) for v in correlation[int(good.x)]), drawn, remark=remark)


if __name__ == "__main__":
    main("theorem_1", draw)
