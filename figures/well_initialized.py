"""How wide a network must be for a good initialization: measured, exact, and the union bound."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes

from jaxflow import plot
from jaxflow.papers.bounds import failure_bound, well_initialized_probability, width_rule
from jaxflow.papers.weakly_interacting import SOURCE
from jaxflow.statistics.counts import Tally, wilson
from jaxflow.store.store import Store

STUDIES = ("well-initialized-orthogonal", "well-initialized-sphere")

FAILURE = 0.05  # of the published widths
LOOKS = {"orthogonal": plot.FLOW, "sphere, $d$ = 10": plot.DESCENT}


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, and how often the initialization is good beside papers."""
    found = {name: counts(stores[study]) for name, study in zip(LOOKS, STUDIES, strict=True)}
    sizes = list(found["orthogonal"])
    figure, axes = plt.subplots(1, len(sizes), figsize=(8.4, 3.6), sharey=True, squeeze=False)
    for ax, n in zip(axes[0], sizes, strict=True):
        panel(ax, n, {name: table[n] for name, table in found.items()})
    axes[0, 0].set_ylabel("P(good initialization)")
    axes[0, 0].legend(loc="lower right")
    figure.savefig(path)
    plt.close(figure)
    return list(claims(found))


def counts(folder: Path) -> dict[int, list[Tally]]:
    """By n: of the trials at each p, how many were initialized well."""
    made: dict[int, dict[int, list[bool]]] = {}
    with Store.read(folder) as store:
        for row in store.rows():
            made.setdefault(row.n, {}).setdefault(row.p, []).append(row.well_initialized)
    return {
        n: [Tally(p, sum(good), len(good)) for p, good in sorted(table.items())]
        for n, table in sorted(made.items())
    }


def panel(ax: Axes, n: int, found: dict[str, list[Tally]]) -> None:
    """P(good) against p: what was measured, exact for orthogonal inputs, and its bound."""
    p = np.arange(6, 43)
    exact = well_initialized_probability(n, p)
    ax.plot(p, exact, color="0.3", label="exact, orthogonal")
    bound = 1 - failure_bound(n, p)
    ax.plot(p, bound, color="0.3", linestyle="--", label="bound $1 - n(3/4)^p$")
    for (name, tallies), shift in zip(found.items(), (-0.15, 0.15), strict=True):
        width, good, trials = (
            np.array([getattr(t, k) for t in tallies], float) for k in ("x", "converged", "trials")
        )
        low, high = wilson(good, trials)
        plot.points(width + shift, good / trials, low, high, ax=ax, series=LOOKS[name], label=name)
    rule = width_rule(n, FAILURE)
    ax.axvline(rule, color="0.6", linewidth=0.9, linestyle=":")
    ax.text(rule, 0.5, f" $p(n, {FAILURE:g})$ = {rule}", fontsize=8, ha="right", rotation=90)
    ax.set_xlim(6, 42.5)
    ax.set_ylim(-0.04, 1.04)
    ax.set_xlabel(plot.axis_name("p"))
    ax.set_title(f"$n$ = {n}", loc="left")


def claims(found: dict[str, dict[int, list[Tally]]]) -> Iterator[Claim]:
    """Where P(good) is between, beside the exact value; and that no width is below its bound."""
    for n, tallies in found["orthogonal"].items():
        exact = {t.x: float(well_initialized_probability(n, int(t.x))) for t in tallies}
        middle = min(tallies, key=lambda t: abs(exact[t.x] - 0.5))
        low, high = wilson(middle.converged, middle.trials)
        what = f"P(good initialization), orthogonal, n = {n}, p = {middle.x:g}"
        yield Claim(
            what,
            middle.converged / middle.trials,
            float(low),
            float(high),
            middle.trials,
            round(exact[middle.x], 4),
            "exact, jaxflow.papers",
        )
    for name, table in found.items():
        below = trials = 0
        for n, tallies in table.items():
            for t in tallies:
                below += bool(wilson(t.converged, t.trials)[1] < 1 - failure_bound(n, t.x))
                trials += t.trials
        what = f"widths with P(good) below its union bound, {name.replace('$', '')}"
        yield Claim(what, below, below, below, trials, 0, SOURCE)


if __name__ == "__main__":
    main("well_initialized", draw)
