"""The engine on the two points that need Assumption 1 of arXiv 2502.16977, against their limits."""

import numpy as np
import pytest

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.papers.two_points import TwoPoints
from jaxflow.study.drawing import drawn
from jaxflow.study.study import Study


@pytest.fixture(scope="module")
def study():
    return Study.load("assumption-1-points")


def test_the_flow_ends_where_predicted(study):
    """On both sides of Assumption 1, and within 1e-3 of the output at which the flow parts."""
    outputs = [0.1, 0.5, 0.688, 0.689, 1.0, 1.5, 2.01, 2.1]
    trials = [Trial("flow", Point(2, 2, 2, ((study.design.along, a),)), 0, 1000.0) for a in outputs]
    lanes = Lanes(threads=1)
    with LocalRunner(study.problem, study.dynamics, event=study.event, lanes=lanes) as runner:
        rows = runner.run(trials)
    assert len(runner.programs) == 1
    for row in rows:
        case = TwoPoints(row.point[study.design.along])
        assert (row.outcome is Outcome.CONVERGED) == case.fitted
        assert row.last_loss == pytest.approx(case.final_loss, abs=1e-6)


def test_the_study_has_the_two_points(study):
    case = TwoPoints(0.5)
    point = Point(2, 2, 2, ((study.design.along, 0.5),))
    found = drawn(study, Trial("flow", point, 0, 1.0))
    for array, expected in zip(found, (case.X, case.y, case.W, case.a), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-6)
