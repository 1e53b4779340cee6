"""What a sound store can say: rows against the designs that asked for them, and the event."""

from dataclasses import replace

import pytest
from stores import ROW

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.papers.bounds import published_horizon, width_rule
from jaxflow.report.soundness import misjudged, misplaced
from jaxflow.sampling.axes import Axes, Horizon
from jaxflow.sampling.design import Design
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.rules import WellInitializedWidth
from jaxflow.sampling.threshold import ThresholdPlan

SHRINK, STEP = "problem.initialization.shrink", "dynamics.descent.step"
DESIGN = Design(
    name="asked",
    axes=Axes(d=(3,), p=(8,), parameters={SHRINK: (0.5,), STEP: (1.0,)}),
    horizon=Horizon(factor=(1.0, 2.0)),
    threshold=ThresholdPlan(4, 40),
)
POINT = Point(3, 16, 8, ((SHRINK, 0.5),))
TRIAL = Trial("flow", POINT, 0, 2 * published_horizon(16, 8))


@pytest.mark.parametrize(
    ("trial", "fault"),
    [
        (replace(TRIAL, point=POINT.moved("d", 4)), "d = 4 is not asked for by asked"),
        (replace(TRIAL, point=POINT.moved("n", 41)), "n = 41 is not asked for"),
        (replace(TRIAL, point=POINT.moved(SHRINK, 0.25)), f"{SHRINK} = 0.25 is not asked for"),
        (replace(TRIAL, point=Point(3, 16, 8)), f"{SHRINK} is missing"),
        (replace(TRIAL, point=POINT.moved("x", 1)), "x is no axis of asked"),
        (replace(TRIAL, point=POINT.moved(STEP, 1)), f"{STEP} is no axis of asked"),
        (replace(TRIAL, dynamics="descent"), f"{STEP} is missing"),
        (replace(TRIAL, horizon=published_horizon(16, 8)), "horizon"),
    ],
)
def test_a_trial_that_no_design_asks_for_is_told(trial, fault):
    assert list(misplaced(DESIGN, TRIAL)) == []
    assert any(fault in line for line in misplaced(DESIGN, trial))


def test_widths_that_follow_n_are_asked_for():
    design = replace(
        DESIGN,
        axes=Axes(d=(3,), n=(16,), p=WellInitializedWidth((0.05,))),
        threshold=None,
        grid=GridPlan((0.5,), 2, along=SHRINK),
    )
    p = width_rule(16, 0.05)
    point = replace(POINT, p=p)
    trial = Trial("flow", point, 0, 2 * published_horizon(16, p))
    assert list(misplaced(design, trial)) == []
    assert any("p = 8" in line for line in misplaced(design, replace(TRIAL, point=POINT)))


@pytest.mark.parametrize(
    ("outcome", "loss", "faults"),
    [
        (Outcome.CONVERGED, 0.9 / 16, 0),
        (Outcome.CONVERGED, 1.1 / 16, 1),
        (Outcome.UNDECIDED, 1.1 / 16, 0),
        (Outcome.UNDECIDED, 0.9 / 16, 1),
        (Outcome.STALLED, 0.9 / 16, 1),
    ],
)
def test_outcomes_go_with_the_loss_that_is_asked_for(outcome, loss, faults):
    def protocol(problem="shallow_network", **event):
        return {"problem": {"kind": problem}, "event": event}

    row = replace(ROW, outcome=outcome, last_loss=loss)  # n = 8
    assert len(list(misjudged(protocol(kind="certificate", square=1.0), row))) == faults
    assert list(misjudged(protocol(kind="certificate"), row)) == []
    assert list(misjudged(protocol("perceptron", kind="certificate", square=1.0), row)) == []
    below = {"kind": "below", "observable": "loss", "value": 1.0}
    assert list(misjudged(protocol(**below), row)) == []
