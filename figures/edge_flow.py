"""Is the published boundary that of the edge flow? Descent and its three equations, side by side.

The thresholds of descent at the edge of stability beside those of the edge flow (P. Marion, arXiv
2606.18080), whose center, direction and magnitude of oscillation descend the same draws.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes

from jaxflow import plot, report
from jaxflow.papers.weakly_interacting import EXPERIMENT_1_2 as PUBLISHED
from jaxflow.report.slices import SliceReport
from jaxflow.show.transitions import pooled
from jaxflow.statistics.counts import wilson

STUDIES = ("edge-flow",)
NAMES = {"descent": "gradient descent", "edge": "edge flow"}
POOLED = 0.08  # in log n, of trials that share a point
SPAN = 1.6  # of n about the threshold, that is drawn


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """P(converged) of both against n at every step, and the thresholds."""
    by_step: dict[float, list[SliceReport]] = {}
    for slice in report.slices(stores["edge-flow"]):
        step = slice.base[f"dynamics.{slice.dynamics}.step"]
        by_step.setdefault(step, []).append(slice)
    figure, axes = plt.subplots(
        1, len(by_step), figsize=(4.3 * len(by_step), 3.6), sharey=True, squeeze=False
    )
    claims: list[Claim] = []
    for ax, (step, slices) in zip(axes[0], sorted(by_step.items()), strict=True):
        for slice, series in zip(slices, plot.family(len(slices)), strict=True):
            _transition(slice, series, ax)
        ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
        ax.set_title(f"step {step:g}", loc="left")
        ax.set_xlabel("samples $n$")
        claims += _claims(step, slices)
    axes[0, 0].set_ylabel("P(converged)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(path)
    plt.close(figure)
    return claims


def _transition(slice: SliceReport, series: plot.Series, ax: Axes) -> None:
    """Counts, and the curve with its band."""
    posterior = slice.posterior()
    n = np.geomspace(posterior.median / SPAN, posterior.median * SPAN, 100)
    plot.band(n, *posterior.curve(n), ax=ax, series=series, label=NAMES[slice.dynamics])
    x, good, trials = pooled(slice.tallies(), POOLED)
    near = (x > n[0]) & (x < n[-1])
    x, good, trials = x[near], good[near], trials[near]
    low, high = wilson(good, trials)
    plot.proportions(x, good / trials, low, high, trials, ax=ax, series=series)


def _claims(step: float, slices: Sequence[SliceReport]) -> Iterator[Claim]:
    """Descent beside what is published of it, the edge flow beside descent."""
    descent = next(slice for slice in slices if slice.dynamics == "descent").posterior()
    for slice in slices:
        posterior, d, p = slice.posterior(), slice.base.d, slice.base.p
        found = posterior.median, *posterior.interval()
        what = f"N({d}, {p}), {NAMES[slice.dynamics]} with step {step:g}"
        known, source = (descent.median, "descent here, the same draws")
        if slice.dynamics == "descent":
            is_published = (d, p, step) == (PUBLISHED.d, PUBLISHED.p, PUBLISHED.step)
            known, source = (PUBLISHED.threshold, PUBLISHED.source) if is_published else (None, "")
        yield Claim(what, *found, len(slice.rows), known, source)


if __name__ == "__main__":
    main("edge_flow", draw)
