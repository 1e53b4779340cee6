"""One threshold, one transition, one trial: a study of a single slice, from Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxflow.core.errors import mistake
from jaxflow.core.types import SIZES
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.events import Certificate, Event, Never
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.problem import Problem
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.show.followed import Followed
from jaxflow.show.result import Result
from jaxflow.study.study import Study
from jaxflow.study.trial import follow

TIME = 1000.0  # flow time allowed where nothing is said


def threshold(
    problem: Problem,
    dynamics: Dynamics | Mapping[str, Dynamics] = GradientFlow(),
    *,
    low: float,
    high: float,
    along: str = "n",
    event: Event | Mapping[str, Event] = Certificate(),
    measure: str | Sequence[str] = (),
    time: float | Sequence[float] | None = None,
    steps: int | Sequence[int] | None = None,
    epochs: float | Sequence[float] | None = None,
    relative_half_width: float = 0.05,
    rising: bool | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    quiet: bool = False,
    **place: Any,
) -> Result:
    """Where between `low` and `high` does the probability of the event cross one half?

    `place` are the other coordinates: d, n and p, each a number or a list of them, or parameters of
    the problem by name, as `label_noise=[0, 0.1]`. `along` names what is scanned, a size or a
    parameter. `event` may be several by name, each with a threshold of its own. `rising` says
    whether the event grows likelier along the axis, which must be said of a parameter; else a test
    loss or error does with n, and all else, which is fitted, with d and p. `time` is the flow time
    allowed, or several (1000 if nothing is said); `steps` or `epochs` are those of a descent.
    `measure` names observables that are kept of the end of every trial. The search ends when half
    the 95 % interval over the threshold is below `relative_half_width`. The trials are kept in the
    folder `out`, for which the problem's class must be one that can be imported, or as long as the
    result is; progress is shown unless `quiet`.
    Raises `ValueError` for what the problem does not have, and where it breaks its word.
    """
    plan = ThresholdPlan(low, high, relative_half_width, along=_dotted(along), rising=rising)
    horizon = _horizon(time, steps, epochs)
    found = _study(
        "threshold", problem, dynamics, event, horizon, seed, place, measure, threshold=plan
    )
    return found.run(out, quiet=quiet)


def transition(
    problem: Problem,
    dynamics: Dynamics | Mapping[str, Dynamics] = GradientFlow(),
    *,
    values: Sequence[float],
    trials: int = 100,
    along: str = "n",
    event: Event | Mapping[str, Event] = Certificate(),
    measure: str | Sequence[str] = (),
    time: float | Sequence[float] | None = None,
    steps: int | Sequence[int] | None = None,
    epochs: float | Sequence[float] | None = None,
    rising: bool | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    quiet: bool = False,
    **place: Any,
) -> Result:
    """The probability of the event at these `values` of what is scanned, so many trials at each.

    `proportions()` of the result has them one by one. For the other arguments see `threshold`.
    """
    places = tuple(np.atleast_1d(values).tolist())
    plan = GridPlan(places, trials, along=_dotted(along), rising=rising)
    horizon = _horizon(time, steps, epochs)
    found = _study("transition", problem, dynamics, event, horizon, seed, place, measure, grid=plan)
    return found.run(out, quiet=quiet)


def trial(
    problem: Problem,
    dynamics: Dynamics = GradientFlow(),
    *,
    event: Event | Mapping[str, Event] = Certificate(),
    time: float | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    seed: int = 0,
    number: int = 0,
    **place: Any,
) -> Followed:
    """Trial `number` of a study with that seed, followed on its way: its row and observables.

    `place` are d, n and p, and parameters of the problem. `event` is what it is followed for, or
    several by name, at most for that `time`, or so many `steps` or `epochs` of a descent. `print`
    it, or `.plot("trial.png")`. Raises `ValueError` without an n.
    """
    n = place.pop("n", 1 if "n" in problem.optional else None)
    if n is None:
        raise mistake("a number of samples n", "none", "give it, as n=100")
    horizon, plan = _horizon(time, steps, epochs), GridPlan((n,), 1)
    measure = ("loss",) if isinstance(event, Never) else ()  # a study has an event or measures
    found = _study("trial", problem, dynamics, event, horizon, seed, place, measure, grid=plan)
    sizes = {"n": int(n)} | {name: int(place[name]) for name in ("d", "p") if name in place}
    return Followed(*follow(found, sizes, seed=number))


def _study(
    name: str,
    problem: Problem,
    dynamics: Dynamics | Mapping[str, Dynamics],
    event: Event | Mapping[str, Event],
    horizon: dict[str, Any],
    seed: int,
    place: Mapping[str, Any],
    measure: str | Sequence[str],
    **plan: Any,
) -> Study:
    rules = dict(dynamics) if isinstance(dynamics, Mapping) else {_called(dynamics): dynamics}
    sizes = {axis: x for axis, x in place.items() if axis in SIZES}
    parameters = {_dotted(axis): x for axis, x in place.items() if axis not in SIZES}
    axes: Any = {**sizes, "parameters": parameters}
    key = "events" if isinstance(event, Mapping) else "event"
    asked: Any = {key: event, "horizon": horizon, "measure": measure or None}
    return Study(name, axes, rules, problem, seed=seed, **asked, **plan)


def _horizon(time: Any, steps: Any, epochs: Any) -> dict[str, Any]:
    """What is said, or the usual flow time."""
    said = {"time": time, "steps": steps, "epochs": epochs}
    return {name: x for name, x in said.items() if x is not None} or {"time": TIME}


def _dotted(name: str) -> str:
    """The dotted name of a size, of a parameter of a dynamics, or else of the problem."""
    is_whole = name in SIZES or name.startswith(("problem.", "dynamics."))
    return name if is_whole else f"problem.{name}"


def _called(dynamics: Dynamics) -> str:
    known = {GradientFlow: "flow", GradientDescent: "descent"}
    return known.get(type(dynamics), type(dynamics).__name__.lower())
