"""Random labels that a plane separates: the flow of the squared hinge against Cover's formula."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes

from jaxflow import plot, report
from jaxflow.papers.perceptron import separable
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.counts import Tally, wilson
from jaxflow.statistics.limit import Limit, limit

STUDIES = ("perceptron",)
SOURCE = "Cover, IEEE Trans. Electronic Computers 14 (1965) 326"


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """P against n over d with the exact curves, and N against the flow time allowed."""
    slices = report.slices(stores["perceptron"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.8))
    claims: list[Claim] = []
    for slice, series in zip(slices, plot.family(len(slices)), strict=True):
        _proportions(slice, series, left)
        law = _law(slice)
        _thresholds(slice, law, series, right)
        claims += [*_counts(slice), _limit(slice, law)]
    left.set_xlabel("samples over dimension, $n / d$")
    left.set_ylabel("P(separated)")
    left.set_title("the longest time, and Cover's formula", loc="left")
    left.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    right.set_xscale("log")
    right.set_xlabel("flow time allowed $T$")
    right.set_ylabel("threshold over its limit, $N / 2d$")
    right.axhline(1, color="0.45", linestyle="--", linewidth=0.9)
    right.set_title("how it comes to the limit", loc="left")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(path)
    plt.close(figure)
    return claims


def _tallies(slice: SliceReport) -> tuple[Tally, ...]:
    return slice.tallies(len(slice.horizon.labels) - 1)


def _proportions(slice: SliceReport, series: plot.Series, ax: Axes) -> None:
    d = slice.base.d
    n, happened, trials = np.array([(t.x, t.converged, t.trials) for t in _tallies(slice)]).T
    low, high = wilson(happened, trials)
    plot.proportions(
        n / d, happened / trials, low, high, trials, ax=ax, series=series, label=f"$d = {d}$"
    )
    grid = np.arange(n[0], n[-1] + 1)
    exact = separable(grid, d)
    ax.plot(grid / d, exact, color=series.color, linewidth=1, zorder=1)


def _thresholds(slice: SliceReport, law: Limit, series: plot.Series, ax: Axes) -> None:
    d = slice.base.d
    times = np.geomspace(slice.horizon.multiples[0], slice.horizon.multiples[-1], 100)
    ax.plot(times, law.by(times) / 2 / d, color=series.color, linewidth=0.8, zorder=1)
    for horizon, time in enumerate(slice.horizon.multiples):
        posterior = slice.posterior(horizon)
        if posterior.at_edge:
            continue
        low, high = posterior.interval()
        ax.plot([time, time], [low / 2 / d, high / 2 / d], color=series.color, linewidth=1)
        ax.plot([time], [posterior.median / 2 / d], series.marker, color=series.color, markersize=4)


def _counts(slice: SliceReport) -> Iterator[Claim]:
    for tally in _tallies(slice):
        low, high = wilson(tally.converged, tally.trials)
        exact = float(separable(int(tally.x), slice.base.d))
        yield Claim(
            f"P(separated), d = {slice.base.d}, n = {tally.x:g}",
            tally.converged / tally.trials,
            float(low),
            float(high),
            tally.trials,
            exact,
            SOURCE,
            f"in a flow time of {slice.horizon.multiples[-1]:g}; exact in the limit",
        )


def _law(slice: SliceReport) -> Limit:
    """How N comes to its limit over the horizons."""
    by_time = [slice.tallies(horizon) for horizon in range(len(slice.horizon.labels))]
    counts = np.array([[tally.converged for tally in tallies] for tallies in by_time]).T
    places, trials = zip(*((tally.x, tally.trials) for tally in by_time[0]), strict=True)
    return limit(places, trials, counts, slice.horizon.multiples)


def _limit(slice: SliceReport, law: Limit) -> Claim:
    """N at T to infinity."""
    d = slice.base.d
    what = f"N(d = {d}) in the limit of long times"
    remark = "from all horizons, by the law of slowing"
    trials = len(slice.rows)
    return Claim(what, law.threshold, law.low, law.high, trials, 2.0 * d, SOURCE, remark)


if __name__ == "__main__":
    main("perceptron", draw)
