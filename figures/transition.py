"""P(converged) at d = 100, p = 37 on the published grid, beside the published proportions."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main, threshold
from _counts import against_count, all_counts
from matplotlib.axes import Axes

from jaxflow import plot, report
from jaxflow.papers.bounds import width_rule
from jaxflow.papers.weakly_interacting import EXPERIMENT_1_0 as PUBLISHED
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import by_point
from jaxflow.statistics.counts import Tally, wilson
from jaxflow.statistics.posterior import Posterior

STUDIES = ("experiment-1.0",)
NAMES = {"descent": "descent, step 1", "flow": "gradient flow"}
ASIDE = 6  # samples that points are drawn apart


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, and every proportion with the threshold beside those published."""
    slices = {slice.dynamics: slice for slice in report.slices(stores["experiment-1.0"])}
    figure, ax = plt.subplots(figsize=(6.4, 4.2))
    plot.phase_axes(ax, (1280, 2150))
    ax.set_xscale("linear")
    _measured(ax, slices["descent"], plot.DESCENT, 0)
    _measured(ax, slices["flow"], plot.FLOW, -ASIDE)
    _published(ax)
    title = "descent with step 1 falls where the flow does"
    ax.set_title(f"$d = {PUBLISHED.d}$, $p = {PUBLISHED.p}$: {title}", loc="left")
    figure.legend(loc="outside lower center", ncols=2)
    figure.savefig(path)
    plt.close(figure)
    return [
        *_threshold_claims(slices),
        *_proportion_claims(slices["descent"]),
        _late(slices["flow"]),
    ]


def _measured(ax: Axes, slice: SliceReport, series: plot.Series, aside: float) -> None:
    n, converged, trials = _counts(slice)
    low, high = wilson(converged, trials)
    label = f"{NAMES[slice.dynamics]}, {trials.min()} trials each"
    plot.proportions(
        n + aside, converged / trials, low, high, trials, ax=ax, series=series, label=label
    )
    grid = np.linspace(*slice.extent, 300)
    plot.band(grid, *slice.posterior().curve(grid), ax=ax, series=series)


def _published(ax: Axes) -> None:
    """Drawn a little to the right, so that intervals can be told apart."""
    n, proportion = np.array(PUBLISHED.proportions).T
    low, high = wilson(np.round(proportion * PUBLISHED.repetitions), PUBLISHED.repetitions)
    label = f"published, descent with step 1, {PUBLISHED.repetitions} trials each"
    label += f" ({PUBLISHED.source})"
    plot.published_points(n + ASIDE, proportion, ax=ax, low=low, high=high, label=label)


def _threshold_claims(slices: Mapping[str, SliceReport]) -> Iterator[Claim]:
    place = f"N({PUBLISHED.d}, {PUBLISHED.p})"
    count = PUBLISHED.repetitions
    known = [Tally(n, round(count * share), count) for n, share in PUBLISHED.proportions]
    theirs = Posterior(known, known[0].x, known[-1].x)
    read = "{:.0f} [{:.0f}, {:.0f}]".format(theirs.median, *theirs.interval())
    control = slices["descent"].published()
    step = "{:.0f} [{:.0f}, {:.0f}]".format(
        control["published_estimator"], *control["published_interval"]
    )
    remark = f"published by a step fitted on the grid, so fitted it is {step}; "
    remark += f"their proportions by our posterior: {read}"
    for name, slice in slices.items():
        is_control = name == "descent"
        yield threshold(
            f"{place}, {NAMES[name]}",
            slice,
            PUBLISHED.threshold if is_control else None,
            PUBLISHED.source if is_control else "",
            remark if is_control else "the true flow, not published",
        )


def _proportion_claims(slice: SliceReport) -> Iterator[Claim]:
    known, p_values = dict(PUBLISHED.proportions), []
    for tally in slice.tallies():
        what = f"P(converged), {NAMES['descent']}, d = {PUBLISHED.d}, p = {PUBLISHED.p}, "
        what += f"n = {tally.x:g}"
        good = round(known[int(tally.x)] * PUBLISHED.repetitions)
        rule = "published with p = 36" if width_rule(int(tally.x), 0.05) == 36 else ""
        claim, p = against_count(what, tally, good, PUBLISHED.repetitions, PUBLISHED.source, rule)
        p_values.append(p)
        yield claim
    yield all_counts("P(converged), experiment 1.0", p_values)


def _late(slice: SliceReport) -> Claim:
    """How near the horizon the flow converges, just below its threshold."""
    found = by_point(slice, width=0)
    i = int(np.searchsorted(found.x, slice.posterior().median)) - 1
    unit = slice.horizon.times(slice.base.moved("n", found.x[i]))[-1]
    median, low, high = (float(v[i]) / unit for v in found.medians)
    what = f"median convergence time of the flow over the horizon, n = {found.x[i]:g}"
    remark = "the threshold is where the time allowed ends"
    return Claim(what, median, low, high, int(found.trials[i]), remark=remark)


def _counts(slice: SliceReport) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n, converged and trials, in increasing order of n."""
    rows = [(tally.x, tally.converged, tally.trials) for tally in slice.tallies()]
    n, converged, trials = np.array(rows).T
    return n, converged, trials


if __name__ == "__main__":
    main("transition", draw)
