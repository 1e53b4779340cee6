"""Packets to worker processes on this machine: the same rows, whatever becomes of the workers."""

import itertools
import os
import pickle
import queue
import random
import signal
import sys
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import psutil
import pytest
from poison import Poison

from jaxflow.core.machine import versions
from jaxflow.core.types import Outcome, Point, Recording, Trial
from jaxflow.engine import processes
from jaxflow.engine.cluster import ClusterRunner
from jaxflow.engine.connection import Connection, Known
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.packets import Answer, Recipe
from jaxflow.engine.processes import started
from jaxflow.engine.settings import Lanes, Settings
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Below
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

DYNAMICS = {"flow": GradientFlow(), "descent": GradientDescent()}
TRIALS = [
    Trial(name, Point(4, n, 8), seed, 20.0)
    for name in DYNAMICS
    for n in (6, 20)
    for seed in range(20)
]
RECORDING = Recording(("loss",), points=5)


def local(problem, event, threads, protocol="p"):
    """What a worker makes of the recipe."""
    lanes = Lanes("map", width=2, threads=threads)
    return protocol, LocalRunner(
        problem, DYNAMICS, event=event, lanes=lanes, recording=RECORDING, seed=3
    )


def recipe(problem, event, **options):
    path = tuple(map(os.path.abspath, sys.path))
    made = Recipe("p", versions(), path, pickle.dumps(partial(local, problem, event)))
    return made._replace(**options)


@contextmanager
def runner(client, problem=ShallowNetwork(), event=Below("loss", 0.01), **options):
    settings = Settings(problem, DYNAMICS, {"": event}, "float32")
    connection = Connection(client, recipe(problem, event, **options))
    with ClusterRunner(connection, settings, RECORDING) as made:
        yield made


@pytest.fixture(scope="module")
def client():
    patch = pytest.MonkeyPatch()
    patch.setitem(processes.SETTINGS, "distributed.scheduler.worker-ttl", "4s")
    with started(2, 1) as made:
        yield made
    patch.undo()


def pids(client):
    """The processes by the addresses of their workers."""
    return client.run(os.getpid)


def texts(rows):
    """Of rows by trial: some of their numbers are NaN."""
    return [str(row) for row in sorted(rows, key=lambda row: row.trial)]


def alone(trials, problem=ShallowNetwork()):
    with local(problem, Below("loss", 0.01), 1)[1] as made:
        rows = made.run(trials)
        return rows, made.trajectories(rows)


def test_rows_and_trajectories_are_those_of_this_process(client):
    rows, recorded = alone(TRIALS)
    with runner(client) as made:
        assert texts(made.run(TRIALS)) == texts(rows)
        there = made.trajectories(rows)
        assert there.keys() == recorded.keys()
        assert all((there[t]["loss"] == recorded[t]["loss"]).all() for t in recorded)
        assert made.usage.trials == len(TRIALS) == sum(made.done.values())
        assert min(made.done.values()) > 0
        assert made.backlog == 0
        assert texts(made.run(TRIALS[::-1])) == texts(rows)  # with the programs compiled already


def test_all_of_them_listen_on_the_loopback_device_alone(client):
    for pid in (os.getpid(), *pids(client).values()):
        sockets = psutil.Process(pid).net_connections("inet")
        listening = [one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN]
        assert set(listening) == {"127.0.0.1"}


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(client):
    trials = [Trial("flow", Point(4, n, 8), seed, 500.0) for n in (6, 20) for seed in range(60)]
    rows, _ = alone(trials)
    with runner(client) as made:
        made.submit(trials)
        found = made.harvest()
        for pid in pids(client).values():
            os.kill(pid, signal.SIGKILL)
        while len(found) < len(trials):
            found += made.harvest(60)
        assert texts(found) == texts(rows)


