"""Random data: where the flow converges at the widths of theorem 1, and where that promises it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes

from jaxflow import plot, report
from jaxflow.published import SOURCE
from jaxflow.report import CellReport
from jaxflow.sweep import wilson

STUDIES = ("theorem-1",)

LARGEST = 2.0  # of d in the figure, over the largest n^2


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, the least d that the flow needs, and P(converged) at the largest d measured."""
    cells = sorted(report.cells(stores["theorem-1"]), key=lambda cell: cell.base.n)
    figure, ax = plt.subplots(figsize=(6.4, 4.2))
    diagram(ax, cells)
    figure.savefig(path)
    plt.close(figure)
    return list(claims(cells))


def diagram(ax: Axes, cells: Sequence[CellReport]) -> None:
    """P(converged) over (n, d), its boundary, and the line d = n^2."""
    x, y, values = [], [], []
    for cell in cells:
        for tally in cell.tallies(conditional=True):
            x.append(cell.base.n)
            y.append(tally.x)
            values.append(tally.converged / tally.trials)
    plot.heat_map(x, y, values, ax=ax, label="P(converged | good initialization)")
    n = np.array([cell.base.n for cell in cells])
    plot.boundary(n, *thresholds(cells), ax=ax, series=plot.FLOW, label="P = 1/2", on_map=True)
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


def thresholds(cells: Sequence[CellReport]) -> np.ndarray:
    """The d at which P(converged) crosses one half, with its interval: (3, cells)."""
    found = [cell.posterior() for cell in cells]
    return np.array([[p.median, *p.interval()] for p in found]).T


def claims(cells: Sequence[CellReport]) -> Iterator[Claim]:
    """By n: the threshold in d; and what the largest d gives, of good initializations."""
    for cell, (middle, low, high) in zip(cells, thresholds(cells).T, strict=True):
        n, trials = cell.base.n, len(cell.rows)
        what = f"theorem 1: d above which the flow converges, n = {n}, p = {cell.rows[0].p}"
        remark = f"d = n^2 is {n**2}, sufficient up to an unknown constant"
        yield Claim(what, middle, low, high, trials, f"C * {n**2}", SOURCE, remark)
    last = [cell.tallies(conditional=True)[-1] for cell in cells]
    converged, trials = sum(t.converged for t in last), sum(t.trials for t in last)
    low, high = wilson(converged, trials)
    what = f"theorem 1: P(converged | good initialization) at d = {last[0].x:g}, all n"
    yield Claim(what, converged / trials, float(low), float(high), trials)


if __name__ == "__main__":
    main("theorem_1", draw)
