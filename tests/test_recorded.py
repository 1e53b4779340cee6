"""What a store kept of trials on their way, of a study whose n are multiples of d p."""

import pytest

from jaxflow.report import cells, last_values, recorded
from jaxflow.study import Study, run

TABLE = {
    "name": "recorded",
    "success": 1e-4,
    "precision": "float32",
    "axes": {"d": [4], "p": [1]},
    "horizon": {"time": [20.0]},
    "dynamics": {"descent": {"kind": "descent", "step": 0.05}},
    "grid": {"values": [0.5, 12], "repetitions": 6, "rising": True, "per": ["d", "p"]},
    "ensemble": {
        "inputs": {"law": "gaussian"},
        "labels": {"law": "teacher", "rank": 1},
        "initialization": {"law": "gaussian", "variance": "1/d", "outputs": "ones"},
        "network": {"scaling": "1", "trained": "first", "activation": {"name": "quadratic"}},
    },
    "record": {"observables": ["loss", "teacher_error"], "trials": 5, "times": [1.0]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("recorded")
    run(Study.from_table(TABLE), made)
    return made


def test_recorded_trials_go_with_their_rows(folder):
    found = recorded(folder)
    assert [trial.row.seed for trial in found] == [*range(5), *range(5)]
    for row, arrays in found:
        assert arrays["loss"][0] == pytest.approx(row.first_loss, rel=1e-5)
        assert arrays["loss"][-1] == pytest.approx(row.last_loss, rel=1e-5)


def test_a_loss_of_zero_need_not_be_the_teachers(folder):
    """Of two samples of four dimensions there are many students, of 48 one."""
    (cell,) = cells(folder)
    errors = last_values(folder, "teacher_error")
    recovered = cell.tallies_of(lambda row: errors.get(row.trial, 1.0) < 0.02)
    assert [tally.x for tally in recovered] == [2, 48]
    assert cell.extent == (2, 48)
    few, many = cell.tallies()
    assert few.converged > 2
    assert recovered[0].converged == 0
    assert recovered[1].converged == min(many.converged, 5) > 3


def test_what_was_not_recorded_is_named(folder):
    with pytest.raises(ValueError, match="expected flips in"):
        last_values(folder, "flips")