@pytest.mark.parametrize("does", ["end", "raise"])
def test_a_poison_trial_has_failed_and_the_others_end(client, does):
    problem = Poison(share=0.05, does=does)
    trials = [Trial("flow", Point(3, 1, 1), seed, 20.0) for seed in range(60)]
    sound, _ = alone(trials, Poison(share=0.0))
    with runner(client, problem) as made:
        rows = made.run(trials)
    failed = [row for row in rows if row.outcome is Outcome.FAILED]
    assert {row.reason for row in failed} == {"killed" if does == "end" else "raised"}
    assert 0 < len(failed) < 10
    for row, other in zip(rows, sound, strict=True):
        assert row in failed or str(row) == str(other)


def test_a_worker_that_hangs_is_replaced(client, monkeypatch):
    for pid in list(pids(client).values())[:1]:
        os.kill(pid, signal.SIGSTOP)
    with runner(client) as made:
        assert len(made.run(TRIALS)) == len(TRIALS)


def test_a_process_that_was_stopped_does_not_take_that_for_silence(client):
    with runner(client) as made:
        made._connection._heard -= 60
        made._renewed -= 60
        assert made.harvest(0) == []
        made._connection._heard -= 60
        with pytest.raises(ValueError, match="got 'no answer for 10 s'"):
            made.harvest(0)


@pytest.mark.parametrize(("error", "is_told"), [(OSError, False), (TypeError, True)])
def test_an_answer_lost_on_its_way_is_asked_for_again(client, monkeypatch, error, is_told):
    gather, lost = type(client)._gather, []

    async def losing(self, *arguments, **options):
        if not lost:
            lost.append(arguments)
            raise error("on its way")
        return await gather(self, *arguments, **options)

    rows, _ = alone(TRIALS)
    with runner(client) as made:
        monkeypatch.setattr(type(client), "_gather", losing)
        if is_told:
            with pytest.raises(TypeError, match="on its way"):
                made.run(TRIALS)
        else:
            assert texts(made.run(TRIALS)) == texts(rows)
    assert lost


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"versions": versions().replace("jax ", "jax 9.")}, r"it has jax \S+ instead of 9\."),
        ({"protocol": "q"}, "it reads another protocol, p instead of q"),
        ({"pickled": b"cnowhere\nnothing\n."}, "cannot import what the study names: No module"),
    ],
)
def test_workers_that_would_compute_something_else_are_refused(client, options, why):
    with runner(client, **options) as made:
        with pytest.raises(ValueError, match=why):
            made.run(TRIALS[:4])
        assert made.refused


def test_workers_that_go_for_their_own_reasons_blame_no_trial():
    """As where a site takes three of four away."""
    connection = SimpleNamespace(workers={}, silence=0.0, answers=queue.SimpleQueue())
    for name in ("submit", "forget", "close", "listen_anew"):
        setattr(connection, name, lambda *_: None)
    trials = [Trial("flow", Point(3, 1, 1), seed, 20.0) for seed in range(40)]
    settings = Settings(Poison(share=0.0), DYNAMICS, {"": Below("loss", 0.01)}, "float32")
    runner, rows, born = ClusterRunner(connection, settings), [], itertools.count()
    chance = random.Random(0)
    with LocalRunner(settings.problem, DYNAMICS, event=Below("loss", 0.01)) as made:
        answer = {row.trial: row for row in made.run(trials)}
    with runner:
        runner.submit(trials)
        while len(rows) < len(trials):
            connection.workers = connection.workers or {f"{next(born)}": Known("one", 1)}
            rows += runner.harvest(0)
            for member in [*runner._members.values()]:
                if member.packets and chance.random() < 0.75:
                    connection.workers = {}
                    rows += runner.harvest(0)
                elif member.packets:
                    number, packet = next(iter(member.packets.items()))
                    found = Answer("one", [answer[trial] for trial in packet.trials])
                    connection.answers.put((number, found))
        assert {row.reason for row in rows} <= {"event", "horizon"}
        assert runner._lost > 10
