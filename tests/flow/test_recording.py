"""Trials that are observed: the same trials, seen at the ends of their own steps."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import keys_of

from jaxflow.core.types import Outcome, Point, Recording, Trial
from jaxflow.engine.local import LocalRunner, run_trial
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.recording import solve_recorded
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import start, step
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

FLOW = GradientFlow()
TRIALS = [Trial("flow", Point(10, 30, 24), seed, 150.0) for seed in range(3)]
MAJOR = Lanes("map", width=1, threads=1, coordinates="ambient")
RECORDING = Recording(("loss", "curvature", "flips", "balancedness"), trials=2, points=12)


def runner(recording=None):
    return LocalRunner(
        ShallowNetwork(), {"flow": FLOW}, event=Certificate(1.0), lanes=MAJOR, recording=recording
    )


@pytest.fixture(scope="module")
def unobserved():
    """The rows of the trials, of which nothing is recorded."""
    with runner() as plain:
        return plain.run(TRIALS)


def assert_same(rows, expected):
    """The drift is summed over the entries of W by whichever kernel its program has."""
    for row, other in zip(rows, expected, strict=True):
        assert row.balancedness_drift == pytest.approx(other.balancedness_drift, rel=1e-5)
        assert replace(row, balancedness_drift=other.balancedness_drift) == other


def test_an_observed_trial_has_the_row_of_one_that_is_not(unobserved):
    """Every column bit for bit (true of this compiler on a CPU), but a sum at the end."""
    with runner(RECORDING) as watching:
        rows = watching.run(TRIALS)
        trajectories = watching.trajectories(rows)
    assert_same(rows, unobserved)
    assert sorted(trajectories) == TRIALS[:2]
    for row in rows[:2]:
        seen = trajectories[row.trial]
        assert list(seen) == ["time", *RECORDING.observables]
        assert len({len(column) for column in seen.values()}) == 1
        np.testing.assert_allclose(seen["loss"][[0, -1]], (row.first_loss, row.last_loss), 1e-6)
        np.testing.assert_allclose(seen["curvature"][-1], row.curvature, 1e-5)
        np.testing.assert_allclose(seen["balancedness"][-1], row.balancedness_drift, 1e-5)
        assert seen["flips"][0] == seen["time"][0] == 0
        assert np.all(np.diff(seen["loss"]) < 0)
        assert np.all(seen["balancedness"] < 0.1)


def states(state, advance):
    """The states after every accepted step, the first one included, by the number of steps."""
    found = {0: state}
    while int(state.reason) == Reason.RUNNING:
        state = advance(state)
        found.setdefault(int(state.steps), state)  # not the ones after a rejection
    return found


@pytest.mark.parametrize(
    ("dynamics", "outcomes"),
    [
        (GradientDescent(0.5), {150.0: Reason.CERTIFICATE, 20.0: Reason.HORIZON}),
        (GradientFlow("Heun", 0.01, 0.001, max_steps=3), {150.0: Reason.BUDGET}),
    ],
)
def test_what_is_seen_are_ends_of_steps_at_or_after_the_times(dynamics, outcomes):
    """One row for the first accepted step at or after a time, whatever else it passes.

    Heun's third step is rejected, so that it ends where it was seen or would have been.
    """
    times = np.array([0.02, 0.2, 0.21, 0.22, 3.0, 3.1, 8.0, 1e6], np.float32)
    setting = Setting(ShallowNetwork(), dynamics, (Certificate(1.0),), Shape(10, 32, 24), "float32")
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in (10, 30, 24)))
    requests = {T: Request(keys_of(0, 10, 30, 24, 1), sizes, jnp.float32(T)) for T in outcomes}
    watch = jax.jit(lambda request, live: solve_recorded(setting, ("loss",), request, live, times))
    begin = jax.jit(lambda request: start(setting, request))
    advance = jax.jit(lambda state: step(setting, state))
    for horizon, request in requests.items():
        summary, seen = watch(request, True)
        assert Reason(int(summary.reason)) is outcomes[horizon]
        assert int(summary.rejections) == (outcomes[horizon] is Reason.BUDGET)
        by_steps = states(begin(request), advance)
        after = {min((s for s in by_steps if by_steps[s].time >= t), default=0) for t in times}
        expected = [by_steps[s] for s in sorted(after | {0, int(summary.steps)})]
        kept = ~np.isnan(seen.times)
        assert np.all(kept == (np.arange(len(times) + 2) < len(expected)))
        np.testing.assert_allclose(seen.times[kept], [float(s.time) for s in expected], 1e-5)
        np.testing.assert_allclose(seen.values[kept, 0], [float(s.loss) for s in expected], 1e-4)
    summary, seen = watch(request, False)
    assert int(summary.reason) == Reason.IDLE
    assert np.all(np.isnan(seen.times))


def test_the_bounds_hold_along_orthogonal_trajectories():
    """curvature_low <= mu <= curvature_high, and the same of the kernel; violations counted."""
    names = ("curvature_low", "kernel_low", "curvature", "kernel_high", "curvature_high")
    lanes = Lanes("map", width=1, threads=1, coordinates="orthogonal")
    recording, problem = Recording(names, trials=4), ShallowNetwork(Orthogonal())
    trials = [Trial("flow", Point(60, 60, 24), seed, 300.0) for seed in range(4)]
    with LocalRunner(problem, {"flow": FLOW}, lanes=lanes, recording=recording) as watching:
        rows = watching.run(trials)
        found = watching.trajectories(rows).values()
    assert {row.outcome for row in rows} == {Outcome.CONVERGED}
    low, kernel_low, mu, kernel_high, high = (
        np.concatenate([seen[name] for seen in found]) for name in names
    )
    assert len(mu) > 60
    assert np.sum((mu < low) | (mu > high)) == 0
    assert np.sum((mu < 2 * kernel_low) | (mu > 2 * kernel_high)) == 0


def test_a_trial_by_itself_has_the_row_of_the_runner(unobserved):
    """Whatever its seed; and what is recorded of it."""
    row, found = run_trial(ShallowNetwork(), FLOW, TRIALS[2], RECORDING, event=Certificate(1.0))
    assert_same([row], unobserved[2:3])
    assert list(found) == ["time", *RECORDING.observables]
    times = RECORDING.schedule(150.0)
    assert len(found["time"]) <= np.sum(times <= found["time"][-1]) + 2


def test_times_are_spaced_geometrically_to_the_horizon():
    times = Recording(("loss",), points=5, first=0.01).schedule(100.0)
    np.testing.assert_allclose(times, [0.01, 0.1, 1, 10, 100])
    assert Recording(("loss",), points=5).schedule(0.005).max() <= 0.005
    np.testing.assert_array_equal(Recording(("loss",), times=(1.0, 3.0)).schedule(2.0), [1, 3])
    assert Recording(("loss",), times=(1.0, 3.0)).count == 2


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: Recording(()),
        lambda: Recording(("loss", "loss")),
        lambda: Recording(("loss",), trials=0),
        lambda: Recording(("loss",), points=1),
        lambda: Recording(("loss",), first=0.0),
        lambda: Recording(("loss",), times=(2.0, 1.0)),
        lambda: Recording(("loss",), times=(0.0, 1.0)),
        lambda: Recording(("loss",), times=(1.0, float("inf"))),
    ],
)
def test_mistakes_are_one_line(mistake):
    with pytest.raises(ValueError, match="expected") as caught:
        mistake()
    assert "\n" not in str(caught.value)
