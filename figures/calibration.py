"""Whether thresholds and boundaries are calibrated: posterior masses below the truth, coverage.

Of simulated studies, which `make calibration` runs; read from benchmarks/results/calibration.json.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _common import HERE, Claim, Stores, main
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from jaxflow import plot
from jaxflow.statistics.uniformity import uniformity

STUDIES = ()  # of no store
RESULTS = HERE.parent / "benchmarks" / "results" / "calibration.json"
NAMES = {"n50": "threshold", "width": "width of the transition"}
NOMINAL = 0.95
PLANE = "plane, "  # how the simulators of a boundary begin
DODGE = 0.11  # between simulators at one level


def draw(_: Stores, path: Path) -> Sequence[Claim]:
    """Masses where they have to be uniform, coverage where the truths are others."""
    records = json.loads(RESULTS.read_text())["records"]
    exact = [record for record in records if record["exact"]]
    others = [record for record in records if not record["exact"]]
    figure, (first, second, third, fourth) = plt.subplots(4, 1, figsize=(3.4, 9.8))
    for ax, parameter in ((first, "n50"), (second, "width")):
        _masses([r for r in exact if parameter in r["parameters"]], parameter, ax)
    first.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=7)
    second.set_xlabel("posterior mass below the truth")
    of_planes = [record for record in others if record["simulator"].startswith(PLANE)]
    _coverage([record for record in others if record not in of_planes], "threshold", third)
    _coverage(of_planes, "boundary of a plane", fourth)
    fourth.set_xlabel("nominal level of the interval (%)")
    for ax, below in ((third, -0.16), (fourth, -0.3)):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, below), ncols=2, fontsize=7)
    figure.align_ylabels()
    figure.savefig(path)
    plt.close(figure)
    return [claim for record in records for claim in _claims(record)]


def _masses(records: Sequence[dict[str, Any]], parameter: str, ax: Axes) -> None:
    """The share of studies with less mass, minus that of uniform masses, times sqrt(studies)."""
    for record, series in zip(records, plot.family(len(records)), strict=True):
        found = uniformity(record["parameters"][parameter]["counts"])
        unit = np.sqrt(found.total)
        ax.step(
            found.edges, unit * (found.share - found.edges), where="mid", color=series.color,
            linestyle=series.line, linewidth=1.1, label=record["simulator"],
        )  # fmt: skip
    # in this unit the bands of all are nearly one
    low, high = (unit * (end - found.edges) for end in (found.low, found.high))
    ax.fill_between(found.edges, low, high, color="0.88", linewidth=0, zorder=0)
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=1)
    ax.set_xlim(0, 1)
    ax.set_ylabel(r"$\sqrt{m}$ (share below $-$ uniform)")
    ax.set_title(f"{NAMES[parameter]}, and the 95 % band", loc="left", fontsize=8)


def _coverage(records: Sequence[dict[str, Any]], what: str, ax: Axes) -> None:
    """Coverage minus nominal level, in percent, with Wilson's intervals."""
    for k, (record, series) in enumerate(zip(records, plot.family(len(records)), strict=True)):
        held = record["parameters"]["n50"]["coverage"]
        levels = np.array([float(level) for level in held])
        share, low, high = (100 * (np.array(v) - levels) for v in zip(*held.values(), strict=True))
        x = np.arange(len(levels)) + DODGE * (k - (len(records) - 1) / 2)
        name = record["simulator"].removeprefix(PLANE)
        plot.points(x, share, low, high, ax=ax, series=series, label=name)
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=1)
    ax.set_xticks(range(len(levels)), [f"{100 * level:g}" for level in levels])
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_ylabel("coverage $-$ nominal (%)")
    ax.set_title(f"{what}, truths that are not of the prior", loc="left", fontsize=8)


def _claims(record: dict[str, Any]) -> Iterator[Claim]:
    for parameter, told in record["parameters"].items():
        ours, low, high = told["coverage"]["0.95"]
        what = f"coverage of the 95 % interval, {NAMES[parameter]}, simulated: "
        what += f"{record['simulator']}" + (", truths of the prior" if record["exact"] else "")
        remark = f"test of uniformity: p = {told['p_value']:.2g}"
        remark += "" if record["exact"] else ", which need not be"
        remark += "; held more often" if low > NOMINAL else ""
        remark += "; held less often" if high < NOMINAL else ""
        yield Claim(what, ours, low, high, record["studies"], NOMINAL, "nominal", remark)


if __name__ == "__main__":
    main("calibration", draw)
