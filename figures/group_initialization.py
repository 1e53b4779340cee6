"""Group initialization: the engine on its closed form, the staircase as n grows, and the rates."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes
from scipy.interpolate import CubicHermiteSpline

from jaxflow import Study, plot
from jaxflow.core.types import Row, Trial
from jaxflow.papers.group import GroupFlow, group_flow
from jaxflow.papers.weakly_interacting import GROUP_RATES, SOURCE
from jaxflow.statistics.powers import PowerLaw, power_law
from jaxflow.store.store import Store
from jaxflow.study.drawing import drawn

STUDIES = ("group-initialization", "group-rates")

HIGH = "problem.labels.high"
CLOSED_ONLY = 1e6, 1e12, 1.7e18  # n beyond the engine's; the last as published
LIMIT = 2 * np.log((np.sqrt(10) - 1) / (np.sqrt(10 / 9) - 1))  # of width / t_n times log n
LOOKS = (plot.FLOW, plot.DESCENT, plot.OTHERS[0])


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, how near engine and closed form are, and the exponents of the rates."""
    first, second = (stores[name] for name in STUDIES)
    figure, axes = plt.subplots(1, 3, figsize=(10.2, 3.5))
    staircase(axes[0], first)
    widths(axes[1], second)
    laws = rates(axes[2], second)
    figure.savefig(path)
    plt.close(figure)
    return [*differences(first), equal_labels(second), *exponents(laws)]


def closed_form(n: float, p: int = 2) -> GroupFlow:
    """p groups with D = sqrt(n), 2 sqrt(n), ..., aligned, |w_j| = |a_j| = 1."""
    return GroupFlow(n, 2.0 ** np.arange(p) * np.sqrt(n), np.ones(p), np.ones(p))


def staircase(ax: Axes, folder: Path) -> None:
    """L against t / t_n of the slower group: curves are the closed form, marks the engine."""
    s = np.linspace(0, 1.6, 800)
    seen = [(t, found) for t, found in trajectories(folder) if t.point.p == 2 and alike(t)]
    looks = dict(zip([t.point.n for t, _ in seen], ("o", "s", "^", "D"), strict=False))
    sizes = [*looks, *CLOSED_ONLY]
    for i, n in enumerate(sizes):
        flow = closed_form(n)
        grey = f"{0.72 * (1 - i / (len(sizes) - 1)):.2f}"
        label = f"$n$ = {n:g}" if n < 1e5 else f"$n$ = {plot.tick_label(n)}"
        mark = looks.get(n)
        ax.plot(s, flow.loss(s * flow.transition_times[0]), color=grey, linewidth=1.1)
        ax.plot([], [], color=grey, marker=mark, markerfacecolor="white", ms=4, label=label)
    for trial, found in seen:
        flow = closed_form(trial.point.n)
        at = found["time"] / flow.transition_times[0]
        keep = np.unique(np.searchsorted(at, np.arange(0, 1.6, 0.08)).clip(max=len(at) - 1))
        ax.plot(
            at[keep], found["loss"][keep], looks[trial.point.n], color=plot.FLOW.color,
            markerfacecolor="white", markersize=4, zorder=4,
        )  # fmt: skip
    label = "$n \\to \\infty$"
    ax.step([0, 0.5, 1, 1.6], [2.5, 0.5, 0, 0], ":", where="post", color="0.35", label=label)
    ax.set_xlim(0, 1.6)
    ax.set_ylim(-0.05, 2.65)
    ax.set_xlabel("$t\\,/\\,t_n$, flow time in transition times")
    ax.set_ylabel("loss $L$")
    ax.set_title("two groups, $D = \\sqrt{n}$ and $2\\sqrt{n}$", loc="left", fontsize=9)
    ax.legend(title="curves: closed form\nmarks: engine", title_fontsize=8, loc="upper right")


def widths(ax: Axes, folder: Path) -> None:
    """How long a step lasts over when it comes, one group: the engine on the closed form."""
    n = np.geomspace(10, 1.7e18, 60)
    relative = [float((flow.widths / flow.transition_times)[0]) for flow in map(closed_form_1, n)]
    plot.line(n, relative, ax=ax, series=plot.FLOW, label="closed form")
    plot.line(n, LIMIT / np.log(n), ax=ax, series=plot.PUBLISHED, label=f"{LIMIT:.2f} / log $n$")
    measured = [
        (trial.point.n, step_width(found) / closed_form_1(trial.point.n).transition_times[0])
        for trial, found in trajectories(folder)
        if trial.point.p == 1 and alike(trial)
    ]
    x, y = np.array(measured).T
    plot.points(x, y, y, y, ax=ax, series=plot.FLOW, label="engine")
    plot.power_axes(ax, n, [*relative, *y], along="n", label="width of the step $/\\,t_n$")
    ax.set_xticks(10.0 ** np.arange(2, 19, 4), [f"$10^{{{k}}}$" for k in range(2, 19, 4)])
    ax.set_title("one group: a step narrows like 1/log $n$", loc="left", fontsize=9)
    ax.legend()


