"""Coordinators that are killed, stopped, interrupted, or two."""

import os
import signal
import time

from tests.faults.bench import Bench, line
from tests.faults.processes import coordinator
from tests.faults.site import site
from tests.faults.tables import rows

ASLEEP = 12.0  # seconds, more than a coordinator waits for its scheduler


def killed(bench: Bench) -> None:
    """a coordinator killed under way"""
    out = bench.folder("killed")
    with bench.under_way(out, "--workers", "2") as process:
        process.send(signal.SIGKILL)
        bench.ends(process, -signal.SIGKILL)
    bench.same(out)


def terminated(bench: Bench) -> None:
    """SIGTERM: trials under way are kept, and it says how to go on"""
    out = bench.folder("terminated")
    with bench.under_way(out, "--workers", "2") as process:
        before = len(rows(out))
        process.send(signal.SIGTERM)
        bench.ends(process, 128 + signal.SIGTERM, seconds=30)
        assert "run the same command again to go on" in line(process), process.said
        assert len(rows(out)) >= before
    bench.same(out)


def terminated_twice(bench: Bench) -> None:
    """SIGTERM twice, with workers that never answer: it leaves at once"""
    out = bench.folder("twice")
    with site(bench.place) as made, bench.under_way(out, "--cluster", made.file) as process:
        for worker in made.workers:
            worker.send(signal.SIGSTOP)
        process.send(signal.SIGTERM)
        time.sleep(1)
        assert process.code is None, "the first was not gentle"
        process.send(signal.SIGTERM)
        bench.ends(process, 128 + signal.SIGTERM, seconds=10)
    bench.same(out)


def interrupted_at_the_start(bench: Bench) -> None:
    """Ctrl-C at four moments while workers start"""
    for seconds in (1.5, 3, 4, 5):
        out = bench.folder("start")
        process = coordinator(bench.place, bench.table.study, out, "--workers", "2")
        time.sleep(seconds)
        process.send(signal.SIGINT)
        bench.ends(process, 128 + signal.SIGINT, seconds=30)
    bench.same(out)


def asleep(bench: Bench) -> None:
    """a coordinator that is stopped for 12 s goes on"""
    out = bench.folder("asleep")
    with site(bench.place) as made, bench.under_way(out, "--cluster", made.file) as process:
        process.send(signal.SIGSTOP)
        time.sleep(ASLEEP)
        process.send(signal.SIGCONT)
        bench.ends(process, 0)
    bench.ended_same(out)


def two_at_once(bench: Bench) -> None:
    """a second coordinator on one store is told who is the first"""
    out = bench.folder("two")
    with bench.under_way(out) as first:
        second = coordinator(bench.place, bench.table.study, out)
        bench.ends(second, 2)
        assert f"process {first.pid} on {os.uname().nodename}" in line(second), second.said
        bench.ends(first, 0)
    bench.ended_same(out)


ALL = (killed, terminated, terminated_twice, interrupted_at_the_start, asleep, two_at_once)
