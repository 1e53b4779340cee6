"""Training the output layer too keeps the rate: the flow of both layers, by width."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from _lazy import LABELS, Followed, at, followed, keeping, panel
from matplotlib.axes import Axes

from jaxflow import papers, plot
from jaxflow.papers import overparameterized as published
from jaxflow.statistics.powers import mean_exponent
from jaxflow.statistics.resamples import mean_interval

STUDIES = ("overparameterized", "overparameterized-both")
TIMES = np.linspace(0, 20, 101)  # flow times over n
FITTED = 5.0, 15.0  # between which a rate is taken

Trials = dict[int, list[Followed]]


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; rates kept and compared, powers of the width, balancedness."""
    flow = followed(stores["overparameterized-both"], "flow")
    descent = followed(stores["overparameterized-both"], "descent")
    first = followed(stores["overparameterized"], "flow")
    one = next(iter(flow.values()))[0]
    figure, axes = plt.subplots(2, 2, figsize=(8.6, 7.0))
    labels = {p: f"$p = {p}$, both layers" for p in flow}
    for ax, name in zip(axes.flat, ("loss", "flips", "distance"), strict=False):
        panel(ax, name, flow, TIMES, TIMES * one.n, labels)
        _first_layer(ax, name, first, max(flow))
        ax.set_ylim(0, None)
        ax.set_xlabel("flow time over $n$")
    _bound(axes[0, 0], flow)
    _balance(axes[1, 1], flow, "flow", plot.FLOW, 0.97)
    _balance(axes[1, 1], descent, "descent, step $5/n$", plot.DESCENT, 1.03)
    titles = (
        "faster than one layer",
        "with fewer flips",
        "how far neurons move",
        "integration errors",
    )
    for ax, title in zip(axes.flat, titles, strict=True):
        ax.set_title(title, loc="left")
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    count = len(next(iter(flow.values())))
    title = f"Flow, $n = d = {one.n}$, {count} trials a width, means and 95 % intervals"
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return [*_kept(flow, descent), *_speed(flow, first), *_powers(flow), *_drift(flow, descent)]


def _first_layer(ax: Axes, name: str, trials: Trials, p: int) -> None:
    """The same with the first layer trained only, at one width."""
    here = trials[p]
    mean = mean_interval(at(here, name, TIMES * here[0].n)).value
    shown = np.exp(mean) if name == "loss" else mean
    label = f"$p = {p}$, first layer only"
    ax.plot(TIMES, shown, color="black", linewidth=1.0, linestyle=(0, (1, 1.5)), label=label)


def _bound(ax: Axes, trials: Trials) -> None:
    """The proven rate at the mean lambda_0."""
    here = [trial for found in trials.values() for trial in found]
    lambda_0 = float(np.mean([trial.extremes[0] for trial in here]))
    bound = papers.lazy_loss_bound(TIMES * here[0].n, here[0].n, lambda_0)
    known = plot.PUBLISHED.color
    ax.plot(TIMES, bound, color=known, linewidth=2.2, zorder=1)
    ax.annotate(
        "proven bound", (TIMES[50], bound[50]), xytext=(2, 3), textcoords="offset points",
        color=known, fontsize=8,
    )  # fmt: skip
    lowest = min(float(np.min(line.get_ydata())) for line in ax.lines)
    plot.log_ticks(ax.yaxis, lowest / 2, 2.0)
    ax.set_ylim(lowest / 2, 2.0)


def _balance(ax: Axes, trials: Trials, label: str, look: plot.Series, shift: float) -> None:
    """The largest drift of a trial against the width, beside that of the other dynamics."""
    widths = np.array(list(trials))
    drifts = [[trial.seen["balancedness"].max() for trial in here] for here in trials.values()]
    found = [np.exp(v) for v in mean_interval(np.log(drifts).T)]
    plot.points(widths * shift, *found, ax=ax, series=look, label=label, joined=True)
    plot.log_ticks(ax.xaxis, widths.min() / 1.2, widths.max() * 1.2)
    plot.size_ticks(ax.xaxis, widths)
    low, high = ax.dataLim.intervaly
    plot.log_ticks(ax.yaxis, low / 1.5, high * 1.5)
    ax.set_ylim(low / 1.5, high * 1.5)
    ax.set_xlabel(plot.axis_name("p"))
    ax.set_ylabel(LABELS["balancedness"])
    ax.legend(loc="upper right")


def _kept(flow: Trials, descent: Trials) -> list[Claim]:
    """In how many trials every recorded loss is below the bound."""
    return [
        Claim(
            f"P(loss keeps to the rate bound), both layers, {name}, n = d = {here[0].n}, p = {p}",
            *keeping(here), len(here), "1, in the limit of width", published.SOURCE,
        )
        for name, trials in (("flow", flow), ("descent, step 5/n", descent))
        for p, here in trials.items()
    ]  # fmt: skip


def _speed(both: Trials, first: Trials) -> list[Claim]:
    """The exponential rate of the loss, of both layers over that of the first, trial by trial."""
    claims = []
    for p, here in both.items():
        count = min(len(here), len(first[p]))
        ratio = [_rate(here[i]) / _rate(first[p][i]) for i in range(count)]
        found = map(float, mean_interval(ratio))
        claims.append(Claim(f"rate of both layers over that of the first, p = {p}", *found, count))
    return claims


def _rate(trial: Followed) -> float:
    """-d log L / d(t/n) between the times fitted."""
    early, late = at([trial], "loss", np.array(FITTED) * trial.n)[0]
    return float(early - late) / (FITTED[1] - FITTED[0])


def _powers(flow: Trials) -> list[Claim]:
    """How flips and distance at the end fall with the width."""
    claims = []
    for name, what in (("flips", "fraction of signs flipped"), ("distance", "largest distance")):
        ends = np.array([[trial.seen[name][-1] for trial in here] for here in flow.values()])
        found = map(float, mean_exponent(list(flow), ends.T))
        claims.append(Claim(f"exponent of p in the {what}, both layers", *found, ends.size))
    return claims


def _drift(flow: Trials, descent: Trials) -> list[Claim]:
    """The largest change of a_j^2 - |w_j|^2, which the flow conserves."""
    claims = []
    for name, trials in (("flow", flow), ("descent, step 5/n", descent)):
        drifts = [trial.seen["balancedness"].max() for here in trials.values() for trial in here]
        found = map(float, mean_interval(drifts))
        remark = "0 for the exact flow" if name == "flow" else ""
        what = f"drift of a^2 - |w|^2, {name}"
        claims.append(Claim(what, *found, len(drifts), remark=remark))
    return claims


if __name__ == "__main__":
    main("overparameterized_both", draw)
