"""The engine's trajectories from group initialization against the closed form."""

import numpy as np
import pytest

from jaxflow.core.types import Outcome, Point, Recording, Trial
from jaxflow.engine.local import run_trial
from jaxflow.papers.group import group_flow
from jaxflow.study.drawing import drawn
from jaxflow.study.study import Study

ACCURACY = 1e-5  # of L and mu, relative, all along
HIGH = "problem.labels.high"


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("coordinates", ["orthogonal", "span"])
@pytest.mark.parametrize(("n", "p", "high"), [(64, 2, 2**0.5), (61, 4, 8**0.5)])
def test_the_engine_follows_the_closed_form(coordinates, n, p, high):
    """Labels alike in a group, where neurons start aligned, and not; groups of unequal sizes."""
    study = Study.load("group-initialization")
    scale = study.design.along
    point = Point(64, n, p, ((scale, 1.0), (HIGH, high)))
    trial = Trial("flow", point, 3, study.horizon.times(point)[-1])
    row, seen = run_trial(
        study.problem,
        study.dynamics["flow"],
        trial,
        Recording(("loss", "curvature"), points=60),
        event=study.event,
        dtype="float64",
        coordinates=coordinates,
    )
    closed = group_flow(*drawn(study, trial))
    assert row.outcome is Outcome.CONVERGED
    assert len(seen["time"]) > 20
    assert np.all((closed.c0 < 0.99) == (high > 2))
    np.testing.assert_allclose(seen["loss"], closed.loss(seen["time"]), rtol=ACCURACY)
    np.testing.assert_allclose(seen["curvature"], closed.curvature(seen["time"]), rtol=ACCURACY)


def test_two_groups_have_the_published_sums():
    study = Study.load("group-initialization")
    point = Point(100, 100, 2, ((HIGH, 2**0.5), (study.design.along, 1.0)))
    flow = group_flow(*drawn(study, Trial("flow", point, 0, 1.0)))
    np.testing.assert_allclose(flow.D, [10, 20], rtol=1e-6)
