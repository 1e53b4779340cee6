"""Why does the edge flow leave descent at large steps? Its thresholds as a flow and in whole steps.

Thresholds of the edge flow (P. Marion, arXiv 2606.18080) over those of descent from the same draws,
at three places: as a flow, by Heun's method, and in whole steps as those of descent are. At the
least steps, where these are next to one, in whole steps alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main, ratio, threshold
from _edge import Steps, by_dynamics, compared
from matplotlib.axes import Axes

from jaxflow import plot, report

PLACES = (
    ("edge-steps-d50",),
    ("edge-steps", "edge-small-steps"),
    ("edge-steps-d100", "edge-small-steps-d100"),
)
STUDIES = tuple(study for place in PLACES for study in place)
LOOKS = {"edge": plot.OTHERS[0], "whole": plot.OTHERS[1]}
NAMES = {"edge": "edge flow", "whole": "edge flow in whole steps"}


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; every threshold, and those of the edge flow over those of descent."""
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.2), sharey=True)
    claims: list[Claim] = []
    for ax, place in zip(axes, PLACES, strict=True):
        found = (report.slices(stores[study], stores.design(study)) for study in place)
        by = by_dynamics(list(chain(*found)))
        _ratios(ax, by)
        claims += _claims(by)
    axes[0].set_ylabel("$N$ over that of descent")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(path)
    plt.close(figure)
    return claims


def _ratios(ax: Axes, by: Mapping[str, Steps]) -> None:
    """N over that of descent, against the step."""
    descent = by["descent"]
    for name, look in LOOKS.items():
        middle, low, high = np.array([ratio(by[name][step], descent[step]) for step in by[name]]).T
        x = np.array(list(by[name])) * {"edge": 0.98, "whole": 1.02}[name]  # side by side
        plot.boundary(x, middle, low, high, ax=ax, series=look, label=NAMES[name])
    ax.axhline(1, color="0.5", linestyle="--", linewidth=0.9)
    ax.set_xscale("log")
    ax.set_xticks(list(descent), [f"{step:g}" for step in descent])
    ax.minorticks_off()
    ax.set_xlabel("step $\\eta$ of descent (flow time)")
    base = next(iter(descent.values())).base
    ax.set_title(f"$d = {base.d}$, $p = {base.p}$", loc="left")


def _claims(by: Mapping[str, Steps]) -> Iterator[Claim]:
    """At every step the threshold of descent, and those of both edge flows beside it."""
    for step, descent in by["descent"].items():
        place = f"N({descent.base.d}, {descent.base.p})"
        yield threshold(f"{place}, descent with step {step:g}", descent)
        for name in (name for name in NAMES if step in by[name]):
            yield from compared(place, step, NAMES[name], by[name][step], descent)


if __name__ == "__main__":
    main("edge_steps", draw)
