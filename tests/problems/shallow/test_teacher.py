"""A student beside its teacher, along real trajectories: against float64 NumPy (jaxflow.papers)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import keys_of

from jaxflow.core.types import Point, Recording, Trial
from jaxflow.engine.local import LocalRunner, run_trial
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.recording import check_recording, solve_recorded
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import start, step
from jaxflow.papers.quadratic import matrix_error, procrustes_distance, quadratic_extremes
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.activations import Quadratic, ReLU
from jaxflow.problems.shallow.initialization import GaussianWeights
from jaxflow.problems.shallow.inputs import Gaussian
from jaxflow.problems.shallow.labels import Teacher
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.observables import OF_TEACHER, observe
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw
from jaxflow.study.study import Study

NAMES = tuple(sorted(OF_TEACHER))
STUDENT = Network(Quadratic(), "1", "first")
ONES = GaussianWeights("1/d", "ones")
DESCENT = GradientDescent(0.02)


def problem(rank):
    return ShallowNetwork(Gaussian(), Teacher(rank), STUDENT, ONES)


def weights_of(request, law, sizes):
    """V in NumPy."""
    return np.asarray(law.labels.weights(sizes, request.keys, sizes.d), np.float64)


def states(setting, request):
    """Every state of a descent."""
    begin, advance = jax.jit(lambda o: start(setting, o)), jax.jit(lambda s: step(setting, s))
    state = begin(request)
    found = [state]
    while int(state.reason) == Reason.RUNNING:
        state = advance(state)
        found.append(state)
    return found


def by_hand(W, V, X, y):
    """The observables in NumPy; the Hessian there is that of half the loss here."""
    low, high = quadratic_extremes(W, X, y)
    return {
        "teacher_distance": procrustes_distance(W, V),
        "teacher_error": matrix_error(W, V),
        "quotient_low": 2 * low,
        "quotient_high": 2 * high,
    }


@pytest.mark.parametrize(("rank", "coordinates"), [(1, "ambient"), (3, "ambient"), (3, "span")])
def test_recorded_values_are_those_of_numpy(x64, rank, coordinates):
    """Through the saddle to the teacher, padded; more weights than Lanczos iterations at rank 3."""
    d, n = 24, 200 * rank
    law, shape = problem(rank), Shape(d, n + 40, 8)
    setting = Setting(law, DESCENT, (Certificate(1e-6),), shape, "float64", coordinates)
    plain = Setting(law, DESCENT, (Certificate(1e-6),), Shape(d, n, rank), "float64")
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in (d, n, rank)))
    request = Request(keys_of(0, d, n, rank, 1), sizes, jnp.float64(40.0))
    times = jnp.linspace(0.1, 8.0, 12)
    summary, seen = jax.jit(lambda o: solve_recorded(setting, NAMES, o, jnp.asarray(True), times))(
        request
    )
    assert Reason(int(summary.reason)) is Reason.CERTIFICATE
    V = weights_of(request, law, Sizes(d, n, rank))
    by_time = {round(float(s.time), 6): s for s in states(plain, request)}
    data = by_time[0.0].data
    X, y = np.asarray(data.X), np.asarray(data.y)
    kept = ~np.isnan(seen.times)
    assert np.sum(kept) > 8
    for time, values in zip(seen.times[kept], seen.values[kept], strict=True):
        W = np.asarray(by_time[round(float(time), 6)].theta.W)
        expected, found = by_hand(W, V, X, y), dict(zip(NAMES, map(float, values), strict=True))
        scale = expected["quotient_high"]
        for name in ("teacher_distance", "teacher_error"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(found["quotient_high"], scale, rtol=1e-6)
        low = expected["quotient_low"]
        np.testing.assert_allclose(found["quotient_low"], low, atol=1e-3 * scale)
    first, last = (dict(zip(NAMES, seen.values[kept][i], strict=True)) for i in (0, -1))
    assert first["quotient_low"] < 0 < last["quotient_low"]
    assert last["teacher_error"] < 1e-3 < first["teacher_error"]


@pytest.mark.parametrize(("rank", "p"), [(3, 2), (2, 3)])
def test_the_narrower_of_student_and_teacher_has_zero_rows(x64, rank, p):
    recording = Recording(("teacher_distance", "teacher_error"), times=(0.5,))
    trial = Trial("descent", Point(6, 40, p), 0, 0.01)
    _, found = run_trial(problem(rank), DESCENT, trial, recording, dtype="float64")
    sizes = Sizes(6, 40, p)
    keys = keys_of(0, *sizes, 0)
    V = np.asarray(problem(rank).labels.weights(sizes, keys, 6), float)
    W = np.asarray(draw(problem(rank), keys, sizes, Shape(*sizes), "float64")[1].W)
    W, V = (np.pad(M, ((0, max(rank, p) - len(M)), (0, 0))) for M in (W, V))
    np.testing.assert_allclose(found["teacher_distance"][0], procrustes_distance(W, V), rtol=1e-6)
    np.testing.assert_allclose(found["teacher_error"][0], matrix_error(W, V), rtol=1e-6)


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (ShallowNetwork(network=STUDENT, initialization=ONES), "labels of a quadratic teacher"),
        (
            ShallowNetwork(labels=Teacher(2, ReLU()), network=STUDENT),
            "labels of a quadratic teacher",
        ),
        (ShallowNetwork(labels=Teacher(2), initialization=ONES), "a quadratic student"),
        (ShallowNetwork(labels=Teacher(2), network=STUDENT), "output weights of one"),
    ],
)
def test_trials_without_a_teacher_are_refused(law, expected):
    with pytest.raises(ValueError, match=expected) as caught:
        LocalRunner(law, {"descent": DESCENT}, recording=Recording(NAMES))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("quotient_high: expected")
    check_recording(Recording(("loss",)), law)


def test_a_study_is_refused_and_a_state_too():
    table = {
        "name": "x", "axes": {"d": [4], "p": [2]}, "dynamics": {"flow": {"kind": "flow"}},
        "grid": {"values": [10], "repetitions": 1}, "record": {"observables": ["teacher_error"]},
    }  # fmt: skip
    with pytest.raises(ValueError, match="teacher_error: expected labels of a quadratic teacher"):
        Study.from_table(table)
    sizes, shape = Sizes(4, 8, 2), Shape(4, 8, 2)
    data, theta = draw(problem(2), keys_of(0, *sizes, 0), sizes, shape, "float32")
    with pytest.raises(ValueError, match="a trial with a teacher"):
        observe(("teacher_error",), STUDENT, data, theta, theta, theta)
