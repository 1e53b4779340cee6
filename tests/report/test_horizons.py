"""What is known at every horizon, place by place, trial by trial, and whether it can be trusted."""

import numpy as np
import pages
import pytest
from simulated import base_point, row, told

from jaxflow import report
from jaxflow.core.types import Outcome, Trial
from jaxflow.report.health import initialization, misfits
from jaxflow.report.history import histories
from jaxflow.report.horizons import boundaries, frames, ladder
from jaxflow.report.places import places
from jaxflow.report.times import against_time
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return pages.grid(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    return pages.plane(tmp_path_factory.mktemp("plane"))


def test_a_ladder_has_the_horizons_that_were_asked_for(grid):
    fractions = ladder(report.slices(grid))
    assert fractions == sorted(set(fractions)) and fractions[-1] == 1 and 0.25 in fractions
    assert fractions[0] == pytest.approx(1 / 32)


def test_frames_are_thresholds_at_their_times(grid):
    found = report.slices(grid)
    for frame in frames(found, [0.1, 0.25, 1.0]):
        assert frame.boundary is None
        for i, slice in enumerate(found):
            alone = against_time(slice, [frame.time])
            assert (frame.thresholds.n50[i], frame.thresholds.low[i]) == (alone.n50, alone.low)
    assert frame.thresholds.n50[0] == pytest.approx(found[0].posterior().median)


def test_frames_of_a_plane_are_of_its_boundary(plane):
    found = [slice for slice in report.slices(plane) if slice.dynamics == "flow"]
    together = found[0].together
    at = list(boundaries(together, [0.3, 0.5, 1.0]))
    *_, frame = frames(found, [0.3, 0.5, 1.0], together, at)
    assert at[-1] is together.posterior(-1) and at[1] is together.posterior(0)
    np.testing.assert_allclose(frame.thresholds.n50, [s.estimated().median for s in found])


def test_counts_are_the_outcomes_of_the_rows(grid):
    for slice in report.slices(grid):
        found = places(slice, [50.0, 200.0], 1000)
        for h in (0, 1):
            expected = slice.as_dict(h)["outcomes"]
            assert dict(zip(map(str, Outcome), found.counts[h].sum(0), strict=True)) == expected
        assert found.trials.sum() == len(slice.rows) and (found.low == found.high).all()
        few = places(slice, [200.0], 4)
        assert len(few.x) <= 4 and few.trials.sum() == len(slice.rows)
        assert ((few.low <= few.x) & (few.x <= few.high)).all()


@pytest.mark.parametrize("kind", ["grid", "plane"])
def test_a_history_ends_with_what_is_known(kind, request):
    folder = request.getfixturevalue(kind)
    found = report.slices(folder)
    for one in histories(folder, found):
        here = [s for s in found if one.title in (s.title, s.name)]
        assert one.trials[-1] == sum(len(slice.rows) for slice in here)
        widest = max(slice.estimated().relative_half_width for slice in here)
        assert one.half_width[-1] == pytest.approx(widest, rel=0.05)
        assert one.half_width[-1] < one.half_width[0]
        assert (one.asked is None) == (kind == "grid")


def test_counts_that_no_curve_makes_are_found_out(grid):
    assert min(one.p for one in misfits(report.slices(grid))) > 0.01
    base, values = base_point("n"), (100, 150, 200, 250)
    rows = [
        row(Trial("flow", base.moved("n", n), seed, 100.0), n in (100, 250))
        for n in values
        for seed in range(20)
    ]
    (found,) = misfits([told("flow", base, GridPlan(values, 20), Horizon(time=(100.0,)), rows)])
    assert found.p == 0 and found.chi2 > 10 * found.places


def test_badly_initialized_trials_are_counted(grid):
    found = initialization(report.slices(grid))
    assert (found.badly, found.of, found.moved) == (0, 600, 0.0)
