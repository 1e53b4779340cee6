"""N against the step of descent, and the sharpness training ends with: the edge of stability.

Descent with step h is stable while the sharpness is below 2/h. Where the flow's own sharpness at
the end of training, which grows with n, would pass that, descent stays at 2/h and does not arrive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main, ratio, threshold
from matplotlib.axes import Axes

from jaxflow import plot, report
from jaxflow.papers.weakly_interacting import EXPERIMENT_1_2 as PUBLISHED
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.powers import slope
from jaxflow.statistics.resamples import Interval, bootstrap, mean_interval
from jaxflow.store.store import Store

STUDIES = ("step-size",)
STEP = "dynamics.descent.step"
NEAR = 0.3  # in log n, of the threshold: the trials whose sharpness is averaged
FREE = 0.7  # of 2/step: below it descent ends as sharp as the flow
FEWEST = 100  # samples: above it the sharpness is a power of n
RESAMPLES = 1000
EDGE = plot.Series("black", "", (0, (6, 2)))


Ends = dict[tuple[str, float | None], list[tuple[float, float]]]


@dataclass(frozen=True)
class Sharpness:
    """What recorded trials near the threshold ended with, and the 95 % interval of its mean."""

    values: np.ndarray
    value: float
    low: float
    high: float


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; N and the final sharpness at every step, and where descent leaves the flow."""
    store = stores["step-size"]
    found = report.slices(store)
    (flow,) = [slice for slice in found if slice.kind == "flow"]
    descent = sorted((c for c in found if c.kind == "descent"), key=lambda c: c.place[STEP])
    ends = _ends(store)
    sharpness = [_near(slice, ends) for slice in descent]
    flow_sharpness = _near(flow, ends)
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(6.4, 6.2))
    steps = np.array([slice.place[STEP] for slice in descent])
    edge = _edge(ends, steps)
    _thresholds(top, descent, flow)
    _prediction(top, ends, steps, flow)
    top.legend(loc="lower left")
    _sharpness(bottom, descent, sharpness, flow_sharpness)
    figure.savefig(path)
    plt.close(figure)
    return [
        *_threshold_claims(descent, flow),
        *_edge_claims(descent, flow, edge, _free(ends)),
        *_sharpness_claims(descent, sharpness),
    ]


def _ends(store: Path) -> Ends:
    """(n, sharpness at the end) of every recorded trial, by dynamics and step."""
    found: Ends = {}
    with Store.read(store) as opened:
        for trial, arrays in opened.trajectories():
            step = dict(trial.point.parameters).get(STEP)
            end = (float(trial.point.n), float(arrays["sharpness"][-1]))
            found.setdefault((trial.dynamics, step), []).append(end)
    return found


def _near(slice: SliceReport, ends: Ends) -> Sharpness:
    """Of the recorded trials of a slice at n near its threshold."""
    n, sharpness = np.array(ends[slice.dynamics, slice.place.get(STEP)]).T
    near = sharpness[np.abs(np.log(n / slice.posterior().median)) < NEAR]
    return Sharpness(near, *map(float, mean_interval(near)))


def _free(ends: Ends) -> np.ndarray:
    """Logarithms of n and of the final sharpness, (k, 2), of trials that the step does not hold."""
    found = [
        (n, sharpness)
        for (_, step), here in ends.items()
        for n, sharpness in here
        if n >= FEWEST and (step is None or sharpness * step / 2 < FREE)
    ]
    return np.log(found)


def _edge(ends: Ends, steps: np.ndarray) -> Interval:
    """The n (steps) at which the flow would end with sharpness 2/step, and its 95 % interval.

    By the power of n fitted to the trials that are free of the step, and to resamples of them.
    """

    def crossing(groups: Sequence[np.ndarray]) -> np.ndarray:
        n, sharpness = np.moveaxis(groups[0], -1, 0)
        above = np.log(2 / steps) - sharpness.mean(axis=-1)[..., None]
        return np.exp(n.mean(axis=-1)[..., None] + above / slope(n, sharpness)[..., None])

    return bootstrap([_free(ends)], crossing, resamples=RESAMPLES)


def _prediction(ax: Axes, ends: Ends, steps: np.ndarray, flow: SliceReport) -> None:
    """Where the flow's sharpness passes 2/step, within the n that trials tell of."""
    grid = np.geomspace(steps.min(), steps.max(), 200)
    n, low, high = _edge(ends, grid)
    told = (n > np.exp(_free(ends)[:, 0].min())) & (n < flow.posterior().median)
    label = "flow ends with sharpness 2 / step"
    plot.band(grid[told], n[told], low[told], high[told], ax=ax, series=EDGE, label=label)


