"""One trial of a study, run by itself and followed on its way."""

from collections.abc import Mapping

import numpy as np

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.types import SIZES, ParameterValues, Point, Recording, Row, Trial
from jaxflow.engine.local import run_trial
from jaxflow.sampling.axes import concerning
from jaxflow.study.drawing import problem_of
from jaxflow.study.study import Study

POINTS = 96


def follow(
    study: Study, sizes: Mapping[str, int | None], dynamics: str | None = None, seed: int = 0
) -> tuple[Row, dict[str, np.ndarray]]:
    """Run one trial; its row, and its observables by name, arrays (k,) with "time" first.

    `sizes` are d, n and p, where the study does not say which one; `dynamics` its first if None.
    Raises `ValueError` for a point or a dynamics that is not the study's to have.
    """
    name = dynamics or next(iter(study.dynamics))
    if name not in study.dynamics:
        raise unknown_name("dynamics", name, study.dynamics)
    d, n, p = (_size(study, axis, sizes.get(axis)) for axis in SIZES)
    point = Point(d, n, p, _parameters(study, name))
    problem_of(study, Trial(name, point, seed, 1.0))  # which checks it
    events = study.protocol.by_name
    watched = (name for event in events.values() for name in event.observed)
    names = tuple(dict.fromkeys((*watched, *study.problem.followed)))
    pace = study.protocol.outline.dynamics[name]
    horizon = study.horizon.of(name, pace).times(point, name, pace)[-1]
    return run_trial(
        study.problem,
        study.dynamics[name],
        Trial(name, point, seed, horizon),
        study.record or Recording(names, points=POINTS),
        event=events,
        measured=study.measure or (),
        seed=study.seed,
        dtype=study.precision,
    )


def _parameters(study: Study, dynamics: str) -> ParameterValues:
    """The values of the axes that are no sizes; the first of those that the study lists."""
    names = sorted(concerning(study.axes.parameters, dynamics))
    return tuple((name, float(study.axes.values(name)[0])) for name in names)


def _size(study: Study, axis: str, given: int | None) -> int:
    """The size asked for, or the study's only one."""
    if given is not None:
        return given
    known = study.axes.values(axis)
    if len(known) != 1:
        got = f"several, {list(known)}" if known else "none, since the study scans it"
        raise mistake(f"a value of {axis}", got, f"give one with -{axis}")
    return int(known[0])
