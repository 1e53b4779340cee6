"""The studies of quadratic networks against a loop in NumPy of the descent that they stand for."""

import numpy as np
import pytest
from problems import keys_of

from jaxflow.core.types import Point, Recording, Trial
from jaxflow.engine.local import run_trial
from jaxflow.flow.events import Certificate
from jaxflow.papers.quadratic import matrix_error
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.shallow_network import draw
from jaxflow.study.study import Study


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("r", [1, 2, 5])
def test_three_thousand_steps_of_half_the_size(r, small):
    """And every trial is recorded, with the student as wide as its teacher."""
    study = Study.load(f"quadratic-recovery-r{r}", small=small)
    step = study.dynamics["descent"].step
    assert step == pytest.approx(0.1 / np.sqrt(r) / 2, rel=1e-5)
    assert study.horizon.time[0] / step == pytest.approx(3000, rel=1e-5)
    assert study.axes.p == (study.problem.labels.rank,) == (r,)
    assert study.record.trials == study.grid.repetitions


def test_the_descent_is_that_of_the_loss_of_a_quarter():
    """theta - 0.1/sqrt(r) grad of (1/4m) sum e^2, by hand in float64, for 60 steps."""
    d, r, m = 20, 2, 400
    study = Study.load("quadratic-recovery-r2")
    keys, sizes = keys_of(0, d, m, r, 0), Sizes(d, m, r)
    data, theta = draw(study.problem, keys, sizes, Shape(*sizes), "float32")
    V = np.asarray(study.problem.labels.weights(sizes, keys, d), float)
    X, W = np.asarray(data.X, float), np.asarray(theta.W, float)
    np.testing.assert_array_equal(theta.a, 1)
    y = np.sum((X @ V.T) ** 2, axis=1)
    errors = [matrix_error(W, V)]
    for _ in range(60):
        e = np.sum((X @ W.T) ** 2, axis=1) - y
        W = W - 0.1 / np.sqrt(r) * (W @ X.T * e @ X) / m
        errors.append(matrix_error(W, V))
    descent = study.dynamics["descent"]
    times = tuple(descent.step * (np.arange(1, 61) - 0.5))
    _, found = run_trial(
        study.problem,
        descent,
        Trial("descent", Point(d, m, r), 0, 60 * descent.step),
        Recording(("teacher_error",), times=times),
        event=Certificate(1e-12),
    )
    np.testing.assert_allclose(found["teacher_error"], errors, rtol=1e-3)
    assert errors[-1] < 0.3 * errors[0]


def test_the_path_has_ten_samples_an_unknown():
    study = Study.load("quadratic-path", small=True)
    assert {slice.plan.values for slice in study.slices()} == {(20 * d,) for d in study.axes.d}
    assert study.record.trials == study.grid.repetitions
