"""The path of a quadratic student: into strong convexity after log d, then linearly to the teacher.

All from 10 d r samples. Intervals are by resampling trials.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes

from jaxflow import plot
from jaxflow.papers.quadratic import SADDLE_GROWTH
from jaxflow.report.recorded import Recorded, recorded
from jaxflow.statistics.counts import wilson
from jaxflow.statistics.powers import slope
from jaxflow.statistics.resamples import Interval, bootstrap
from jaxflow.statistics.trajectories import stays_positive, tail_rate

STUDIES = ("quadratic-path",)
TAIL = 3e-3, 1e-5  # relative errors between which the rate is fitted
STEP = 0.1 / 2**0.5 / 2  # of descent in this setting at r = 2; our loss is twice that there
PREDICTED = 1 / (2 * 2 * SADDLE_GROWTH)  # of entry over log d
SOURCE = "in the setting of arXiv 1907.06594"
Trials = dict[int, list[Recorded]]  # by d


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """Four panels: the error, the ends of the spectrum, the entry against d, the rate."""
    trials: Trials = {}
    for trial in recorded(stores[STUDIES[0]]):
        trials.setdefault(trial.row.d, []).append(trial)
    figure, axes = plt.subplots(2, 2, figsize=(8.4, 6.6))
    _errors(axes[0, 0], trials)
    _spectrum(axes[0, 1], trials)
    claims = [*_entries(axes[1, 0], trials), *_rates(axes[1, 1], trials)]
    figure.savefig(path, dpi=140)
    plt.close(figure)
    return claims


def _on_grid(trials: Sequence[Recorded], name: str, grid: np.ndarray) -> np.ndarray:
    """Curves (trials, k) of an observable at common times; the last value holds."""
    return np.array([np.interp(grid, t.found["time"], t.found[name]) for t in trials])


def _errors(ax: Axes, trials: Trials) -> None:
    """Down to the end of the fitted tail: all trials are followed further."""
    grid = np.linspace(0, 9, 300)
    for i, (d, here) in enumerate(sorted(trials.items())):
        look = plot.by_size(i, len(trials))
        logs = [np.interp(grid, t.found["time"], np.log(t.found["teacher_error"])) for t in here]
        if 0 < i < len(trials) - 1:  # the bands of all would hide each other
            median = np.exp(np.median(logs, axis=0))
            ax.plot(grid, median, color=look.color, linestyle=look.line, label=f"$d = {d}$")
        else:
            plot.fan(grid, np.exp(logs), ax=ax, series=look, label=f"$d = {d}$")
    plot.log_ticks(ax.yaxis, TAIL[1], 3)
    ax.set_ylim(TAIL[1], 3)
    ax.axhspan(TAIL[1], TAIL[0], color="0.5", alpha=0.12, linewidth=0)
    ax.annotate("rate fitted here", (8.9, TAIL[0]), size=7, ha="right", va="bottom")
    ax.set_xlabel("flow time $t$")
    ax.set_ylabel(r"error $|W^TW - V^TV|_F \,/\, |V^TV|_F$")
    ax.set_title("linear tail (median, 90 % of trials)", loc="left")
    ax.legend(loc="lower left")


def _spectrum(ax: Axes, trials: Trials) -> None:
    """Of the smallest and the largest d."""
    grid = np.linspace(0, 4, 300)
    shown = sorted(trials)
    for i, d in ((0, shown[0]), (len(shown) - 1, shown[-1])):
        look = plot.by_size(i, len(shown))
        for name, label in (("quotient_low", f"$d = {d}$"), ("quotient_high", None)):
            plot.fan(grid, _on_grid(trials[d], name, grid), ax=ax, series=look, label=label)
    ax.axhline(0, color="0.3", linewidth=0.8)
    ax.set_yscale("symlog", linthresh=1)
    ax.set_yticks([-5, -2, -1, 0, 1, 2, 5, 10, 20, 40], [-5, -2, -1, 0, 1, 2, 5, 10, 20, 40])
    for y, text in ((42, r"$\lambda_{\max}$"), (2.4, r"$\lambda_{\min}$")):
        ax.annotate(text, (3.95, y), ha="right", va="center")
    ax.set_xlabel("flow time $t$")
    ax.set_ylabel("Hessian modulo rotations (1 / flow time)")
    ax.set_title("ends of the spectrum (median, 90 %)", loc="left")
    ax.legend(loc="lower right")


def _median(groups: Sequence[np.ndarray]) -> np.ndarray:
    return np.median(groups[0], axis=-1)


def _mean(groups: Sequence[np.ndarray]) -> np.ndarray:
    return np.mean(groups[0], axis=-1)


def _medians(groups: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([np.median(group, axis=-1) for group in groups], axis=-1)


def _entries(ax: Axes, trials: Trials) -> Iterator[Claim]:
    """When the smallest eigenvalue turns positive for good, against log d."""
    sizes = sorted(trials)
    every = [
        [stays_positive(t.found["time"], t.found["quotient_low"]) for t in trials[d]] for d in sizes
    ]
    entered = [[t for t in here if np.isfinite(t)] for here in every]
    medians = [bootstrap([here], _median) for here in entered]
    grown = bootstrap(entered, lambda groups: slope(np.log(sizes), _medians(groups)))
    _draw_entries(ax, sizes, entered, medians, grown)
    total, inside = sum(map(len, every)), sum(map(len, entered))
    yield Claim(
        "growth of the median entry time with log d, r = 2, m = 10 dr", *grown, inside, PREDICTED,
        "the population flow at its saddle, log d / 8",
        "for teachers of orthonormal rows; a random one of small d is not close to that",
    )  # fmt: skip
    for d, median, here in zip(sizes, medians, entered, strict=True):
        steps = f"{median.value / STEP:.0f} steps of the descent of this setting"
        yield Claim(f"median entry time, r = 2, d = {d}", *median, len(here), remark=steps)
    low, high = wilson(inside, total)
    yield Claim(
        "share of trials that enter strong convexity and stay, r = 2", inside / total,
        float(low), float(high), total, 1.0, SOURCE,
    )  # fmt: skip


def _draw_entries(
    ax: Axes,
    sizes: Sequence[int],
    entered: Sequence[Sequence[float]],
    medians: Sequence[Interval],
    grown: Interval,
) -> None:
    """Every trial, the medians, and two slopes through them."""
    top = 1.2 * max(float(np.quantile(here, 0.95)) for here in entered)
    for d, here in zip(sizes, entered, strict=True):
        spread = d * np.exp(np.linspace(-0.08, 0.08, len(here)))
        shown = np.array(here) <= top
        ax.scatter(spread[shown], np.array(here)[shown], s=4, color="0.75", linewidth=0)
    look = plot.Series(plot.FLOW.color, "o", "none")
    plot.boundary(sizes, *zip(*medians, strict=True), ax=ax, series=look, label="median")
    centre = np.mean([median.value for median in medians])
    lift = np.log(sizes) - np.mean(np.log(sizes))
    for rate, line, name in (
        (grown.value, "-", f"slope {grown.value:.3f} [{grown.low:.3f}, {grown.high:.3f}]"),
        (PREDICTED, ":", f"slope {PREDICTED:g}, population flow"),
    ):
        ax.plot(sizes, centre + rate * lift, color="0.1", linestyle=line, linewidth=1.2, label=name)
    plot.log_ticks(ax.xaxis, min(sizes) / 1.2, max(sizes) * 1.2)
    plot.size_ticks(ax.xaxis, sizes)
    ax.set_ylim(0, 1.25 * top)  # the legend is above the trials
    ax.axhline(top, color="0.85", linewidth=0.7)
    above = sum(t > top for here in entered for t in here)
    ax.annotate(f"{above} trials above", (0.02, 0.97), xycoords="axes fraction", size=7)
    ax.set_xlabel("input dimension $d$")
    ax.set_ylabel(r"flow time from which $\lambda_{\min} > 0$")
    ax.set_title("entry into strong convexity", loc="left")
    ax.legend(loc="upper right", fontsize=7)


def _rates(ax: Axes, trials: Trials) -> Iterator[Claim]:
    """The fitted rate of the tail against the smallest eigenvalue at the end."""
    ratios: list[float] = []
    for i, (d, here) in enumerate(sorted(trials.items())):
        look = plot.by_size(i, len(trials))
        low = np.array([t.found["quotient_low"][-1] for t in here])
        rate = np.array([tail_rate(t.found["time"], t.found["teacher_error"], *TAIL) for t in here])
        known = np.isfinite(rate)
        ratios += (rate[known] / low[known]).tolist()
        ax.scatter(
            low[known], rate[known], s=12, marker=look.marker, facecolor="white",
            edgecolor=look.color, linewidth=0.7, label=f"$d = {d}$",
        )  # fmt: skip
        mean = bootstrap([rate[known]], _mean)
        yield Claim(f"rate of the tail of the error, r = 2, d = {d}", *mean, int(known.sum()))
    ends = ax.get_xlim()
    ax.plot(ends, ends, color="0.3", linewidth=0.8, label="equal")
    ax.set_xlim(*ends)
    ax.set_xlabel(r"$\lambda_{\min}$ at the end (1 / flow time)")
    ax.set_ylabel("rate of the tail (1 / flow time)")
    ax.set_title("linear convergence", loc="left")
    ax.legend(loc="upper left", fontsize=7)
    mean = bootstrap([ratios], _mean)
    yield Claim(
        "rate of the tail over the smallest eigenvalue at the end, r = 2", *mean, len(ratios), 1.0,
        "linear convergence", "the tail between 3e-3 and 1e-5 still has faster modes",
    )  # fmt: skip


if __name__ == "__main__":
    main("quadratic_path", draw)
