"""Several events of one trial, each with its time; and what is measured where the trial ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from problems import FINE, Bowl, keys_of
from scipy.integrate import solve_ivp

from jaxflow.core.types import Outcome, Point, Recording, Trial
from jaxflow.engine.local import LocalRunner, run_trial
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Above, Below, Certificate, Never
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.problem import Sizes
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

TIME = np.log(4) / 2  # of |theta| = 2 exp(-2t) at 1/2
SHRINKING = {"half": Below("norm", 0.5), "gone": Below("norm", 0.02), "far": Above("distance", 1.9)}
TIMES = {"half": TIME, "gone": np.log(100) / 2, "far": np.log(20) / 2}  # of |theta| = 2 exp(-2t)


def rows(
    event, horizon=10.0, dynamics=FINE, problem=Bowl(), transform="map", points=None, **options
):
    lanes = Lanes(transform, 2 if transform == "vmap" else 1, chunk=3)
    trials = [Trial("it", point, 0, horizon) for point in points or [Point(3, 1, 1)]]
    with LocalRunner(problem, {"it": dynamics}, event=event, lanes=lanes, **options) as runner:
        found = {row.trial: row for row in runner.run(trials)}
    return [found[trial] for trial in trials]


@pytest.mark.parametrize("transform", ["map", "vmap"])
def test_each_has_the_time_of_the_closed_form(transform):
    (found,) = rows(SHRINKING, transform=transform)
    assert (found.outcome, found.reason) == (Outcome.CONVERGED, "event")
    assert dict(found.event_times) == pytest.approx(TIMES, rel=0.02)  # the chord of a step
    assert found.flow_time == max(dict(found.event_times).values())


@pytest.mark.parametrize("dynamics", [FINE, GradientDescent(0.1)])
def test_each_has_the_time_that_it_has_alone(dynamics):
    """To the bit: the steps of a trial are the same, and it is followed further."""
    (found,) = rows(SHRINKING, dynamics=dynamics)
    for name, event in SHRINKING.items():
        (alone,) = rows(event, dynamics=dynamics)
        one = found.of_event(name)
        assert (one.flow_time, one.outcome) == (alone.flow_time, alone.outcome)
        assert (alone.event_times, one.reason) == ((), "event")


def test_one_that_does_not_happen_leaves_the_times_of_the_others():
    events = {**SHRINKING, "never": Above("norm", 3.0)}
    (found,) = rows(events, horizon=5.0)
    assert (found.outcome, found.reason) == (Outcome.UNDECIDED, "horizon")
    assert dict(found.event_times) == pytest.approx(TIMES, rel=0.02)
    assert found.of_event("never") == found
    assert found.of_event("half").outcome_by(1.0) is Outcome.CONVERGED
    assert found.of_event("half").outcome_by(0.5) is Outcome.UNDECIDED


def test_what_holds_at_the_start_takes_no_time():
    (found,) = rows({"there": Above("norm", 1.0), "half": Below("norm", 0.5)})
    assert dict(found.event_times) == {"half": pytest.approx(TIME, rel=0.02), "there": 0.0}


def test_what_has_happened_stays_so():
    """Descent with momentum: |theta| = 2, 1.6, 1.96, 1.24; the loss |theta|^2 is 4, 2.56, 3.84."""
    events = {"low": Below("loss", 3.0), "lower": Below("norm", 1.3)}
    (found,) = rows(events, dynamics=GradientDescent(0.9, options={"momentum": 0.9}))
    expected = {"low": 0.9, "lower": 2.7}
    assert dict(found.event_times) == pytest.approx(expected, rel=1e-6)


def test_certificates_of_the_papers_beside_an_observable():
    """The same trial alone, whose steps do not end at the horizon, agrees within its tolerance."""
    problem, point = ShallowNetwork(), Point(8, 16, 32)
    events = {"published": Certificate(1.0), "fits": Certificate(), "low": Below("loss", 1e-2)}
    flow = GradientFlow(rtol=1e-3, atol=1e-4)
    (found,) = rows(events, 60.0, flow, problem, points=[point])
    for name, event in events.items():
        (alone,) = rows(event, 60.0, flow, problem, points=[point])
        assert found.of_event(name).flow_time == pytest.approx(alone.flow_time, rel=2e-3), name
    assert found.reason == "event"


@pytest.mark.usefixtures("x64")
def test_times_are_those_of_scipy():
    """Three levels of the loss of a tanh network in float64, against DOP853."""
    problem, point = DeepNetwork(), Point(3, 20, 4)
    events = {"first": Below("loss", 0.4), "then": Below("loss", 0.3), "last": Below("loss", 0.25)}
    flow = GradientFlow("Tsit5", rtol=1e-8, atol=1e-10)
    (found,) = rows(events, 100.0, flow, problem, points=[point], dtype="float64")
    keys, sizes = keys_of(0, 3, 20, 4, 0), Sizes(*map(jnp.int32, (3, 20, 4)))
    data, theta = problem.prepare(keys, sizes, problem.shape(point), "float64")
    begin, tree = ravel_pytree(theta)
    velocity = jax.jit(lambda v: ravel_pytree(problem.field(data, tree(v)))[0])
    loss = jax.jit(lambda v: problem.objective(data, tree(v)))
    levels = [lambda t, v, event=event: float(loss(v)) - event.value for event in events.values()]
    exact = solve_ivp(
        lambda t, v: np.asarray(velocity(v)), (0, 100), begin, "DOP853", rtol=1e-10, atol=1e-12,
        events=levels,
    )  # fmt: skip
    expected = {name: t[0] for name, t in zip(events, exact.t_events, strict=True) if len(t)}
    assert len(expected) == 3
    assert dict(found.event_times) == pytest.approx(expected, rel=1e-3)  # the chord of a step


MEASURED = ("norm", "loss", "distance")


@pytest.mark.parametrize("transform", ["map", "vmap"])
def test_what_is_measured_is_that_of_the_horizon(transform):
    (found,) = rows(Never(), 0.7, transform=transform, measured=MEASURED)
    r = 2 * np.exp(-1.4)
    expected = {"norm": r, "loss": r**2, "distance": 2 - r}
    assert (found.outcome, found.reason) == (Outcome.UNDECIDED, "horizon")
    assert found.flow_time == pytest.approx(0.7, rel=1e-6)
    assert dict(found.measured) == pytest.approx(expected, rel=1e-5)
    assert found.measured == tuple(sorted(found.measured))


def test_or_of_the_step_in_which_the_event_happened():
    (found,) = rows(Below("norm", 0.5), measured=MEASURED)
    norm = dict(found.measured)["norm"]
    assert 0.4 < norm <= 0.5
    (descent,) = rows(Below("norm", 0.5), dynamics=GradientDescent(0.1), measured=("norm",))
    assert dict(descent.measured)["norm"] == pytest.approx(2 * 0.8**descent.steps, rel=1e-5)


def test_fresh_samples_are_measured_too():
    """The test error at the end is what a recorded trajectory ends with."""
    problem, trial = DeepNetwork(label_noise=0.1), Trial("it", Point(4, 30, 3), 2, 15.0)
    names = ("test_error", "margin", "loss")
    row, seen = run_trial(
        problem, GradientFlow(), trial, Recording(names), event=Never(), measured=names
    )
    for name in names:
        assert dict(row.measured)[name] == pytest.approx(float(seen[name][-1]), rel=1e-4)


def test_an_observable_that_a_problem_does_not_have():
    with pytest.raises(ValueError, match=r"observable in .* got 'margin'"):
        rows(Never(), measured=("margin",))
    with pytest.raises(ValueError, match="every observable once"):
        rows(Never(), measured=("loss", "loss"))
    with pytest.raises(ValueError, match=r"observable in .* got 'margin'"):
        rows({"a": Below("loss", 1.0), "b": Above("margin", 0.0)})
