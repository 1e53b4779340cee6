"""Is the published boundary that of the edge flow? Descent, its three equations, and the flow.

Above, thresholds against the step of descent at three places; below, the way of one draw: the loss,
and the sharpness, which descent and its edge flow (P. Marion, arXiv 2606.18080) keep at 2/step.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main, ratio
from matplotlib.axes import Axes

from jaxflow import Outcome, plot, report
from jaxflow.papers.weakly_interacting import EXPERIMENT_1_2 as PUBLISHED
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.resamples import bootstrap
from jaxflow.store.store import Store

PLACES = "edge-flow-d50", "edge-flow", "edge-flow-d100"
PATH = "edge-flow-path"
STUDIES = (*PLACES, PATH)
EDGE = plot.OTHERS[0]
LOOKS = {"descent": plot.DESCENT, "edge": EDGE, "flow": plot.FLOW}
NAMES = {"descent": "descent", "edge": "its edge flow", "flow": "gradient flow"}
LIMIT = plot.Series("black", "", (0, (6, 2)))
FEWEST = 5  # pairs of trials that tell how times part
Steps = dict[float, SliceReport]


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; the thresholds of both at every step, and how their times part."""
    figure, axes = plt.subplots(2, 3, figsize=(9.6, 6.2))
    claims: list[Claim] = []
    for ax, study in zip(axes[0], PLACES, strict=True):
        by = _by_dynamics(report.slices(stores[study]))
        _thresholds(ax, by)
        claims += _claims(by)
    axes[0, 0].set_ylabel("threshold $N$")
    _paths(axes[1], stores[PATH])
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(path)
    plt.close(figure)
    return claims


def _by_dynamics(slices: Sequence[SliceReport]) -> dict[str, Steps]:
    """Slices by dynamics and step; the flow's step is 0."""
    found: dict[str, Steps] = {}
    for slice in slices:
        step = slice.place.get(f"dynamics.{slice.dynamics}.step", 0.0)
        found.setdefault(slice.dynamics, {})[step] = slice
    return {name: dict(sorted(by.items())) for name, by in found.items()}


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


def _paths(axes: Sequence[Axes], store: Path) -> None:
    """The first draw's loss and sharpness, and the time at which every draw arrives."""
    loss, sharpness, arrival = axes
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
    by = _by_dynamics(report.slices(store))
    (descent,), (edge,) = (by[name].values() for name in ("descent", "edge"))
    times = np.array(_pairs(descent, edge))
    ends = np.array([0.9 * times.min(), 1.1 * times.max()])
    arrival.plot(ends, ends, color="0.5", linestyle="--", linewidth=0.9)
    arrival.plot(*times.T, EDGE.marker, color=EDGE.color)
    arrival.set_xlabel("time of descent to $2 n L = 1$")
    arrival.set_ylabel("time of its edge flow")
    arrival.set_title("every draw", loc="left")


def _pairs(descent: SliceReport, edge: SliceReport) -> list[tuple[float, float]]:
    """Times to the event of the draws that both were given and both brought there."""
    arrived = [
        {(row.n, row.seed): row.flow_time for row in slice.rows if row.outcome is Outcome.CONVERGED}
        for slice in (descent, edge)
    ]
    return [(arrived[0][key], arrived[1][key]) for key in arrived[0].keys() & arrived[1].keys()]


def _claims(by: Mapping[str, Steps]) -> Iterator[Claim]:
    """Both thresholds at every step, that of the edge flow beside that of descent."""
    (flow,) = by["flow"].values()
    place = f"N({flow.base.d}, {flow.base.p})"
    yield _claim(f"{place}, gradient flow", flow)
    for step, slice in by["descent"].items():
        is_published = (slice.base.d, slice.base.p, step) == (
            PUBLISHED.d,
            PUBLISHED.p,
            PUBLISHED.step,
        )
        known = (PUBLISHED.threshold, PUBLISHED.source) if is_published else (None, "")
        yield _claim(f"{place}, descent with step {step:g}", slice, *known)
        edge = by["edge"][step]
        remark = "{:.3f} [{:.3f}, {:.3f}] of descent's".format(*ratio(edge, slice))
        known = slice.posterior().median, "descent here, the same draws"
        yield _claim(f"{place}, edge flow with step {step:g}", edge, *known, remark)
        pairs = _pairs(slice, edge)
        if len(pairs) >= FEWEST:
            parted = [np.abs(np.log([edge / descent for descent, edge in pairs]))]
            found = map(float, bootstrap(parted, lambda groups: np.median(groups[0], axis=-1)))
            what = f"{place}, step {step:g}: median relative difference of the times to the event"
            yield Claim(what, *found, len(pairs))


def _claim(
    what: str, slice: SliceReport, known: float | None = None, source: str = "", remark: str = ""
) -> Claim:
    posterior = slice.posterior()
    found = posterior.median, *posterior.interval()
    return Claim(what, *found, len(slice.rows), known, source, remark)


if __name__ == "__main__":
    main("edge_flow", draw)
