"""Which program is next, and how many trials a worker takes of it."""

import threading
import time

import pytest

from jaxflow.core.types import Point, Trial
from jaxflow.engine.schedule import Schedule
from jaxflow.engine.settings import Settings
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

SETTINGS = Settings(ShallowNetwork(), {"flow": GradientFlow()}, {"": Certificate(1.0)}, "float32")
WORK = SETTINGS.costs.most


def trials(n, count, horizon=10.0):
    made = [Trial("flow", Point(5, n, 8), seed, horizon) for seed in range(count)]
    return [(SETTINGS.key(trial), trial) for trial in made]


def test_the_program_with_most_work_comes_first_and_one_being_compiled_last():
    schedule = Schedule(workers=2, work=WORK)
    few_dear, many_cheap, long = trials(1000, 1), trials(20, 5), trials(20, 1, horizon=1e6)
    schedule.add(many_cheap + few_dear)
    assert schedule.next_program(0) == few_dear[0][0]
    assert schedule.next_program(0) == many_cheap[0][0]  # the other is being compiled
    assert schedule.next_program(0) == few_dear[0][0]
    schedule.compiled(few_dear[0][0])
    schedule.compiled(many_cheap[0][0])
    schedule.add(long)  # of the program of the cheap ones
    assert schedule.next_program(0) == many_cheap[0][0]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_trial_is_taken_once_and_the_last_are_shared_out(workers):
    schedule = Schedule(workers, WORK)
    queued = trials(20, 40)
    schedule.add(queued)
    key = queued[0][0]
    taken = []
    assert schedule.backlog == 40
    while some := schedule.take(key, 16):
        assert len(some) <= max(1, -(-(40 - len(taken)) // (4 * workers)))
        taken += some
        assert schedule.backlog == 40 - len(taken)
    assert taken == [trial for _, trial in queued]
    assert schedule.next_program(0) is None


def test_waiting_ends_with_work_with_the_time_or_with_the_schedule():
    schedule, found = Schedule(1, WORK), []
    began = time.monotonic()
    assert schedule.next_program(0.1) is None
    assert time.monotonic() - began >= 0.1
    thread = threading.Thread(target=lambda: found.append(schedule.next_program(60)))
    thread.start()
    schedule.add(trials(20, 1))
    thread.join(timeout=30)
    assert found == [trials(20, 1)[0][0]]
    schedule.close()
    assert schedule.is_closed
    assert schedule.next_program(60) is None
    assert schedule.take(trials(20, 1)[0][0], 1) == []
