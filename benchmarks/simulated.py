"""Threshold studies whose truth is known: trials decided by a coin instead of a flow.

A truth is where P(event) crosses one half, lapse l included, its 10-90 % width in log n, and l:

    P(event | n) = (1 - l) S(S^-1(1 / (2 (1 - l))) + (S^-1(.1) - S^-1(.9)) log(n/n50) / width)

with S(z) falling from 1 to 0: 1/(1 + e^z), the curve that is estimated (statistics/logistic.py), or
another. Where P rises along an axis, n/n50 is turned over.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from jaxflow.core.checks import Array
from jaxflow.core.types import Outcome, Point, Row, Trial
from jaxflow.problems.problem import samples_rung
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.plan import rises
from jaxflow.sampling.search import Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan

Truth: TypeAlias = tuple[float, float, float]  # n50, width, lapse

SHAPES = {  # S and its inverse
    "logistic": (lambda z: expit(-z), lambda q: -logit(q)),
    "probit": (lambda z: ndtr(-z), lambda q: -ndtri(q)),
    "Gompertz": (lambda z: np.exp(-np.exp(z)), lambda q: np.log(-np.log(q))),
    "Gompertz, mirrored": (lambda z: -np.expm1(-np.exp(-z)), lambda q: -np.log(-np.log1p(-q))),
}


def proportion(x: ArrayLike, truth: Truth, rising: bool = False, shape: str = "logistic") -> Array:
    """P(event) at x; `truth` is where it crosses one half, its 10-90 % width and its lapse."""
    n50, width, lapse = truth
    S, inverse = SHAPES[shape]
    slope = (inverse(0.1) - inverse(0.9)) / width * (-1 if rising else 1)
    z = inverse(1 / (2 * (1 - lapse))) + slope * np.log(np.asarray(x, float) / n50)
    return (1 - lapse) * S(np.clip(z, -600, 600))


def base_point(along: str, d: int = 100, n: int = 100, p: int = 37) -> Point:
    """Where a slice lies that scans an axis: there its coordinate is 0."""
    return Point(d, n, p).moved(along, 0)


def searched(
    plan: ThresholdPlan, truth: Truth, seed: int | np.random.Generator, shape: str = "logistic"
) -> Search:
    """The search of one study, its rounds as far behind as those of a real one."""
    rng = np.random.default_rng(seed)
    search = Search(Slice("descent", base_point(plan.along), plan, Horizon()))
    while trials := search.propose():
        for trial in trials:
            chance = proportion(trial.point[plan.along], truth, rises(plan), shape)
            search.tell([row(trial, bool(rng.random() < chance))])
    assert search.finished
    return search


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
