"""What a store kept of trials on their way, of a study whose n are multiples of d p."""

import pytest
from simulated import told

from jaxflow.core.types import Point
from jaxflow.report.growth import boundaries
from jaxflow.report.recorded import last_values, recorded
from jaxflow.report.slices import slices
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.study.run import run
from jaxflow.study.study import Study

TABLE = {
    "name": "recorded",
    "event": {"square": 1e-4},
    "precision": "float32",
    "axes": {"d": [4], "p": [1]},
    "horizon": {"time": [20.0]},
    "dynamics": {"descent": {"kind": "descent", "step": 0.05}},
    "grid": {"values": [0.5, 12], "repetitions": 6, "rising": True, "per": ["d", "p"]},
    "problem": {
        "inputs": {"law": "gaussian"},
        "labels": {"law": "teacher", "rank": 1},
        "initialization": {"law": "gaussian", "variance": "1/d", "outputs": "ones"},
        "network": {"scaling": "1", "trained": "first", "activation": {"name": "quadratic"}},
    },
    "record": {"observables": ["loss", "teacher_error"], "trials": 6, "times": [1.0]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("recorded")
    run(Study.from_table(TABLE), made)
    return made


def test_recorded_trials_go_with_their_rows(folder):
    found = recorded(folder)
    assert [trial.row.seed for trial in found] == [*range(6), *range(6)]
    for row, arrays in found:
        assert arrays["loss"][0] == pytest.approx(row.first_loss, rel=1e-5)
        assert arrays["loss"][-1] == pytest.approx(row.last_loss, rel=1e-5)


def test_a_loss_of_zero_need_not_be_the_teachers(folder):
    """Of two samples of four dimensions there are many students, of 48 one."""
    (slice,) = slices(folder)
    errors = last_values(folder, "teacher_error")
    recovered = slice.tallies_of(lambda row: errors[row.trial] < 0.02)
    assert [tally.x for tally in recovered] == [2, 48]
    assert slice.extent == (2, 48)
    few, many = slice.tallies()
    assert few.converged > 2
    assert recovered[0].converged == 0
    assert recovered[1].converged == many.converged > 3


def test_what_was_not_recorded_is_named(folder):
    with pytest.raises(ValueError, match="expected flips in"):
        last_values(folder, "flips")


@pytest.mark.parametrize(("values", "expected"), [((2,), 0), ((2, 3), 1)])
def test_slices_of_a_single_value_make_no_boundary(values, expected):
    plan, horizon = GridPlan(values, 1, per=("d",)), Horizon(time=(1.0,))
    bases = [Point(d, 0, 1) for d in (4, 6, 8)]
    found = [told("flow", b, plan.at(b), horizon) for b in bases]
    assert len(list(boundaries(found))) == expected
    assert [slice.extent[0] for slice in found] == [8, 12, 16]