def _thresholds(ax: Axes, descent: Sequence[SliceReport], flow: SliceReport) -> None:
    """N against the step, the flow's as a band, and the published one."""
    steps = [slice.place[STEP] for slice in descent]
    posteriors = [slice.posterior() for slice in descent]
    low, high = np.array([p.interval() for p in posteriors]).T
    limits = flow.posterior().interval()
    plot.level(flow.posterior().median, *limits, ax=ax, series=plot.FLOW, label="gradient flow")
    plot.boundary(
        steps, [p.median for p in posteriors], low, high, ax=ax, series=plot.DESCENT,
        label="descent",
    )  # fmt: skip
    label = f"published, step 1 ({PUBLISHED.source})"
    plot.published_points([PUBLISHED.step], [PUBLISHED.threshold], ax=ax, label=label)
    plot.size_axes(ax, steps, [*low, *high, *limits], along=STEP)
    ax.set_xlabel("")
    place = f"$d = {flow.base.d}$, $p = {flow.base.p}$"
    ax.set_title(f"{place}: only at small steps descent goes as far as the flow", loc="left")


def _sharpness(
    ax: Axes, descent: Sequence[SliceReport], found: Sequence[Sharpness], flow: Sharpness
) -> None:
    """Final sharpness times step / 2 near each threshold, with the flow's near its own."""
    steps = np.array([slice.place[STEP] for slice in descent])
    for step, here in zip(steps, found, strict=True):
        scaled = here.values * step / 2
        ax.scatter(np.full(len(scaled), step), scaled, s=6, color=plot.DESCENT.color, alpha=0.35)
    mean, low, high = (
        np.array([getattr(here, name) for here in found]) * steps / 2
        for name in ("value", "low", "high")
    )
    plot.boundary(steps, mean, low, high, ax=ax, series=plot.DESCENT, label="descent, near its $N$")
    grid = np.geomspace(steps.min() / 1.2, steps.max() * 1.2, 50)
    ax.fill_between(
        grid, flow.low * grid / 2, flow.high * grid / 2, color=plot.FLOW.color, alpha=0.18, lw=0
    )
    plot.guide(
        grid, flow.value * grid / 2, ax=ax, series=plot.FLOW, label="gradient flow, near its $N$"
    )
    plot.guide(grid, np.ones_like(grid), ax=ax, series=EDGE, label="edge of stability, 2 / step")
    plot.log_ticks(ax.yaxis, 0.8 * min(low.min(), flow.low * steps.min() / 2), 12)
    ax.set_ylim(0.8 * min(low.min(), flow.low * steps.min() / 2), 12)
    ax.set_xlabel("step of descent (flow time)")
    ax.set_ylabel("final sharpness $\\times$ step / 2")
    ax.set_title("where the flow is sharper than 2 / step, descent cannot follow", loc="left")
    ax.legend(loc="upper left")


def _threshold_claims(descent: Sequence[SliceReport], flow: SliceReport) -> Iterator[Claim]:
    place = f"N({flow.base.d}, {flow.base.p})"
    yield threshold(f"{place}, gradient flow", flow, remark="the true flow, not published")
    for slice in descent:
        is_published = slice.place[STEP] == PUBLISHED.step
        yield threshold(
            f"{place}, descent with step {slice.place[STEP]:g}",
            slice,
            PUBLISHED.threshold if is_published else None,
            PUBLISHED.source if is_published else "",
            "{:.2f} [{:.2f}, {:.2f}] of the flow's".format(*ratio(slice, flow)),
        )


def _edge_claims(
    descent: Sequence[SliceReport],
    flow: SliceReport,
    edge: Interval,
    free: np.ndarray,
) -> Iterator[Claim]:
    """Beside N at every step, the n at which the flow's sharpness is 2/step, where trials tell."""
    least = np.exp(free[:, 0].min())
    for slice, n, low, high in zip(descent, *edge, strict=True):
        if least < n < flow.posterior().median:
            what = f"n at which the flow ends with sharpness 2/step, step {slice.place[STEP]:g}"
            remark = f"to be held against N = {slice.posterior().median:.0f} of descent"
            yield Claim(what, float(n), float(low), float(high), len(free), remark=remark)


def _sharpness_claims(
    descent: Sequence[SliceReport], found: Sequence[Sharpness]
) -> Iterator[Claim]:
    for slice, here in zip(descent, found, strict=True):
        half = slice.place[STEP] / 2
        yield Claim(
            f"final sharpness x step / 2 near N, descent with step {slice.place[STEP]:g}",
            here.value * half,
            here.low * half,
            here.high * half,
            len(here.values),
        )


if __name__ == "__main__":
    main("step_size", draw)
