"""Wide networks hardly move: loss, signs and distance of descent by width, and their bounds."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from _lazy import Followed, at, followed, keeping, panel
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from jaxflow import papers, plot
from jaxflow.papers import overparameterized as published
from jaxflow.statistics.powers import mean_exponent
from jaxflow.statistics.resamples import Interval, mean_interval

STUDIES = ("overparameterized", "overparameterized-thousand")
EPOCHS = np.arange(published.EPOCHS + 1)
SHOWN = 1e-13  # least loss, relative to the first

Trials = dict[int, list[Followed]]


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; rates kept, powers of the width, and numbers of n = d = 1000."""
    folder = stores["overparameterized"]
    descent, flow = followed(folder, "descent"), followed(folder, "flow")
    figure, axes = plt.subplots(2, 2, figsize=(8.6, 7.0))
    first = next(iter(descent.values()))[0]
    labels = {
        p: f"$p = {p}$: {sum(t.keeps_to_its_rate() for t in here)} of {len(here)} within the bound"
        for p, here in descent.items()
    }
    for ax, name in zip(axes.flat, ("loss", "flips", "distance"), strict=False):
        panel(ax, name, descent, EPOCHS, EPOCHS * first.step, labels)
        ax.set_ylim(0, None)
        ax.set_xlabel("iteration $k$")
    _bounds(axes[0, 0], descent, first.step)
    _flow(axes[0, 0], flow, first.step)
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    axes[0, 0].set_title("wider trains faster, within the bounds", loc="left")
    axes[0, 1].set_title("and flips fewer signs", loc="left")
    axes[1, 0].set_title("as every neuron moves less", loc="left")
    _by_width(axes[1, 1], descent)
    figure.suptitle(_title(descent), x=0.01, ha="left", fontsize=9)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return [*_rates(descent, flow), *_powers(descent), *_thousand(stores)]


def _bounds(ax: Axes, trials: Trials, step: float) -> None:
    """The proven rates of the flow and of descent, at the mean lambda_0."""
    here = [trial for found in trials.values() for trial in found]
    lambda_0 = float(np.mean([trial.extremes[0] for trial in here]))
    n = here[0].n
    known = plot.PUBLISHED.color
    for bound, line, name, at_k, shift, side in (
        (papers.lazy_descent_bound(EPOCHS, step, n, lambda_0), "--", "descent", 45, 3, "left"),
        (papers.lazy_loss_bound(EPOCHS * step, n, lambda_0), "-", "flow", 100, -14, "right"),
    ):
        ax.plot(EPOCHS, bound, color=known, linestyle=line, linewidth=2.2, zorder=1)
        ax.annotate(
            f"bound of {name}", (at_k, bound[at_k]), xytext=(0, shift), ha=side, va="bottom",
            textcoords="offset points", color=known, fontsize=8,
        )  # fmt: skip
    ax.set_yscale("log")
    plot.log_ticks(ax.yaxis, SHOWN, 2.0)
    ax.set_ylim(SHOWN, 2.0)


def _flow(ax: Axes, trials: Trials, step: float) -> None:
    """The mean loss of the flow at the largest width, at the flow times of the iterations."""
    p, here = next(reversed(trials.items()))
    mean = np.exp(mean_interval(at(here, "loss", EPOCHS * step)).value)
    ax.plot(EPOCHS, mean, color="black", linewidth=0.8, linestyle=(0, (5, 4)), zorder=4)
    ax.annotate(
        f"flow, $p = {p}$", (50, mean[50]), xytext=(-75, -30), textcoords="offset points",
        fontsize=8, arrowprops={"arrowstyle": "-", "linewidth": 0.6},
    )  # fmt: skip


def _by_width(ax: Axes, trials: Trials) -> None:
    """The distance at the end against the width, with its bound."""
    widths = np.array(list(trials))
    looks = plot.family(3)
    ends = np.log([[trial.seen["distance"][-1] for trial in here] for here in trials.values()])
    found = [np.exp(v) for v in mean_interval(ends.T)]
    exponent = mean_exponent(widths, np.exp(ends.T))
    name = f"measured, $p^{{{exponent.value:.2f}}}$"
    plot.points(widths, *found, ax=ax, series=looks[0], label=name, joined=True)
    bounds = np.array([[trial.distance_bound for trial in here] for here in trials.values()])
    plot.points(
        widths, *mean_interval(bounds.T), ax=ax, label="proven bound, $p^{-1/2}$",
        series=plot.Series(plot.PUBLISHED.color, "s", "--"), joined=True,
    )  # fmt: skip
    plot.log_ticks(ax.xaxis, widths.min() / 1.1, widths.max() * 1.1)
    plot.size_ticks(ax.xaxis, widths)
    plot.log_ticks(ax.yaxis, found[0].min() / 2, bounds.max() * 4)
    ax.set_xlabel(plot.axis_name("p"))
    ax.set_ylabel(f"largest $|w_j - w_j(0)|$ at $k = {published.EPOCHS}$")
    ax.set_title("far below the bound, with its power", loc="left")
    ax.legend(loc="center right")


