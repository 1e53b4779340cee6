"""Threshold studies whose truth is known: trials decided by a coin instead of a flow."""

from collections.abc import Sequence

import numpy as np

from jaxflow.core.types import Outcome, Point, Row, Trial
from jaxflow.problems.problem import samples_rung
from jaxflow.report.slices import SliceReport
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.plan import Plan, rises
from jaxflow.sampling.search import Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.resamples import Measured


def row(
    trial: Trial,
    converged: bool,
    flow_time: float | None = None,
    outcome: Outcome | None = None,
) -> Row:
    """The record of a trial; one that converged took a thousandth of its horizon, unless said."""
    point = trial.point
    if outcome is None:
        outcome = Outcome.CONVERGED if converged else Outcome.UNDECIDED
    if flow_time is None:
        flow_time = trial.horizon / 1000 if converged else trial.horizon
    return Row(
        trial.dynamics, point.d, point.n, point.p, point.parameters, trial.seed, trial.horizon,
        outcome, "", flow_time, 1, 1, 0, 1.0, 0.1, True, 0.0, 0.1, (), (),
        "float32", "cpu", f"N{samples_rung(max(point.n, 1))}", "",
    )  # fmt: skip


def base_point(along: str, d: int = 100, n: int = 100, p: int = 37) -> Point:
    """Where a slice lies that scans an axis: there its coordinate is 0."""
    return Point(d, n, p).moved(along, 0)


def proportion(x, truth, rising: bool = False):
    """P(converged) at x; `truth` is where it crosses one half, its 10-90 % width and its lapse."""
    n50, width, lapse = truth
    slope = 2 * np.log(9) / width * (-1 if rising else 1)
    return (1 - lapse) / (1 + (1 - 2 * lapse) * (np.asarray(x, float) / n50) ** slope)


def measured(x, n50, seed, trials=20, width=0.1) -> Measured:
    """A slice of fixed design: 13 n over three widths of the transition."""
    rng = np.random.default_rng([seed, int(n50)])
    n = np.unique(np.round(n50 * np.exp(np.linspace(-1.5, 1.5, 13) * width)).astype(int))
    converged = rng.binomial(trials, proportion(n, (n50, width, 0.0)))
    tallies = [Tally(int(a), int(c), trials) for a, c in zip(n, converged, strict=True)]
    return Measured(x, tallies, n50 / 4, n50 * 4)


def sizes(values, seed, *, trials=40, exponent=0.5, lapse=0.02, factors=None) -> list[Measured]:
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
        made.append(Measured(size, tallies, n50 / 4, n50 * 4))
    return made


def simulate(plan: ThresholdPlan, truth, seed: int) -> list[Tally]:
    """The tallies of one study."""
    return list(searched(plan, truth, seed).tallies())


def searched(plan: ThresholdPlan, truth, seed: int) -> Search:
    """The search of one study, its rounds as far behind as those of a real one."""
    rng = np.random.default_rng(seed)
    search = Search(Slice("descent", base_point(plan.along), plan, Horizon()))
    while trials := search.propose():
        for trial in trials:
            chance = proportion(trial.point[plan.along], truth, rises(plan))
            search.tell([row(trial, bool(rng.random() < chance))])
    assert search.finished
    return search


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
