"""One run to the longest horizon answers the shorter ones, and says what separate runs say."""

from dataclasses import replace

import pytest

from jaxflow.core.types import Outcome
from jaxflow.report.slices import slices
from jaxflow.sampling.axes import Horizon
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

TIMES = (12.0, 25.0, 60.0)
TABLE = {
    "name": "horizons",
    "event": {"square": 1.0},
    "axes": {"d": [5], "p": [16]},
    "dynamics": {"control": {"kind": "descent"}, "flow": {"kind": "flow"}},
    "horizon": {"time": list(TIMES)},
    "grid": {"values": [12, 16, 20, 24], "repetitions": 12},
}


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """The report of one run to the longest horizon."""
    folder = tmp_path_factory.mktemp("long")
    run(Study.from_table(TABLE), folder)
    return slices(folder)


@pytest.mark.parametrize("i", range(len(TIMES)))
def test_a_long_run_says_what_separate_runs_say(long, tmp_path, i):
    time = TIMES[i]
    short = replace(Study.from_table(TABLE), horizon=Horizon(time=(time,)))
    run(short, tmp_path)
    undecided = 0
    for whole, alone in zip(long, slices(tmp_path), strict=True):
        assert whole.tallies(i) == alone.tallies()
        assert whole.tallies_within(time) == alone.tallies()
        for row, other in zip(whole.rows, alone.rows, strict=True):
            assert row.converged_by(time) == (other.outcome is Outcome.CONVERGED)
            undecided += other.outcome is Outcome.UNDECIDED
            if row.converged_by(time) and row.flow_time < 0.9 * time:
                assert row.flow_time == pytest.approx(other.flow_time, rel=0.02)
        assert whole.as_dict(i)["outcomes"] == alone.as_dict()["outcomes"]
        assert whole.posterior(i).median == alone.posterior().median
    assert undecided > 5


def test_a_time_beyond_the_horizon_is_not_answered_by_those_undecided(long):
    beyond = long[0].tallies_within(2 * TIMES[-1])
    silent = {row.n for row in long[0].rows if row.outcome is Outcome.UNDECIDED}
    assert silent
    assert {tally.x for tally in beyond}.isdisjoint(silent)


def test_several_horizons_are_searched_with_one_set_of_trials(tmp_path):
    search = {"low": 4, "high": 60, "relative_half_width": 0.25, "batch": 8}
    table = {**TABLE, "threshold": search, "dynamics": {"control": {"kind": "descent"}}}
    del table["grid"]
    run(Study.from_table(table), tmp_path)
    (slice,) = slices(tmp_path)
    found = [slice.posterior(h) for h in range(len(TIMES))]
    assert all(p.relative_half_width <= 0.25 for p in found)
    assert found[0].median < found[-1].median
    with Store.read(tmp_path) as store:
        assert {row.horizon for row in store.rows()} == {TIMES[-1]}
