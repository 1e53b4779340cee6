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
from jaxflow.statistics.posterior import estimate

STUDIES = ("perceptron",)
SOURCE = "Cover, IEEE Trans. Electronic Computers 14 (1965) 326"
DRAWS = 200  # of trials again, for the interval of a limit


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """P against n over d with the exact curves, and N against the flow time allowed."""
    slices = report.slices(stores["perceptron"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.8))
    claims: list[Claim] = []
    for slice, series in zip(slices, plot.family(len(slices)), strict=True):
        _proportions(slice, series, left)
        _thresholds(slice, series, right)
        claims += [*_counts(slice), _limit(slice)]
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


def _thresholds(slice: SliceReport, series: plot.Series, ax: Axes) -> None:
    d = slice.base.d
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


def _limit(slice: SliceReport) -> Claim:
    """N at T to infinity: Aitken's limit of the last three horizons, a factor apart each."""
    random = np.random.default_rng(0)
    last = range(len(slice.horizon.labels) - 3, len(slice.horizon.labels))
    by_place: dict[float, np.ndarray] = {}
    for row in slice.rows:
        told = [row.converged_by(slice.time(row, horizon)) for horizon in last]
        by_place.setdefault(row.n, []).append(told)  # type: ignore[arg-type]
    outcomes = {n: np.array(told) for n, told in sorted(by_place.items())}
    limits = [_aitken(slice, outcomes)]
    for _ in range(DRAWS):
        drawn = {n: told[random.integers(0, len(told), len(told))] for n, told in outcomes.items()}
        limits.append(_aitken(slice, drawn))
    low, high = np.quantile(limits[1:], (0.025, 0.975))
    d = slice.base.d
    what = f"N(d = {d}) in the limit of long times"
    remark = "from the last three horizons, by Aitken's delta-squared process"
    return Claim(what, limits[0], float(low), float(high), len(slice.rows), 2.0 * d, SOURCE, remark)


def _aitken(slice: SliceReport, outcomes: dict[float, np.ndarray]) -> float:
    found = []
    for column in range(3):
        tallies = [Tally(n, int(told[:, column].sum()), len(told)) for n, told in outcomes.items()]
        found.append(estimate(tallies, *slice.extent).n50)
    first, second = np.diff(found)
    return float(found[2] + second**2 / (first - second)) if first > second else float(found[2])


if __name__ == "__main__":
    main("perceptron", draw)
