"""Events: what counts, when it has happened, and what the horizon says."""

import numpy as np
import pytest
from problems import FINE, Bowl

from jaxflow.core.types import Outcome, Point, Recording, Trial
from jaxflow.engine.local import LocalRunner, run_trial
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Above, Below, Certificate
from jaxflow.flow.flow import GradientFlow

TIME = np.log(4) / 2  # of |theta| = 2 exp(-2t) at 1/2


def row(event, horizon=10.0, dynamics=FINE, problem=Bowl(), transform="map"):
    with LocalRunner(problem, {"it": dynamics}, event=event, lanes=Lanes(transform, 1)) as runner:
        return runner.run([Trial("it", Point(3, 1, 1), 0, horizon)])[0]


@pytest.mark.parametrize("transform", ["map", "vmap"])
def test_the_time_of_an_event_is_that_of_the_closed_form(transform):
    for event, time in [
        (Below("norm", 0.5), TIME),
        (Above("distance", 1.5), TIME),
        (Below("loss", 0.25), TIME),
    ]:
        found = row(event, transform=transform)
        assert (found.outcome, found.reason) == (Outcome.CONVERGED, "event")
        assert found.flow_time == pytest.approx(time, rel=0.02)  # the chord of a step


def test_the_horizon_is_hit_exactly():
    """An event a little before it has happened by it, one a little after has not."""
    for horizon, outcome in [(TIME * 1.001, Outcome.CONVERGED), (TIME * 0.999, Outcome.UNDECIDED)]:
        found = row(Below("norm", 0.5), horizon)
        assert found.outcome is outcome
        assert found.flow_time <= horizon * (1 + 1e-6)
    assert found.flow_time == pytest.approx(horizon, rel=1e-6)
    assert found.last_loss == pytest.approx(4 * np.exp(-4 * horizon), rel=1e-4)


def test_what_holds_at_the_start_takes_no_time():
    found = row(Above("norm", 1.0))
    assert (found.outcome, found.flow_time, found.steps) == (Outcome.CONVERGED, 0.0, 0)


def test_a_descent_is_asked_after_every_step():
    found = row(Below("norm", 0.5), dynamics=GradientDescent(0.1))
    assert found.steps == np.ceil(np.log(0.25) / np.log(0.8))
    assert found.flow_time == pytest.approx(0.1 * found.steps, rel=1e-5)


def test_the_end_of_a_slow_flow_is_stalled():
    found = row(Above("norm", 3.0), horizon=1e6)
    assert found.outcome is Outcome.UNDECIDED or found.last_loss == pytest.approx(0, abs=1e-12)


def test_an_event_that_a_problem_does_not_have():
    with pytest.raises(ValueError, match=r"observable in .*gradient_norm.* got 'margin'"):
        row(Above("margin", 0.0))
    with pytest.raises(ValueError, match=r"an event for Bowl.*certificate.*name an event"):
        row(Certificate())
    with pytest.raises(ValueError, match="a finite value of the event"):
        Below("loss", float("nan"))
    with pytest.raises(ValueError, match="square > 0"):
        Certificate(-1.0)


def test_observables_of_every_problem():
    names = ("loss", "curvature", "gradient_norm", "distance", "norm", "sharpness", "flattest")
    trial = Trial("it", Point(3, 1, 1), 0, 0.5)
    _, seen = run_trial(Bowl(), FINE, trial, Recording(names, points=4), event=Below("norm", 0.1))
    r = 2 * np.exp(-2 * seen["time"])
    _check(seen, r)


def test_observables_do_not_depend_on_the_clock():
    """The curvature is that of the loss, not of the time by which it is followed."""
    flow = GradientFlow("Tsit5", rtol=1e-6, atol=1e-8, clock="loss")
    names = ("loss", "curvature", "gradient_norm", "distance", "norm", "sharpness", "flattest")
    trial = Trial("it", Point(3, 1, 1), 0, 2.0)
    _, seen = run_trial(Bowl(), flow, trial, Recording(names, points=4), event=Below("norm", 0.1))
    assert len(seen["time"]) > 3
    _check(seen, seen["norm"])


def _check(seen, r):
    """What is seen where |theta| = r."""
    for name, expected in [
        ("loss", r**2),
        ("curvature", 4 + 0 * r),
        ("gradient_norm", 2 * r),
        ("distance", 2 - r),
        ("norm", r),
        ("sharpness", 2 + 0 * r),
        ("flattest", 2 + 0 * r),
    ]:
        np.testing.assert_allclose(seen[name], expected, rtol=1e-4, atol=1e-5, err_msg=name)
