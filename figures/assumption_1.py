"""What Assumption 1, |a_j| >= |w_j|, is for: P(converged) against the ratio, and two points."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes

from jaxflow import plot
from jaxflow.core.types import Outcome, Row
from jaxflow.papers.bounds import well_initialized_probability
from jaxflow.papers.two_points import CRITICAL, TwoPoints
from jaxflow.papers.weakly_interacting import SOURCE
from jaxflow.statistics.counts import wilson
from jaxflow.store.store import Store

STUDIES = ("assumption-1", "assumption-1-points")

RATIO = "problem.initialization.ratio"
OUTPUT = "problem.initialization.a.0"
LOOKS = (plot.FLOW, plot.DESCENT, plot.OTHERS[0])


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure; the proportions where the assumption holds; where the two points part."""
    rows, points = (read(stores[name]) for name in STUDIES)
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.7), width_ratios=(1.25, 1))
    against_ratio(axes[0], rows)
    two_points(axes[1], stores[STUDIES[1]])
    figure.savefig(path)
    plt.close(figure)
    return [*proportions(rows), *beside_exact(rows), *ends(points)]


def read(folder: Path) -> list[Row]:
    """All rows."""
    with Store.read(folder) as store:
        return store.rows()


def against_ratio(ax: Axes, rows: Sequence[Row]) -> None:
    """P(converged) for several widths, with P(good initialization)."""
    n = rows[0].n
    for series, p in zip(LOOKS, sorted({row.p for row in rows}), strict=False):
        ratios, converged, trials = count(row for row in rows if row.p == p)
        low, high = wilson(converged, trials)
        plot.line(ratios, converged / trials, ax=ax, series=series)
        mean = converged / trials
        plot.points(ratios, mean, low, high, ax=ax, series=series, label=f"$p$ = {p}")
        good = float(well_initialized_probability(n, p))
        ax.axhline(good, color=series.color, linewidth=0.8, linestyle=":")
    ax.axvline(1, color="0.6", linewidth=0.9)
    ax.text(1.03, 0.03, "Assumption 1 holds", fontsize=8, va="bottom")
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel("ratio $|a_j|\\,/\\,|w_j|$ at the start")
    ax.set_ylabel("P(converged)")
    title = f"orthogonal data, $n$ = {n}; dotted: P(good initialization)"
    ax.set_title(title, loc="left", fontsize=9)
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.53))


def count(rows: Iterator[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratios, converged and trials, all (k,)."""
    found: dict[float, list[bool]] = {}
    for row in rows:
        found.setdefault(row.point[RATIO], []).append(row.outcome is Outcome.CONVERGED)
    ratios = sorted(found)
    return (
        np.array(ratios),
        np.array([sum(found[x]) for x in ratios]),
        np.array([len(found[x]) for x in ratios]),
    )


def two_points(ax: Axes, folder: Path) -> None:
    """L over time for every first output a_1, with the limits that are predicted."""
    with Store.read(folder) as store:
        for trial, seen in store.trajectories():
            a_1 = trial.point[OUTPUT]
            fitted = TwoPoints(a_1).fitted
            series = plot.FLOW if fitted else plot.DESCENT
            time, loss = seen["time"][1:], seen["loss"][1:]
            ax.plot(time, loss, color=series.color, linestyle=series.line, linewidth=1.0)
    ax.axhline(0.25, color="0.4", linestyle=":", linewidth=0.9)
    for series, label in (
        (plot.DESCENT, f"$a_1 <$ {CRITICAL:.4f}: stuck at 1/4"),
        (plot.FLOW, "above: fitted"),
    ):
        ax.plot([], [], color=series.color, linestyle=series.line, label=label)
    plot.log_ticks(ax.xaxis, 0.05, 1000)
    ax.set_xlim(0.05, 1000)
    ax.set_ylim(-0.02, 0.72)
    ax.set_xlabel("flow time $t$")
    ax.set_ylabel("loss $L$")
    ax.set_title("two points, by the first output $a_1$", loc="left", fontsize=9)
    ax.legend(loc="upper right")


def proportions(rows: Sequence[Row]) -> Iterator[Claim]:
    """P(converged | good initialization) where the assumption holds, and well below."""
    good = [row for row in rows if row.well_initialized]
    for what, inside in (
        ("ratio = 1", [row for row in good if row.point[RATIO] == 1]),
        ("ratio = 0.1", [row for row in good if row.point[RATIO] == 0.1]),
    ):
        converged = sum(row.outcome is Outcome.CONVERGED for row in inside)
        low, high = wilson(converged, len(inside))
        holds = what == "ratio = 1"
        yield Claim(
            f"P(converged | good initialization), orthogonal, {what}",
            converged / len(inside),
            float(low),
            float(high),
            len(inside),
            1.0 if holds else None,
            SOURCE if holds else "",
            "" if holds else "Assumption 1 does not hold: outputs change their signs",
        )


def beside_exact(rows: Sequence[Row]) -> Iterator[Claim]:
    """P(converged) where |a_j| = |w_j|, beside the probability of a good initialization."""
    for p in sorted({row.p for row in rows}):
        inside = [row for row in rows if row.p == p and row.point[RATIO] == 1]
        converged = sum(row.outcome is Outcome.CONVERGED for row in inside)
        low, high = wilson(converged, len(inside))
        exact = round(float(well_initialized_probability(rows[0].n, p)), 4)
        what = f"P(converged), orthogonal, n = {rows[0].n}, p = {p}, ratio = 1"
        share = converged / len(inside)
        source = "exact P(good initialization)"
        yield Claim(what, share, float(low), float(high), len(inside), exact, source)


def ends(rows: Sequence[Row]) -> Iterator[Claim]:
    """The first output at which the flow of the two points parts, and wrong ends."""
    fitted = {row.point[OUTPUT]: row.outcome is Outcome.CONVERGED for row in rows}
    low = max(a for a, converged in fitted.items() if not converged)
    high = min(a for a, converged in fitted.items() if converged)
    what = "two points: first output at which the flow parts"
    remark = "the interval is between the last stuck and the first fitted; not published"
    yield Claim(what, (low + high) / 2, low, high, len(rows), CRITICAL, "SciPy", remark)
    wrong = sum(converged != TwoPoints(a).fitted for a, converged in fitted.items())
    yield Claim("two points: ends other than predicted", wrong, wrong, wrong, len(rows), 0)


if __name__ == "__main__":
    main("assumption_1", draw)
