"""Batches: what fills them up, and what a row says of a lane."""

import numpy as np

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine.batches import requests, row
from jaxflow.flow.state import Summary
from jaxflow.flow.stopping import Reason

LEAK, STEP = "problem.network.activation.leak", "dynamics.descent.step"
TRIALS = [Trial("flow", Point(10, 40, 24, ((LEAK, leak),)), 7, 150.0) for leak in (0.25, 0.5)]


def test_batches_are_filled_up_with_copies():
    request = requests(0, [TRIALS[0], Trial("flow", Point(5, 8, 6), 8, 10.0)], 4, "float32")
    assert request.sizes.n.tolist() == [40, 8, 40, 40]
    assert request.horizon.tolist() == [150, 10, 150, 150]
    np.testing.assert_array_equal(request.keys.samples[2], request.keys.samples[0])
    assert np.any(request.keys.samples[0] != request.keys.samples[1])


def test_parameters_are_taken_by_name():
    """Trials at two values of a problem's are of other draws, of a dynamics' of the same."""
    request = requests(0, TRIALS, 2, "float32", (LEAK,))
    assert request.values.tolist() == [[0.25], [0.5]]
    assert np.any(request.keys.start[0] != request.keys.start[1])
    steps = [Trial("descent", Point(10, 40, 24, ((STEP, x),)), 7, 150.0) for x in (0.25, 0.5)]
    request = requests(0, steps, 2, "float32", (STEP,))
    assert request.values.tolist() == [[0.25], [0.5]]
    np.testing.assert_array_equal(request.keys.start[0], request.keys.start[1])


def test_a_row_is_of_its_lane():
    columns = {name: np.arange(2.0) for name in Summary._fields}
    columns |= {"reason": np.array([Reason.HORIZON, Reason.CERTIFICATE])}
    columns |= {"well_initialized": np.array([False, True])}
    columns |= {"event_times": np.array([[1.0, 2.0], [np.inf, 1.5]])}
    columns |= {"measured": np.array([[1.0, 2.0], [np.nan, 4.0]], np.float32)}
    of = {"dtype": "float32", "device": "a", "program": "b", "versions": "c"}
    made = row(TRIALS[1], Summary(**columns), 1, events=("b", "a"), measured=("x", "w"), **of)
    assert (made.trial, made.outcome, made.reason) == (TRIALS[1], Outcome.CONVERGED, "certificate")
    assert (made.flow_time, made.well_initialized, made.dtype) == (1.0, True, "float32")
    assert made.event_times == (("a", 1.5),)
    assert made.measured[0] == ("w", 4.0) and made.measured[1][0] == "x"
    columns |= {"event_times": np.ones((2, 1)), "measured": np.ones((2, 0))}
    alone = row(TRIALS[1], Summary(**columns), 1, events=("",), measured=(), **of)
    assert (alone.event_times, alone.measured) == ((), ())
    assert type(made.flow_time) is float  # what a store takes
    assert type(made.well_initialized) is bool