def closed_form_1(n: float) -> GroupFlow:
    """One group with D = sqrt(n)."""
    return closed_form(n, 1)


def step_width(found: dict[str, np.ndarray]) -> float:
    """From 10 % to 90 % of the fall of the loss, by the cubic through log L and its slope -mu."""
    t, loss, mu = (found[name] for name in ("time", "loss", "curvature"))
    s = np.linspace(t[0], t[-1], 200_001)
    fallen = 1 - np.exp(CubicHermiteSpline(t, np.log(loss), -mu)(s)) / loss[0]
    begin, end = np.interp([0.1, 0.9], fallen, s)
    return float(end - begin)


def rates(ax: Axes, folder: Path) -> dict[float, PowerLaw]:
    """mu at the end against n by alpha; the laws of the trials with labels of U[1, 2]."""
    found = {}
    for (alpha, here), series in zip(by_alpha(folder).items(), LOOKS, strict=True):
        even = power_law(*measured(row for row in here if alike(row.trial)))
        mixed = power_law(*measured(row for row in here if not alike(row.trial)))
        n = even.x
        plot.line(n, 4 * n**-alpha, ax=ax, series=series)
        plot.points(n, even.mean, even.mean, even.mean, ax=ax, series=series, filled=True)
        label = f"$\\alpha$ = {alpha:g}"
        ends = mixed.mean_low, mixed.mean_high
        plot.points(n, mixed.mean, *ends, ax=ax, series=series, label=label)
        found[alpha] = mixed
    plot.power_axes(
        ax, n, [4 / n[-1], 6.5 * n[0] ** -0.5], along="n", label="final rate $\\mu$ (1 / flow time)"
    )
    title = "lines: $4 n^{-\\alpha}$; filled: equal labels"
    ax.set_title(title, loc="left", fontsize=9)
    ax.legend(loc="lower left")
    return found


def by_alpha(folder: Path) -> dict[float, list[Row]]:
    """The rows of n^(2 alpha - 1) groups."""
    with Store.read(folder) as store:
        rows = store.rows()
    return {
        alpha: [row for row in rows if row.p == round(row.n ** (2 * alpha - 1))]
        for alpha in GROUP_RATES
    }


def measured(rows: Iterator[Row]) -> tuple[list[float], list[float]]:
    """n and the last mu."""
    found = list(rows)
    return [row.n for row in found], [row.curvature for row in found]


def differences(folder: Path) -> Iterator[Claim]:
    """The largest relative differences of engine and closed form along each trajectory."""
    study = Study.load(folder)
    off: dict[str, list[float]] = {"loss": [], "curvature": []}
    for trial, found in trajectories(folder):
        flow = group_flow(*drawn(study, trial))
        for name, errors in off.items():
            closed = getattr(flow, name)(found["time"])
            errors.append(float(np.max(np.abs(found[name] / closed - 1))))
    for name, errors in off.items():
        remark = "largest of all trajectories; the interval is from the best to the worst"
        what = f"group initialization: relative difference of the {name} from the closed form"
        yield Claim(what, max(errors), min(errors), max(errors), len(errors), remark=remark)


def equal_labels(folder: Path) -> Claim:
    """How near the final rates are to 4 n^-alpha where labels have one size."""
    errors = [
        abs(row.curvature * row.n**alpha / 4 - 1)
        for alpha, rows in by_alpha(folder).items()
        for row in rows
        if alike(row.trial)
    ]
    what = "group initialization: relative difference of the final rate from 4 n^-alpha"
    remark = "labels of one size, every alpha; the interval is from the best to the worst"
    return Claim(what, max(errors), min(errors), max(errors), len(errors), remark=remark)


def exponents(laws: dict[float, PowerLaw]) -> Iterator[Claim]:
    """The slopes beside -alpha."""
    for alpha, law in laws.items():
        yield Claim(
            f"group initialization: exponent of the final rate at alpha = {alpha:g}",
            law.exponent,
            law.low,
            law.high,
            law.trials,
            -alpha,
            SOURCE,
            f"labels of U[1, 2], n = {law.x[0]:g} to {law.x[-1]:g}: the slowest of the groups "
            f"decides, which the smallest n feel; over the two largest n it is {_last(law):.3f}",
        )


def _last(law: PowerLaw) -> float:
    """The exponent over the two largest n."""
    return float(np.log(law.mean[-1] / law.mean[-2]) / np.log(law.x[-1] / law.x[-2]))


def trajectories(folder: Path) -> list[tuple[Trial, dict[str, np.ndarray]]]:
    """What was recorded."""
    with Store.read(folder) as store:
        return list(store.trajectories())


def alike(trial: Trial) -> bool:
    """Whether the labels of a group have one size."""
    return trial.point[HIGH] in (1.0, 2**0.5)


if __name__ == "__main__":
    main("group_initialization", draw)