def _title(trials: Trials) -> str:
    """The setting, and lambda_0 exactly and from as many weights as the widest network has."""
    p, here = next(reversed(trials.items()))
    exact = mean_interval([trial.extremes[0] for trial in here])
    sampled = mean_interval([trial.sampled_lambda_0(p, i) for i, trial in enumerate(here)])
    first = here[0]
    return (
        f"Descent on the first layer, $n = d = {first.n}$, step {first.step / first.n:g}, "
        f"{len(here)} trials a width, means and 95 % intervals.\n$\\lambda_0$ of $H^\\infty$: "
        f"{_number(exact)}; of {p} sampled weights: {_number(sampled)}."
    )


def _number(found: Interval) -> str:
    return f"{found.value:.4f} ± {found.high - found.value:.4f}"


def _rates(descent: Trials, flow: Trials) -> list[Claim]:
    """In how many trials every recorded loss is below the bound."""
    claims = []
    for name, trials in (("descent", descent), ("flow", flow)):
        for p, here in trials.items():
            kept, low, high = keeping(here)
            claims.append(
                Claim(
                    f"P(loss keeps to the rate bound), {name}, n = d = {here[0].n}, p = {p}",
                    kept, low, high, len(here), "1, in the limit of width", published.SOURCE,
                    "" if name == "flow" else "the bound is proven for much smaller steps",
                )
            )  # fmt: skip
    return claims


def _powers(descent: Trials) -> list[Claim]:
    """How flips and distance at the end fall with the width."""
    claims = []
    for name, what in (("flips", "fraction of signs flipped"), ("distance", "largest distance")):
        ends = np.array([[trial.seen[name][-1] for trial in here] for here in descent.values()])
        found = mean_exponent(list(descent), ends.T)
        bound = name == "distance"
        claims.append(
            Claim(
                f"exponent of p in the {what}", *map(float, found), ends.size,
                -0.5 if bound else None, published.SOURCE if bound else "",
                "published is that of the upper bound" if bound else "",
            )
        )  # fmt: skip
    return claims


def _thousand(stores: Stores) -> list[Claim]:
    """Numbers at n = d = 1000, each with the interval in which one more trial lies."""
    trials = followed(stores["overparameterized-thousand"], "descent")
    claims = []
    for known in published.ONE_TRIAL:
        here = trials[known.p]
        n, k = here[0].n, published.EPOCHS
        numbers = (
            ("loss (1/2) sum r^2 at k = 10", [_paper_loss(t, 10) for t in here], known.loss),
            (f"signs flipped at k = {k}", [t.seen["flips"][-1] for t in here], known.flips),
            (f"distance at k = {k}", [t.seen["distance"][-1] for t in here], known.distance),
        )
        claims += [
            _one(f"{what}, n = d = {n}, p = {known.p}", found, number, known.remark)
            for what, found, number in numbers
        ]
    every = [trial for here in trials.values() for trial in here]
    ends = np.array([trial.extremes for trial in every]).T
    low, high = published.LAMBDA_0, published.LAMBDA_MAX
    claims.append(_one("lambda_0, n = d = 1000", ends[0], low))
    return [*claims, _one("lambda_max, n = d = 1000", ends[1], high)]


def _paper_loss(trial: Followed, steps: int) -> float:
    """(1/2) sum r^2 after so many steps."""
    return trial.n * float(np.interp(steps * trial.step, trial.seen["time"], trial.seen["loss"]))


def _one(what: str, found: ArrayLike, number: float, remark: str = "") -> Claim:
    """A claim whose interval is that of one more trial."""
    interval = mean_interval(found, of_one=True)
    return Claim(
        what, *map(float, interval), len(np.asarray(found)), number, published.ONE_TRIAL_SOURCE,
        "; ".join(filter(None, ("the interval is that of one trial", remark))),
    )  # fmt: skip


if __name__ == "__main__":
    main("overparameterized", draw)
