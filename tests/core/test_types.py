"""What the row of a trial answers, and how it had ended by a time."""

from dataclasses import replace

import pytest
from stores import ROW, TRIAL

from jaxflow.core.types import Outcome

LONG = {
    (Outcome.CONVERGED, 1.5): True,
    (Outcome.CONVERGED, 100.0): False,  # interpolated at the very horizon
    (Outcome.FAILED, 3.0): True,
    (Outcome.STALLED, 50.0): False,  # nothing would change in the time left
    (Outcome.UNDECIDED, 100.0): False,
}


@pytest.mark.parametrize(("outcome", "time"), LONG)
def test_every_row_answers_shorter_horizons_and_some_answer_longer_ones(outcome, time):
    row = replace(ROW, outcome=outcome, flow_time=time, horizon=100.0)
    assert row.answers(10.0)
    assert row.answers(100.0 * (1 + 1e-7))
    assert row.answers(101.0) is LONG[outcome, time]


def test_what_comes_later_leaves_a_trial_undecided_until_then():
    row = replace(ROW, outcome=Outcome.STALLED, flow_time=50.0, horizon=100.0)
    assert row.outcome_by(49.0) is Outcome.UNDECIDED
    assert row.outcome_by(50.0) is Outcome.STALLED
    converged = replace(ROW, flow_time=50.0)
    assert not converged.converged_by(49.9)
    assert converged.converged_by(50.0 * (1 - 1e-7))


def test_a_trial_is_the_same_whatever_it_is_allowed():
    longer = replace(TRIAL, horizon=10 * TRIAL.horizon)
    assert longer == TRIAL
    assert hash(longer) == hash(TRIAL)
    assert longer.horizon != TRIAL.horizon
