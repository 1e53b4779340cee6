"""From which width the proven rate holds: a phase diagram over samples and width."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from _lazy import Followed, followed
from matplotlib.axes import Axes

from jaxflow import Study, papers, plot
from jaxflow.papers import overparameterized as published
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.fitting import Fit, fit
from jaxflow.statistics.forms import POWER
from jaxflow.statistics.posterior import Posterior, Threshold, estimate
from jaxflow.statistics.resamples import Interval, mean_interval
from jaxflow.statistics.scaling import Comparison, compare, thresholds
from jaxflow.statistics.scatter import Thresholds

STUDIES = ("overparameterized-width",)
FOLDS = 20.0  # the rate is judged until its bound is exp(-20), where float32 still tells
DRAWS = 12  # of the kernel at the start

Kept = dict[int, dict[int, list[bool]]]  # by n and width, trial by trial


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, the threshold width at every n, and its growth."""
    folder = stores["overparameterized-width"]
    trials = by_samples(followed(folder, "flow"))
    kept = {n: {p: verdicts(t) for p, t in here.items()} for n, here in trials.items()}
    plan = Study.load(folder).design.plan
    found = {n: estimate(tallies(k), plan.low, plan.high, rising=True) for n, k in kept.items()}
    each = [Posterior(tallies(k), plan.low, plan.high, rising=True) for k in kept.values()]
    growth = compare(thresholds(list(kept), each))
    power = fit(POWER, growth.thresholds)
    figure, axes = plt.subplots(1, 3, figsize=(12.0, 4.2), width_ratios=(1.25, 1, 1))
    _map(axes[0], kept, found)
    lambdas = {n: _lambda_0(here) for n, here in trials.items()}
    _growth(axes[1], found, power, lambdas)
    _start(axes[2], trials)
    one = next(iter(next(iter(trials.values())).values()))
    title = f"Flow of the first layer, $d = {one[0].d}$, {len(one)} trials a slice; 95 % intervals"
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.savefig(path)
    plt.close(figure)
    return [*_thresholds(found, one[0].d), *_exponents(power, growth, lambdas, found)]


def by_samples(trials: dict[int, list[Followed]]) -> dict[int, dict[int, list[Followed]]]:
    """The trials by n and width."""
    found: dict[int, dict[int, list[Followed]]] = {}
    for p, here in trials.items():
        for trial in here:
            found.setdefault(trial.n, {}).setdefault(p, []).append(trial)
    return dict(sorted(found.items()))


def verdicts(trials: Sequence[Followed]) -> list[bool]:
    """Whether each trial's loss is below the bound wherever it was recorded."""
    return [
        papers.keeps_to_lazy_bound(
            trial.seen["time"], trial.seen["loss"], trial.n, trial.extremes[0], folds=FOLDS
        )
        for trial in trials
    ]


def tallies(kept: dict[int, list[bool]]) -> tuple[Tally, ...]:
    """Counts by width."""
    return tuple(Tally(p, sum(k), len(k)) for p, k in sorted(kept.items()))


def _lambda_0(here: dict[int, list[Followed]]) -> Interval:
    return mean_interval([trial.extremes[0] for found in here.values() for trial in found])


def _map(ax: Axes, kept: Kept, found: dict[int, Threshold]) -> None:
    """P(the rate holds) over samples and width, with the threshold."""
    slices = [(n, p, np.mean(k)) for n, here in kept.items() for p, k in here.items()]
    x, y, values = zip(*slices, strict=True)
    plot.heat_map(x, y, values, ax=ax, label="P(loss keeps to the proven rate)")
    look = plot.Series("white", "o", "-")
    plot.boundary(list(found), *_ends(found), ax=ax, series=look, on_map=True, label="one half")
    plot.size_ticks(ax.xaxis, list(kept))
    plot.size_ticks(ax.yaxis, sorted(set(y)))
    ax.set_xlabel(plot.axis_name("n"))
    ax.set_ylabel(plot.axis_name("p"))
    ax.set_title("where the proven rate holds", loc="left")
    ax.legend(loc="lower left", facecolor="0.75", frameon=True, framealpha=0.9)


