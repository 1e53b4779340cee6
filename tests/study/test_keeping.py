"""Harvests on their way to the store: many to a transaction, none lost, whatever ends the run."""

from contextlib import contextmanager

import pytest

from jaxflow.engine.runner import Stopwatch
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
    with Keeper(store, "design", Stopwatch()) as keeper:
        for i in range(10):
            keeper.add([i], {i: {}})
            keeper.ask([10 + i])
            keeper.write()
        clock[0] += PAUSE
        keeper.write()
        keeper.write()
    first, second = store.transactions
    assert first == [([0], {0: {}}), ("design", [10])]
    rest = list(range(1, 10))
    assert second == [(rest, {i: {} for i in rest}), ("design", [10 + i for i in rest])]


def test_what_is_left_is_written_whatever_ends_the_run(clock):
    store = Recorder()

    def interrupted():
        with Keeper(store, "design", Stopwatch()) as keeper:
            keeper.add([1], {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.transactions == [[([1], {}), ("design", [])]]


def test_nothing_is_no_transaction(clock):
    store = Recorder()
    with Keeper(store, "design", Stopwatch()) as keeper:
        keeper.write()
    assert store.transactions == []
