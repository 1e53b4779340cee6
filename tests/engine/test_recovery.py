"""What goes wrong while a program runs: memory, a device, a trial; the others end as ever."""

import itertools

import jax
import pytest
from poison import Poison

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine import workers
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.program import Program
from jaxflow.engine.settings import Lanes
from jaxflow.flow.events import Below
from jaxflow.flow.flow import GradientFlow

TRIALS = [Trial("flow", Point(3, 1, 1), seed, 20.0) for seed in range(40)]
LANES = [Lanes("map", threads=2), Lanes("map", width=8, threads=2), Lanes("vmap", 8, 16, 2)]
BY_LANES = pytest.mark.parametrize("lanes", LANES, ids=["map", "map of 8", "vmap"])


def runner(lanes, share=0.0):
    problem = Poison(share=share)
    return LocalRunner(
        problem, {"flow": GradientFlow()}, event=Below("loss", 0.01), lanes=lanes, seed=3
    )


def table(lanes):
    """The rows as texts: of a problem without neurons some numbers are NaN."""
    with runner(lanes) as made:
        return [str(row) for row in made.run(TRIALS)]


@BY_LANES
def test_a_trial_that_raises_has_failed_and_the_others_end(lanes, caplog):
    sound = table(lanes)
    with runner(lanes, share=0.1) as made:
        rows = made.run(TRIALS)
    failed = [row for row in rows if row.outcome is Outcome.FAILED]
    assert 0 < len(failed) < 10
    assert {row.reason for row in failed} == {"raised"}
    assert all(str(a) == b for a, b in zip(rows, sound, strict=True) if a not in failed)
    said = [entry.getMessage() for entry in caplog.records if entry.name.startswith("jaxflow")]
    assert len(said) == len(failed)
    for line in said:
        assert line.startswith("a trial failed 3 times, flow d=3 n=1 p=1 seed=")
        assert "ValueError: poison 0.0" in line
        assert "\n" not in line


def test_where_every_trial_raises_the_problem_is_to_blame():
    said = r"expected trials that can be run, got.*poison"
    with runner(Lanes("map", threads=2), share=1.0) as made, pytest.raises(ValueError, match=said):
        made.run(TRIALS)


def test_a_batch_without_memory_is_halved_and_its_rows_are_those_of_half_the_width(
    monkeypatch, caplog
):
    lanes = Lanes("vmap", 8, 16, 1)
    narrow = table(Lanes("vmap", 2, 16, 1))
    advance = Program.advance

    def limited(self, *arguments):
        if self.width > 2:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating")
        return advance(self, *arguments)

    monkeypatch.setattr(Program, "advance", limited)
    assert table(lanes) == narrow
    assert caplog.text.count("half as many") == 2


def test_a_device_that_computes_nothing_hands_its_trials_back(monkeypatch, caplog):
    sound = table(Lanes("map", threads=2))
    solve, calls = Program.solve, itertools.count()

    def dying(self, *arguments):
        if next(calls) == 0:
            raise jax.errors.JaxRuntimeError("INTERNAL: the device has fallen off the bus")
        return solve(self, *arguments)

    monkeypatch.setattr(Program, "solve", dying)
    monkeypatch.setattr(workers, "_computes", lambda device: False)
    assert table(Lanes("map", threads=2)) == sound
    assert caplog.text.count("going on without it") == 1


def test_a_device_that_adds_two_numbers_computes():
    assert workers._computes(jax.local_devices()[0])


def test_without_the_last_device_it_is_over_in_a_line(monkeypatch):
    def dying(self, *arguments):
        raise jax.errors.JaxRuntimeError("INTERNAL: the device has fallen off the bus")

    monkeypatch.setattr(Program, "solve", dying)
    monkeypatch.setattr(workers, "_computes", lambda device: False)
    said = "fallen off the bus': see what its driver says"
    with runner(Lanes("map", threads=2)) as made, pytest.raises(ValueError, match=said):
        made.run(TRIALS)
