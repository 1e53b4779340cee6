"""The predicted ends against the flow by SciPy."""

import numpy as np
import pytest
from solutions import relu_solution

from jaxflow.papers.two_points import CRITICAL, TwoPoints


@pytest.mark.parametrize(
    ("a_1", "final_loss"),
    [(0.1, 0.25), (0.5, 0.25), (1.0, 0), (1.5, 0), (2.01, 0), (2.1, 0), (-0.5, 0.25), (20.0, 0)],
)
def test_the_flow_ends_where_predicted(a_1, final_loss):
    case = TwoPoints(a_1)
    times = np.linspace(0, 200, 50)
    _, a, losses = relu_solution(case.X, case.y, case.W, case.a, times, 1e-9, 1e-12)
    assert case.final_loss == final_loss
    assert losses[-1] == pytest.approx(final_loss, abs=1e-7)
    assert case.fitted == bool(np.all(a[:, 0] > 0))


@pytest.mark.parametrize("off", [-2e-6, 2e-6])
def test_the_flow_parts_at_the_critical_output(off):
    case = TwoPoints(CRITICAL + off)
    _, _, losses = relu_solution(case.X, case.y, case.W, case.a, [0, 500], 1e-10, 1e-13)
    assert losses[-1] == pytest.approx(case.final_loss, abs=1e-7)
    assert case.fitted == (off > 0)


def test_assumption_1_holds_from_the_norm_of_the_weight_on():
    assert [TwoPoints(a).dominated for a in (0.1, 2.0, 2.0024, 2.0026, 2.1)] == [
        *[False] * 3,
        *[True] * 2,
    ]
