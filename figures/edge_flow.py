"""Is the published boundary that of the edge flow? Descent, its three equations, and the flow.

Above, thresholds against the step of descent at three places; below, the way of one draw: the loss,
and the sharpness, which descent and its edge flow (P. Marion, arXiv 2606.18080) keep at 2/step; and
what the threshold owes to the least of the oscillation.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main, ratio, threshold
from _edge import Steps, by_dynamics, compared
from matplotlib.axes import Axes

from jaxflow import plot, report
from jaxflow.papers.weakly_interacting import EXPERIMENT_1_2 as PUBLISHED
from jaxflow.report.slices import SliceReport
from jaxflow.store.store import Store

PLACES = "edge-flow-d50", "edge-flow", "edge-flow-d100"
PATH, LEAST = "edge-flow-path", "edge-flow-least"
STUDIES = (*PLACES, PATH, LEAST)
EDGE = plot.OTHERS[0]
LOOKS = {"descent": plot.DESCENT, "edge": EDGE, "flow": plot.FLOW}
NAMES = {"descent": "descent", "edge": "its edge flow", "flow": "gradient flow"}
LIMIT = plot.Series("black", "", (0, (6, 2)))


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; the thresholds of both at every step, and how their times part."""
    figure, axes = plt.subplots(2, 3, figsize=(9.6, 6.2))
    claims: list[Claim] = []
    for ax, study in zip(axes[0], PLACES, strict=True):
        by = by_dynamics(report.slices(stores[study], stores.design(study)))
        _thresholds(ax, by)
        claims += _claims(by)
    axes[0, 0].set_ylabel("threshold $N$")
    _paths(axes[1, 0], axes[1, 1], stores[PATH])
    claims += _least(axes[1, 2], report.slices(stores[LEAST]))
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(path)
    plt.close(figure)
    return claims


def _thresholds(ax: Axes, by: Mapping[str, Steps]) -> None:
    """N against the step, and the flow's N."""
    (flow,) = by["flow"].values()
    limits = flow.posterior().interval()
    plot.level(flow.posterior().median, *limits, ax=ax, series=LOOKS["flow"], label=NAMES["flow"])
    ends = [*limits]
    for name in ("descent", "edge"):
        posteriors = [slice.posterior() for slice in by[name].values()]
        low, high = np.array([posterior.interval() for posterior in posteriors]).T
        x = np.array(list(by[name])) * {"descent": 0.97, "edge": 1.03}[name]  # side by side
        medians = [posterior.median for posterior in posteriors]
        plot.boundary(x, medians, low, high, ax=ax, series=LOOKS[name], label=NAMES[name])
        ends += [*low, *high]
    if (flow.base.d, flow.base.p) == (PUBLISHED.d, PUBLISHED.p):
        label = f"published ({PUBLISHED.source})"
        plot.published_points([PUBLISHED.step], [PUBLISHED.threshold], ax=ax, label=label)
    plot.size_axes(ax, list(by["descent"]), ends, along="dynamics.descent.step")
    ax.set_xlabel("step $\\eta$ of descent (flow time)")
    ax.set_ylabel("")
    ax.set_title(f"$d = {flow.base.d}$, $p = {flow.base.p}$", loc="left")


def _paths(loss: Axes, sharpness: Axes, store: Path) -> None:
    """The first draw's loss and sharpness."""
    n, step = 0, 1.0
    with Store.read(store) as opened:
        for trial, seen in opened.trajectories():
            if trial.seed != 0:
                continue
            n, series = trial.point.n, LOOKS[trial.dynamics]
            plot.line(seen["time"], 2 * n * seen["loss"], ax=loss, series=series)
            plot.line(seen["time"], seen["sharpness"], ax=sharpness, series=series)
    loss.axhline(1, color="0.5", linestyle="--", linewidth=0.9)
    loss.set_yscale("log")
    loss.set_xlabel("flow time")
    loss.set_ylabel("$2 n L$ (of the edge flow at its center)")
    loss.set_title(f"one draw, $n = {n}$, $\\eta = {step:g}$", loc="left")
    plot.guide(sharpness.get_xlim(), [2 / step] * 2, ax=sharpness, series=LIMIT)
    sharpness.text(0.98, 2 / step, "$2/\\eta$", ha="right", va="bottom",
                   transform=sharpness.get_yaxis_transform())  # fmt: skip
    sharpness.set_xlabel("flow time")
    sharpness.set_ylabel("sharpness (flow time$^{-1}$)")


def _least(ax: Axes, slices: Sequence[SliceReport]) -> Iterator[Claim]:
    """N of the edge flow against the least of its oscillation, beside N of descent."""
    by = by_dynamics(slices, "least")
    (descent,) = by["descent"].values()
    limits = descent.posterior().interval()
    plot.level(descent.posterior().median, *limits, ax=ax, series=LOOKS["descent"])
    posteriors = {least: slice.posterior() for least, slice in by["edge"].items()}
    low, high = np.array([posterior.interval() for posterior in posteriors.values()]).T
    medians = [posterior.median for posterior in posteriors.values()]
    plot.boundary(list(posteriors), medians, low, high, ax=ax, series=EDGE)
    ax.set_xscale("log")
    ax.set_xlabel("least magnitude of the oscillation")
    place = f"$d = {descent.base.d}$, $p = {descent.base.p}$, $\\eta = 1$"
    ax.set_title(place, loc="left")
    for least, slice in by["edge"].items():
        what = f"N({descent.base.d}, {descent.base.p}), edge flow with step 1, least {least:g}"
        remark = "{:.3f} [{:.3f}, {:.3f}] of descent's".format(*ratio(slice, descent))
        yield threshold(what, slice, remark=remark)


def _claims(by: Mapping[str, Steps]) -> Iterator[Claim]:
    """Both thresholds at every step, their ratio, and how the times part."""
    (flow,) = by["flow"].values()
    place = f"N({flow.base.d}, {flow.base.p})"
    yield threshold(f"{place}, gradient flow", flow)
    for step, slice in by["descent"].items():
        is_published = (slice.base.d, slice.base.p, step) == (
            PUBLISHED.d,
            PUBLISHED.p,
            PUBLISHED.step,
        )
        known = (PUBLISHED.threshold, PUBLISHED.source) if is_published else (None, "")
        yield threshold(f"{place}, descent with step {step:g}", slice, *known)
        yield from compared(place, step, "edge flow", by["edge"][step], slice)


if __name__ == "__main__":
    main("edge_flow", draw)
