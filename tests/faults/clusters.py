"""Workers that hang, schedulers that end, networks that are cut."""

import signal
import time

from tests.faults.bench import Bench
from tests.faults.processes import coordinator, wait_for
from tests.faults.proxy import Proxy
from tests.faults.site import site

GIVEN_UP = 30.0  # seconds within which a coordinator ends without its scheduler


def hung_worker(bench: Bench) -> None:
    """a worker that hangs is given up"""
    out = bench.folder("hung")
    with site(bench.place) as made, bench.under_way(out, "--cluster", made.file) as process:
        made.workers[0].send(signal.SIGSTOP)
        bench.ends(process, 0)
    bench.ended_same(out)


def scheduler_killed(bench: Bench) -> None:
    """a scheduler killed for good: one line, and the study goes on at another"""
    out = bench.folder("scheduler")
    with site(bench.place) as made, bench.under_way(out, "--cluster", made.file) as process:
        made.scheduler.send(signal.SIGKILL)
        bench.ends(process, 2, seconds=GIVEN_UP)
    with site(bench.place) as made:
        bench.same(out, "--cluster", made.file)


def scheduler_restarted(bench: Bench) -> None:
    """a scheduler killed and started again at its port: the run goes on, or says so"""
    out = bench.folder("restarted")
    with site(bench.place) as made, bench.under_way(out, "--cluster", made.file) as process:
        made.scheduler.send(signal.SIGKILL)
        wait_for(lambda: made.mind() or process.code is not None, 120)
        bench.ends(process, 0, 2)
        bench.same(out, "--cluster", made.file)


def worker_first(bench: Bench) -> None:
    """workers started before their scheduler"""
    out = bench.folder("first")
    with site(bench.place) as made:
        made.scheduler.end()
        for worker in made.workers:
            worker.end()
        made.mind_workers()
        time.sleep(3)
        made.mind()
        bench.same(out, "--cluster", made.file)


def network_cut(bench: Bench) -> None:
    """no connection to the scheduler for 3 s: the run goes on"""
    out = bench.folder("cut")
    with site(bench.place) as made, Proxy(made.port) as proxy:
        with bench.under_way(out, "--cluster", proxy.address) as process:
            proxy.cut()
            time.sleep(3)
            proxy.mend()
            bench.ends(process, 0)
        bench.ended_same(out)


def network_gone(bench: Bench) -> None:
    """no connection to the scheduler for good: one line within 30 s"""
    out = bench.folder("gone")
    with site(bench.place) as made, Proxy(made.port) as proxy:
        with bench.under_way(out, "--cluster", proxy.address) as process:
            proxy.cut()
            bench.ends(process, 2, seconds=GIVEN_UP)
        refused = coordinator(bench.place, bench.table.study, out, "--cluster", proxy.address)
        bench.ends(refused, 2, seconds=GIVEN_UP)
        bench.same(out, "--cluster", made.file)


ALL = (
    hung_worker,
    scheduler_killed,
    scheduler_restarted,
    worker_first,
    network_cut,
    network_gone,
)
