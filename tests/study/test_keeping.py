"""Harvests on their way to the store: many to a transaction, none lost, whatever ends the run."""

from contextlib import contextmanager

import pytest

from jaxflow.engine.runner import Stopwatch, Usage
from jaxflow.study.keeping import PAUSE, Keeper


class Recorder:
    """A store that notes what is written in which transaction."""

    def __init__(self):
        self.transactions = []

    @contextmanager
    def writing(self):
        self.transactions.append([])
        yield

    def insert(self, rows, trajectories):
        self.transactions[-1].append((rows, trajectories))

    def ask(self, design, trials):
        self.transactions[-1].append((design, trials))

    def note(self, run):
        self.transactions[-1].append((run.trials, run.seconds, run.worker_seconds, run.workers))


class Runner:
    """Two workers, each busy for as long as the clock runs, who record every row."""

    parallel = 2

    def __init__(self, clock):
        self.clock = clock

    @property
    def usage(self):
        return Usage(busy=2 * self.clock[0] - 0.5, compiling=0.5)

    def trajectories(self, rows):
        return {row: {} for row in rows}


@pytest.fixture
def clock(monkeypatch):
    """Seconds, which pass when a test says so."""
    now = [0.0]
    monkeypatch.setattr("jaxflow.study.keeping.time.monotonic", lambda: now[0])
    return now


def test_harvests_of_a_moment_are_one_transaction_with_what_was_asked(clock):
    store = Recorder()
    slow = lambda *_: clock.__setitem__(0, clock[0] + 1.0)  # noqa: E731
    store.ask = lambda *found: (Recorder.ask(store, *found), slow())
    clock[0] = 1.0
    with Keeper(store, "design", Runner(clock), Stopwatch()) as keeper:
        for i in range(10):
            keeper.add([i])
            keeper.ask([10 + i])
            keeper.write()
        clock[0] += PAUSE
        keeper.write()
        keeper.write()
    first, second = store.transactions
    assert first == [([0], {0: {}}), ("design", [10]), (1, 1.0, 4.0, 2)]
    rest = list(range(1, 10))
    *written, noted = second
    assert written == [(rest, {i: {} for i in rest}), ("design", [10 + i for i in rest])]
    assert noted == (10, clock[0] - 1.0, 2 * clock[0], 2)


def test_what_is_left_is_written_whatever_ends_the_run(clock):
    store = Recorder()

    def interrupted():
        with Keeper(store, "design", Runner(clock), Stopwatch()) as keeper:
            keeper.add([1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (written,) = store.transactions
    assert written[:2] == [([1], {1: {}}), ("design", [])]


def test_nothing_is_no_transaction(clock):
    store = Recorder()
    with Keeper(store, "design", Runner(clock), Stopwatch()) as keeper:
        keeper.write()
    assert store.transactions == []
