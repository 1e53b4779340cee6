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
from jaxflow.report import Recorded, recorded
from jaxflow.sweep import bootstrap, first_positive, slope, tail_rate, wilson
from jaxflow.theory import SADDLE_GROWTH

STUDIES = ("quadratic-path",)
TAIL = 1e-3, 1e-5  # relative errors between which the rate is fitted
PREDICTED = 1 / (2 * 2 * SADDLE_GROWTH)  # of entry over log d; our loss is twice that of the theory
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
    claims = [*_entries(axes[1, 0], trials), *_rates(axes[1, 1], trials), *_convexity(trials)]
    figure.savefig(path)
    plt.close(figure)
    return claims


def _on_grid(trials: Sequence[Recorded], name: str, grid: np.ndarray) -> np.ndarray:
    """Curves (trials, k) of an observable at common times, NaN after a trial's end."""
    return np.array([np.interp(grid, t.found["time"], t.found[name], right=np.nan) for t in trials])


def _last(trials: Trials) -> float:
    """The time at which half of the trials of every d are still under way."""
    return min(float(np.median([t.found["time"][-1] for t in here])) for here in trials.values())


def _errors(ax: Axes, trials: Trials) -> None:
    grid = np.linspace(0, _last(trials), 200)
    for i, (d, here) in enumerate(sorted(trials.items())):
        look = plot.by_size(i, len(trials))
        logs = [np.log(t.found["teacher_error"]) for t in here]
        curves = [
            np.exp(np.interp(grid, t.found["time"], y, right=np.nan))
            for t, y in zip(here, logs, strict=True)
        ]
        plot.fan(grid, curves, ax=ax, series=look, label=f"$d = {d}$")
    plot.log_ticks(ax.yaxis, 1e-6, 2)
    ax.axhspan(TAIL[1], TAIL[0], color="0.5", alpha=0.1, linewidth=0)
    ax.annotate("fitted", (grid[-1], TAIL[0]), size=7, ha="right", va="top", color="0.35")
    ax.set_xlabel("flow time $t$")
    ax.set_ylabel(r"error $|W^TW - V^TV|_F \,/\, |V^TV|_F$")
    ax.set_title("error: median, and 90 % of trials", loc="left")
    ax.legend(loc="lower left")


def _spectrum(ax: Axes, trials: Trials) -> None:
    grid = np.linspace(0, 3, 200)
    shown = sorted(trials)
    for i, d in ((0, shown[0]), (len(shown) - 1, shown[-1])):
        look = plot.by_size(i, len(shown))
        for name, label in (("quotient_low", f"$d = {d}$"), ("quotient_high", None)):
            plot.fan(grid, _on_grid(trials[d], name, grid), ax=ax, series=look, label=label)
    ax.axhline(0, color="0.3", linewidth=0.8)
    for y, text in ((26, r"$\lambda_{\max}$"), (3.2, r"$\lambda_{\min}$")):
        ax.annotate(text, (2.95, y), ha="right", va="bottom")
    ax.set_xlabel("flow time $t$")
    ax.set_ylabel("Hessian modulo rotations (1 / flow time)")
    ax.set_title("ends of the spectrum: median, and 90 % of trials", loc="left")
    ax.legend(loc="center right")


def _entry(trial: Recorded) -> float:
    return first_positive(trial.found["time"], trial.found["quotient_low"])


def _entries(ax: Axes, trials: Trials) -> Iterator[Claim]:
    """When the smallest eigenvalue turns positive, against log d."""
    sizes = sorted(trials)
    entered = [[t for t in map(_entry, trials[d]) if np.isfinite(t)] for d in sizes]
    means = [bootstrap([here], lambda g: float(np.mean(g[0]))) for here in entered]
    grown = bootstrap(entered, slope(np.log(sizes)))
    count = sum(map(len, entered))
    for d, here in zip(sizes, entered, strict=True):
        ax.scatter(np.full(len(here), d), here, s=5, color="0.75", linewidth=0)
    look = plot.Series(plot.FLOW.color, "o", "none")
    plot.boundary(sizes, *zip(*means, strict=True), ax=ax, series=look, label="mean")
    centre = np.mean([mean.value for mean in means])
    lift = np.log(sizes) - np.mean(np.log(sizes))
    for rate, line, name in (
        (grown.value, "-", f"slope {grown.value:.3f} [{grown.low:.3f}, {grown.high:.3f}]"),
        (PREDICTED, ":", f"slope {PREDICTED:g}, population saddle"),
    ):
        ax.plot(sizes, centre + rate * lift, color="0.2", linestyle=line, linewidth=1, label=name)
    plot.log_ticks(ax.xaxis, min(sizes) / 1.2, max(sizes) * 1.2)
    plot.size_ticks(ax.xaxis, sizes)
    ax.set_xlabel("input dimension $d$")
    ax.set_ylabel(r"flow time at which $\lambda_{\min} > 0$")
    ax.set_title("entry into strong convexity", loc="left")
    ax.legend(loc="upper left", fontsize=7)
    yield Claim(
        "growth of the entry time with log d, r = 2, m = 10 dr", *grown, count, PREDICTED,
        "the population flow at its saddle, log d / 8",
    )  # fmt: skip
    for d, mean, here in zip(sizes, means, entered, strict=True):
        yield Claim(f"mean entry time, r = 2, d = {d}", *mean, len(here))


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
        mean = bootstrap([rate[known]], lambda g: float(np.mean(g[0])))
        yield Claim(f"rate of the tail of the error, r = 2, d = {d}", *mean, int(known.sum()))
    ends = ax.get_xlim()
    ax.plot(ends, ends, color="0.3", linewidth=0.8, label="equal")
    ax.set_xlim(*ends)
    ax.set_xlabel(r"$\lambda_{\min}$ at the end (1 / flow time)")
    ax.set_ylabel("rate of the tail (1 / flow time)")
    ax.set_title("linear convergence", loc="left")
    ax.legend(loc="upper left", fontsize=7)
    mean = bootstrap([ratios], lambda g: float(np.mean(g[0])))
    yield Claim(
        "rate of the tail over the smallest eigenvalue at the end, r = 2", *mean, len(ratios), 1.0,
        "linear convergence", "the tail between 1e-3 and 1e-5 still has faster modes",
    )  # fmt: skip


def _convexity(trials: Trials) -> Iterator[Claim]:
    """Trials that start outside the region, enter it, and do not leave it."""
    every = [trial for here in trials.values() for trial in here]
    lows = [trial.found["quotient_low"] for trial in every]
    stay = sum(bool(np.any(y > 0) and np.all(y[np.argmax(y > 0) :] > 0)) for y in lows)
    outside = sum(bool(y[0] < 0) for y in lows)
    for what, count in (
        ("start where the loss is not convex", outside),
        ("enter strong convexity and stay", stay),
    ):
        low, high = wilson(count, len(every))
        yield Claim(
            f"share of trials that {what}, r = 2", count / len(every), float(low), float(high),
            len(every), 1.0, f"{SOURCE}: all",
        )  # fmt: skip


if __name__ == "__main__":
    main("quadratic_path", draw)
