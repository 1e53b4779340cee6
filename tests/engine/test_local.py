"""The contract of reproducibility, over both transforms, on one small program."""

from collections import Counter
from dataclasses import dataclass, replace

import jax
import numpy as np
import pytest

from jaxflow.core.types import Outcome, Point, Row, Trial
from jaxflow.engine.batches import requests
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.program import Program
from jaxflow.engine.reference import reference
from jaxflow.engine.settings import Lanes
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.state import Setting
from jaxflow.problems.problem import Shape
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

DYNAMICS = {"flow": GradientFlow(), "descent": GradientDescent()}
POINT = Point(10, 40, 24)
TRIALS = [Trial("flow", POINT, seed, 150.0) for seed in range(24)]
MAJOR = Lanes("map", width=2, threads=2)
PARALLEL = Lanes("vmap", width=8, chunk=16, threads=1)


def runner(lanes, **options):
    return LocalRunner(ShallowNetwork(), DYNAMICS, event=Certificate(1.0), lanes=lanes, **options)


@pytest.fixture(scope="module", params=[MAJOR, PARALLEL], ids=["major", "parallel"])
def warm(request):
    """A runner whose program is compiled, and its rows of all trials."""
    with runner(request.param) as made:
        yield made, made.run(TRIALS)


def test_rows_are_bit_identical_in_any_lane_beside_any_neighbours(warm):
    made, rows = warm
    again = made.run(TRIALS[::-1])
    assert again == rows
    for seed in (0, 11, 23):
        assert made.run([TRIALS[seed]]) == [rows[seed]]  # alone, with idle lanes
    assert made.run(TRIALS[5:14]) == rows[5:14]


def test_sizes_inside_a_bucket_share_its_program(warm):
    made, _ = warm
    before = dict(made.programs)
    rows = made.run([Trial("flow", Point(10, n, 24), 0, 150.0) for n in (34, 37, 40)])
    assert made.programs == before
    assert [row.n for row in rows] == [34, 37, 40]
    assert len({row.program for row in rows}) == 1


def test_every_part_is_traced_once(warm):
    made, _ = warm
    for program in made.programs.values():
        assert set(program.traces.values()) == {1}


def test_rows_say_what_ran(warm):
    made, rows = warm
    outcomes = Counter(row.outcome for row in rows)
    assert set(outcomes) <= {Outcome.CONVERGED, Outcome.UNDECIDED}
    assert outcomes[Outcome.CONVERGED] > 5
    for row in rows:
        assert isinstance(row, Row)
        assert row.evaluations > row.steps > 0
        assert row.balancedness_drift < 0.1
        assert row.dtype == "float32"
        assert made.lanes.transform in row.program
        assert "jax" in row.versions
        if row.outcome is Outcome.CONVERGED:
            assert row.flow_time < 150
            assert row.last_loss <= 1 / 80 < row.first_loss


def test_utilization_counts_idle_lanes(warm):
    made, _ = warm
    usage = made.usage
    assert 0 < usage.utilization <= 1
    assert usage.advances >= usage.useful_advances
    if made.lanes.transform == "vmap":
        assert usage.advances > usage.useful_advances  # the single trials above left lanes idle


def test_the_transforms_agree_with_each_other_and_with_diffeqsolve():
    """Other programs: equal draws, close times early on, equal outcomes here."""
    tables = []
    for lanes in (MAJOR, PARALLEL, Lanes("map", width=5, threads=1)):
        with runner(lanes) as made:
            tables.append(made.run(TRIALS[:8]))
    by_hand = [
        reference(ShallowNetwork(), GradientFlow(), trial, event=Certificate(1.0))
        for trial in TRIALS[:8]
    ]
    for row, *others, oracle in zip(*tables, by_hand, strict=True):
        for other in others:
            np.testing.assert_allclose(other.first_loss, row.first_loss, rtol=1e-6)
            assert other.outcome is row.outcome
            assert other.well_initialized == row.well_initialized
            np.testing.assert_allclose(other.flow_time, row.flow_time, rtol=0.1)
        assert oracle.converged == (row.outcome is Outcome.CONVERGED)
        np.testing.assert_allclose(oracle.flow_time, row.flow_time, rtol=0.1)


