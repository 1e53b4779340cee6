"""Studies whose truth is known, and what a store would say of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.simulated import base_point as base_point
from benchmarks.simulated import drive as drive
from benchmarks.simulated import happens as happens
from benchmarks.simulated import plane as plane
from benchmarks.simulated import proportion as proportion
from benchmarks.simulated import row as row
from benchmarks.simulated import searched as searched
from jaxflow.core.types import Point, Row, Trial
from jaxflow.report.slices import SliceReport
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.design import Board
from jaxflow.sampling.plan import Plan
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.curves import Sized
from jaxflow.statistics.posterior import Posterior
from jaxflow.store.store import Store
from jaxflow.study.study import Study


def measured(n50, seed, trials=20, width=0.1) -> Posterior:
    """The threshold of a slice of fixed design: 13 n over three widths of the transition."""
    rng = np.random.default_rng([seed, int(n50)])
    n = np.unique(np.round(n50 * np.exp(np.linspace(-1.5, 1.5, 13) * width)).astype(int))
    converged = rng.binomial(trials, proportion(n, (n50, width, 0.0)))
    tallies = [Tally(int(a), int(c), trials) for a, c in zip(n, converged, strict=True)]
    return Posterior(tallies, n50 / 4, n50 * 4)


def sizes(values, seed, *, trials=40, exponent=0.5, lapse=0.02, factors=None) -> list[Sized]:
    """Slices that collapse at N = 3 L with widths L^-exponent, times a factor at each size.

    The truth of N is that of trials that do not lapse.
    """
    rng, made = np.random.default_rng(seed), []
    for size, factor in zip(
        values, np.ones(len(values)) if factors is None else factors, strict=True
    ):
        n50, width = 3.0 * size, factor * size**-exponent
        n = n50 * np.exp(np.linspace(-1.2, 1.2, 13) * width)
        converged = rng.binomial(trials, (1 - lapse) * proportion(n, (n50, width, 0.0)))
        tallies = [Tally(float(a), int(c), trials) for a, c in zip(n, converged, strict=True)]
        made.append(Sized(size, tallies, n50 / 4, n50 * 4))
    return made


def simulate(plan: ThresholdPlan, truth, seed: int) -> list[Tally]:
    """The tallies of one study."""
    return list(searched(plan, truth, seed).tallies())


def told(
    name: str,
    base: Point,
    plan: Plan,
    horizon: Horizon,
    rows: Sequence[Row] = (),
    kind: str = "flow",
    tells: bool = True,
) -> SliceReport:
    """What a store would say of a slice with these rows, all allowed the horizon they have."""
    allowed = {row.trial: row.horizon for row in rows}
    return SliceReport(
        name, base, plan, horizon, kind=kind, tells_initialization=tells, rows=tuple(rows),
        allowed=allowed,
    )  # fmt: skip


def stored(folder: Path, study: Study, n50: Callable[[Trial], float], seed: int = 0) -> Path:
    """The store of a study whose trials a coin decides: P crosses one half at a trial's n50."""
    rng, trials = np.random.default_rng(seed), []
    design, along = study.design, study.design.along
    board = Board(design, study.protocol.outline)
    while new := board.propose():
        chances = [proportion(trial.point[along], (n50(trial), 0.1, 0.0)) for trial in new]
        heads = rng.random(len(new)) < chances
        board.tell([row(trial, bool(head)) for trial, head in zip(new, heads, strict=True)])
        trials += new
    with Store.open(folder, study.protocol.hash, study.protocol.json) as store:
        store.begin(design.hash, design.json)
        store.ask(design.hash, trials)
        store.insert([ended for search in board.searches for ended in search.ended.values()])
    return folder