def _growth(
    ax: Axes, found: dict[int, Threshold], power: Fit, lambdas: dict[int, Interval]
) -> None:
    """Thresholds against n with their power law, and the power that the theorem asks for."""
    n = np.array(list(found))
    widths, low, high = _ends(found)
    grid = np.geomspace(n[0], n[-1], 100)
    plot.points(n, widths, low, high, ax=ax, series=plot.FLOW)
    name = f"$n^{{{power.coefficients[1]:.2f}}}$, fitted"
    plot.band(grid, *power.predict(grid), ax=ax, series=plot.FLOW, label=name)
    proven = papers.lazy_width(n, [lambdas[k].value for k in n], 0.5)
    known = plot.PUBLISHED
    ax.plot(
        n, widths[0] * proven / proven[0], color=known.color, linestyle="--", linewidth=1.0,
        marker=known.marker, markersize=4,
        label="$n^6/\\lambda_0^4$, sufficient,\nfrom the first threshold on",
    )  # fmt: skip
    top = 30 * max(high)
    plot.log_ticks(ax.xaxis, n[0] / 1.2, n[-1] * 1.2)
    plot.size_ticks(ax.xaxis, n.tolist())
    plot.log_ticks(ax.yaxis, min(low) / 1.5, top)
    ax.set_xlim(n[0] / 1.2, n[-1] * 1.2)
    ax.set_ylim(min(low) / 1.5, top)
    ax.set_xlabel(plot.axis_name("n"))
    ax.set_ylabel("threshold width $p$")
    ax.set_title("it grows far slower than is sufficient", loc="left")
    ax.legend(loc="center right")


def _start(ax: Axes, trials: dict[int, dict[int, list[Followed]]]) -> None:
    """lambda_0 of as many random weights as the network has, over the exact one."""
    looks = plot.family(len(trials))
    for (n, here), look in zip(trials.items(), looks, strict=True):
        ratios = [
            [t.sampled_lambda_0(p, i) / t.extremes[0] for i, t in enumerate(found[:DRAWS])]
            for p, found in here.items()
        ]
        plot.points(
            list(here), *mean_interval(np.transpose(ratios)), ax=ax, series=look,
            label=f"$n = {n}$", joined=True,
        )  # fmt: skip
    ax.axhline(0.5, color="0.6", linewidth=0.8, zorder=0)
    ax.annotate(
        "the proven rate", (1, 0.5), xycoords=("axes fraction", "data"),
        xytext=(0, -3), textcoords="offset points", ha="right", va="top", fontsize=8, color="0.35",
    )  # fmt: skip
    widths = sorted({p for here in trials.values() for p in here})
    plot.log_ticks(ax.xaxis, widths[0] / 1.1, widths[-1] * 1.1)
    plot.size_ticks(ax.xaxis, widths)
    ax.set_ylim(0, 1.25)
    ax.set_xlabel(plot.axis_name("p"))
    ax.set_ylabel("$\\lambda_{\\min}$ of the sampled kernel over $\\lambda_0$")
    ax.set_title("the kernel at the start", loc="left")
    ax.legend(loc="upper left", ncols=2)


def _ends(found: dict[int, Threshold]) -> tuple[list[float], list[float], list[float]]:
    every = found.values()
    return [t.n50 for t in every], [t.low for t in every], [t.high for t in every]


def _thresholds(found: dict[int, Threshold], d: int) -> list[Claim]:
    return [
        Claim(f"width from which the rate holds, n = {n}, d = {d}", t.n50, t.low, t.high, t.trials)
        for n, t in found.items()
    ]


def _exponents(
    power: Fit, growth: Comparison, lambdas: dict[int, Interval], found: dict[int, Threshold]
) -> list[Claim]:
    """The exponent of n in the threshold width, and lambda_0 by which the theorem divides."""
    trials = sum(t.trials for t in found.values())
    shape = f"the power holds to {100 * np.expm1(power.holds_to):.0f} %"
    claims = [
        Claim(
            "exponent of n in the threshold width", power.coefficients[1], power.low[1],
            power.high[1], trials, published.EXPONENT, published.SOURCE,
            f"published is sufficient, not necessary; {shape}; {growth.verdict}",
        )
    ]  # fmt: skip
    *_, n0, n1 = found
    data = growth.thresholds
    last = Thresholds(data.x[-2:], data.log_threshold[-2:], data.error[-2:])
    local = fit(POWER, last, scatter=0.0)
    ends = local.coefficients[1], local.low[1], local.high[1]
    last_trials = found[n0].trials + found[n1].trials
    claims.append(Claim(f"the same between n = {n0} and {n1}", *ends, last_trials))
    for n, value in lambdas.items():
        claims.append(Claim(f"lambda_0 at n = {n}", *map(float, value), found[n].trials))
    return claims


if __name__ == "__main__":
    main("overparameterized_width", draw)
