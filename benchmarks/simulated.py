"""Studies whose truth is known, of slices and of planes: trials decided by a coin.

A truth is where P(event) crosses one half, lapse l included, its 10-90 % width in log n, and l:

    P(event | n) = (1 - l) S(S^-1(1 / (2 (1 - l))) + (S^-1(.1) - S^-1(.9)) log(n/n50) / width)

with S(z) falling from 1 to 0: 1/(1 + e^z), the curve that is estimated (statistics/logistic.py), or
another. Where P rises along an axis, n/n50 is turned over.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from jaxflow.core.checks import Array
from jaxflow.core.types import Outcome, Point, Row, Trial
from jaxflow.problems.problem import samples_rung
from jaxflow.sampling.axes import Axes, Horizon
from jaxflow.sampling.plan import rises
from jaxflow.sampling.plane_search import PlaneSearch
from jaxflow.sampling.rounds import Rounds
from jaxflow.sampling.search import Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan

Truth: TypeAlias = tuple[float, float, float]  # n50, width, lapse
Truths: TypeAlias = Callable[[Point], Truth]  # all over a plane

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


def plane(
    plan: ThresholdPlan,
    axes: Axes,
    horizon: Horizon = Horizon(),
    events: Sequence[str] = ("",),
    dynamics: str = "descent",
) -> PlaneSearch:
    """The search of a plane, of which nothing has been tried."""
    slices = [Slice(dynamics, base, plan, horizon) for base in axes.points(plan.along, dynamics)]
    return PlaneSearch(slices, events)


def drive(
    search: Rounds, truth: Truths, seed: int, pick: Callable[[int], int] = lambda size: 0
) -> list[Trial]:
    """Run a search to its end; `pick` chooses which of the trials under way ends next.

    How a trial ends depends on the trial alone.
    """
    ended = []
    search.propose()
    under_way = search.missing
    while under_way:
        trial = under_way.pop(pick(len(under_way)))
        search.tell([row(trial, happens(trial, truth, seed))])
        ended.append(trial)
        under_way += search.propose()
    return ended


def happens(trial: Trial, truth: Truths, seed: int) -> bool:
    """The coin of a trial."""
    place = trial.point.d, trial.point.n, trial.point.p, trial.seed
    chance = np.random.default_rng([seed, *place]).random()
    return bool(chance < proportion(trial.point.n, truth(trial.point)))


BOUNDARIES = ("power", "offset", "kink", "logarithm", "missed")


def boundary_of(kind: str, rng: np.random.Generator) -> Truths:
    """A boundary over p = 10..100 of one kind; the last is a wave, of which no trend knows."""
    a, b, w = np.exp(rng.uniform(2.1, 3.4)), rng.uniform(0.6, 1.3), rng.uniform(-0.5, 0.2)
    kink, phase = rng.uniform(0.3, 0.7), rng.uniform(0, 2 * np.pi)
    width, lapse = np.exp(rng.uniform(np.log(0.08), np.log(0.4))), rng.choice([0, 0.05, 0.15])

    def log_threshold(v: float) -> float:
        p = 10 * 10**v
        return {
            "power": np.log(a * p**b),
            "offset": np.log(a * p**b + 300),
            "kink": np.log(20 * a * 10 ** (b * min(v, kink) + 0.1 * b * max(v - kink, 0))),
            "logarithm": np.log(5 * a * (1 + 2 * np.log(p / 10))),
            "missed": np.log(30 * a) + 0.3 * np.sin(2 * np.pi * 1.2 * v + phase),
        }[kind]

    def truth(point: Point) -> Truth:
        v = np.log10(point.p / 10)
        return float(np.exp(log_threshold(v))), float(width * 10 ** (w * v)), float(lapse)

    return truth
