"""The width that activations need on orthogonal data: two leaky neurons, or like log n."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes
from scipy.optimize import brentq

from jaxflow import plot
from jaxflow.papers.bounds import well_initialized_probability
from jaxflow.papers.weakly_interacting import SOURCE
from jaxflow.report.slices import SliceReport, slices
from jaxflow.statistics.counts import Tally, wilson

STUDIES = ("activation-leaky", "activation-monomial")

LEAK, BETA = "problem.network.activation.leak", "problem.network.activation.beta"
FEWEST = 8  # trials
LOOKS = (plot.FLOW, plot.DESCENT, *plot.OTHERS)


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; the width at the largest n beside the exact one of the ReLU, and its growth."""
    leaky, monomial = (slices(stores[study]) for study in STUDIES)
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.8))
    panel(axes[0], leaky, LEAK, "leak")
    panel(axes[1], monomial, BETA, "$\\beta$")
    axes[0].set_title("leaky ReLU: two neurons suffice", loc="left")
    axes[1].set_title("$\\max(z, 0)^\\beta$: a good initialization up to $\\beta = 2$", loc="left")
    axes[1].set_ylabel("")
    axes[0].legend(loc="center right", bbox_to_anchor=(1, 0.6))
    axes[1].legend(loc="lower right")
    figure.savefig(path)
    plt.close(figure)
    return [*claims(leaky, LEAK, "leak"), *claims(monomial, BETA, "beta")]


def panel(ax: Axes, found: Sequence[SliceReport], name: str, symbol: str) -> None:
    """The threshold width against n for every value of a parameter, beside that of a good
    initialization.

    An arrow stands at the least width of some trials where most converge even there.
    """
    sizes = sorted({slice.base.n for slice in found})
    values = sorted({slice.place[name] for slice in found})
    ends = []
    for x, series in zip(values, LOOKS, strict=False):
        here = sorted((c for c in found if c.place[name] == x), key=lambda slice: slice.base.n)
        inside = [slice for slice in here if not slice.as_dict()["at_edge"]]
        beyond = [slice for slice in here if slice not in inside]
        label = f"{symbol} = {x:g}"
        if inside:
            low, high = zip(*(slice.posterior().interval() for slice in inside), strict=True)
            width = [slice.posterior().median for slice in inside]
            places = [slice.base.n for slice in inside]
            plot.boundary(places, width, low, high, ax=ax, series=series, label=label)
            ends += [*low, *high]
        for slice in beyond:
            shift, least = 1.05 ** values.index(x), narrowest(slice).x
            ax.scatter(
                slice.base.n * shift, least, marker="v", s=30, color=series.color,
                label=f"{label}: {least:g} suffice" if slice is beyond[0] else None,
            )  # fmt: skip
            ends += [least]
    grid = np.geomspace(sizes[0], sizes[-1], 50)
    exact = [width_of_good_start(round(n)) for n in grid]
    label = "P(good initialization) = 1/2, exact"
    plot.guide(grid, exact, ax=ax, series=plot.PUBLISHED, label=label)
    plot.size_axes(ax, sizes, [*ends, *exact], along="n")
    ax.set_xlim(None, ax.get_xlim()[1] * 1.05 ** len(values))  # for the arrows
    ax.set_ylabel("width $p$ at which half converge")


def narrowest(slice: SliceReport) -> Tally:
    """The trials at the least width that had some."""
    return next(tally for tally in slice.tallies() if tally.trials >= FEWEST)


def width_of_good_start(n: int) -> float:
    """The width at which P(good initialization) = 1/2 for the ReLU, between whole p by a line."""
    p = np.arange(1, 65)
    good = well_initialized_probability(n, p)
    return float(brentq(lambda x: np.interp(x, p, good) - 0.5, 1, 64))


def claims(found: Sequence[SliceReport], name: str, symbol: str) -> Iterator[Claim]:
    """At the largest n, every value of the parameter."""
    largest = max(slice.base.n for slice in found)
    exact = round(width_of_good_start(largest), 2)
    for slice in (slice for slice in found if slice.base.n == largest):
        told, place = slice.as_dict(), f"{symbol} = {slice.place[name]:g}, n = {largest}"
        if told["at_edge"]:
            least = narrowest(slice)
            ends = map(float, wilson(least.converged, least.trials))
            share = least.converged / least.trials
            remark = "a constant number of neurons suffices"
            what = f"P(converged) at width {least.x:g}, {place}"
            yield Claim(what, share, *ends, least.trials, None, SOURCE, remark)
        else:
            ends = told["low"], told["high"]
            what = f"width at which half converge, {place}"
            is_blind = name != LEAK or slice.place[name] == 0  # to samples of no active neuron
            known = (exact, "exact P(good initialization) = 1/2") if is_blind else (None, SOURCE)
            yield Claim(what, told["n50"], *ends, told["trials"], *known)


if __name__ == "__main__":
    main("activations", draw)