def test_other_programs_agree_early():
    """Batches of 2 and 64, either transform, more padding: loss at time 1 to 1e-5."""
    early = [replace(trial, horizon=1.0) for trial in TRIALS[:6]]
    tables = []
    for lanes in (MAJOR, Lanes("vmap", width=2), Lanes("vmap", width=64)):
        with runner(lanes) as made:
            tables.append([row.last_loss for row in made.run(early)])
    setting = Setting(
        ShallowNetwork(), GradientFlow(), (Certificate(1.0),), Shape(10, 96, 40), "float32"
    )
    padded = Program(setting, "map", 6, jax.local_devices()[0])
    summary = padded.solve(requests(0, early, 6, "float32"), np.ones(6, bool))
    tables.append(summary.last_loss.tolist())
    for table in tables[1:]:
        np.testing.assert_allclose(table, tables[0], rtol=1e-5)


def test_an_interrupted_run_goes_on_bit_for_bit():
    with runner(MAJOR) as made:
        whole = made.run(TRIALS[:12])
    with runner(MAJOR) as made:
        made.submit(TRIALS[:12])
        first = made.harvest()
    done = {row.seed for row in first}
    with runner(MAJOR) as made:
        rest = made.run([t for t in TRIALS[:12] if t.seed not in done])
    assert sorted(first + rest, key=lambda row: row.seed) == whole


def test_dynamics_start_from_the_same_draw(warm):
    made, rows = warm
    descent = made.run([replace(trial, dynamics="descent") for trial in TRIALS[:6]])
    for row, other in zip(descent, rows, strict=False):
        np.testing.assert_allclose(row.first_loss, other.first_loss, rtol=1e-6)
        assert row.well_initialized == other.well_initialized


@dataclass(frozen=True)
class Broken(GradientDescent):
    def attempt(self, *_: object, **__: object):
        raise ArithmeticError("a step that cannot be made")


def test_an_error_in_a_worker_reaches_the_coordinator():
    dynamics = {**DYNAMICS, "broken": Broken()}
    with LocalRunner(ShallowNetwork(), dynamics, event=Certificate(1.0), lanes=MAJOR) as made:
        (row,) = made.run([TRIALS[0]])
        assert row.trial == TRIALS[0]
        made.submit([Trial("broken", POINT, 0, 10.0)])
        with pytest.raises(ArithmeticError, match="cannot be made"):
            made.harvest()


def test_what_cannot_be_run_is_refused_when_it_is_submitted():
    """One line, and what was submitted before ends as it would have."""
    with runner(MAJOR) as made:
        with pytest.raises(ValueError, match=r"^expected dynamics in .*descent, flow.*'flwo'"):
            made.submit([Trial("flwo", POINT, 0, 10.0)])
        made.submit(TRIALS[:2])
        with pytest.raises(
            ValueError, match=r"^expected trials of at most .* GiB at d="
        ) as refused:
            made.submit([TRIALS[2], Trial("flow", Point(10**5, 100, 10**5), 0, 10.0)])
        assert "\n" not in str(refused.value)
        rows = []
        while len(rows) < 2:
            rows += made.harvest()
        assert {row.seed for row in rows} == {0, 1}
        assert made.harvest(timeout=0.5) == []  # none of a submission that is refused


def test_float64_needs_64_bit_jax(x64):
    with LocalRunner(
        ShallowNetwork(), DYNAMICS, event=Certificate(1.0), dtype="float64", lanes=MAJOR
    ) as made:
        rows = made.run([Trial("descent", Point(5, 8, 8), seed, 5.0) for seed in range(2)])
    assert {row.dtype for row in rows} == {"float64"}
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(ValueError, match=r'jaxflow.configure\(precision="float64"\)'):
        LocalRunner(ShallowNetwork(), DYNAMICS, dtype="float64")
