"""The same trials by everyone, side by side: repetitions interleaved, medians of walls.

Points are of experiment 1 of arXiv 2502.16977 (d = 30 and 100) and of its experiment 2 (orthogonal
inputs, first weights shrunk, L < 1e-6/2n). Everyone's wall is without compilation and counts the
draw where it happens on the fly, as in jaxflow.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import jax

from benchmarks import machine, peers
from jaxflow import GradientDescent, GradientFlow, Lanes, LocalRunner, Outcome, Point, Trial
from jaxflow.flow.events import Certificate
from jaxflow.papers.bounds import published_horizon, width_rule
from jaxflow.problems.shallow.initialization import Dominated
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

DYNAMICS = {"flow": GradientFlow(), "descent": GradientDescent(1.0)}


@dataclass(frozen=True)
class Case:
    """Trials of one point; `factor` times the published horizon."""

    name: str
    point: Point
    problem: ShallowNetwork = ShallowNetwork()
    event: Certificate = Certificate(1.0)
    factor: float = 1.0

    @property
    def square(self) -> float:
        """c of L < c / 2n, as the peers have it."""
        assert self.event.square is not None
        return self.event.square

    @property
    def horizon(self) -> float:
        """Flow time allowed, and steps of descent with step 1."""
        return self.factor * published_horizon(self.point.n, self.point.p)

    def trials(self, dynamics: str, count: int) -> list[Trial]:
        """The first trials, for jaxflow."""
        return [Trial(dynamics, self.point, seed, self.horizon) for seed in range(count)]

    def drawn(self, count: int) -> peers.Trials:
        """The same, as arrays for a peer."""
        d, n, p = self.point.d, self.point.n, self.point.p
        return peers.trials(d, n, p, count, self.problem)


EASY = Case("d=30 p=100 n=300", Point(30, 300, 100))
MIDDLE = Case("d=30 p=100 n=800", Point(30, 800, 100))
PUBLISHED = Case("d=100 p=37 n=1700", Point(100, 1700, 37))
ORTHOGONAL = Case(
    "orthogonal n=1000 d=2000 p=35",
    Point(2000, 1000, width_rule(1000, 0.05)),
    ShallowNetwork(inputs=Orthogonal(), initialization=Dominated(shrink=0.01)),
    event=Certificate(1e-6),
    factor=10.0,
)


class Lap(NamedTuple):
    """One repetition: wall seconds, field evaluations and converged trials, all trials together."""

    wall: float
    evaluations: float
    converged: int


@dataclass(frozen=True)
class Contestant:
    """A way to run `count` trials of a case."""

    name: str
    case: Case
    count: int
    lap: Callable[[], Lap]
    device: str = "cpu"

    def record(self, laps: list[Lap], peak: float) -> dict[str, Any]:
        """Medians over repetitions, a trial; arithmetic counted unpadded, in ambient flops."""
        point = self.case.point
        wall = median(lap.wall for lap in laps) / self.count
        evaluations = median(lap.evaluations for lap in laps) / self.count
        gflops = 4 * point.n * point.d * point.p * evaluations / wall / 1e9
        return {
            "case": self.case.name,
            "contestant": self.name,
            "trials": self.count,
            "converged": laps[-1].converged,
            "seconds_per_trial": wall,
            "evaluations_per_trial": evaluations,
            "gflops": gflops,
            "share_of_peak": gflops / peak,
        }


def jaxflow(runner: LocalRunner, case: Case, dynamics: str, count: int) -> Contestant:
    """jaxflow on all cores, or on the accelerator."""
    trials = case.trials(dynamics, count)

    def lap() -> Lap:
        began = time.perf_counter()
        rows = runner.run(trials)
        converged = sum(row.outcome is Outcome.CONVERGED for row in rows)
        return Lap(time.perf_counter() - began, sum(row.evaluations for row in rows), converged)

    lap()  # compiles
    return Contestant(f"jaxflow {dynamics}", case, count, lap)


def torch_loop(case: Case, device: str, seed: int = 0) -> Contestant:
    """The published protocol as a PyTorch loop, one trial."""
    X, y, W, a = (array[seed] for array in case.drawn(seed + 1))
    peers.torch_loop(X, y, W, a, 5, case.square, device)

    def lap() -> Lap:
        found = peers.torch_loop(X, y, W, a, int(case.horizon), case.square, device)
        return Lap(found.wall, found.steps + 1, int(found.converged))

    return Contestant("PyTorch loop", case, 1, lap)


def torch_batched(case: Case, count: int, device: str) -> Contestant:
    """The published protocol batched in PyTorch."""
    arrays = case.drawn(count)
    peers.torch_batched(*arrays, 5, case.square, device)

    def lap() -> Lap:
        found = peers.torch_batched(*arrays, int(case.horizon), case.square, device)
        return Lap(found.wall, float(found.steps.sum() + count), int(found.converged.sum()))

    return Contestant(f"PyTorch batch of {count}", case, count, lap)


def diffrax(case: Case, count: int) -> Contestant:
    """The flow as `jax.vmap` of `diffeqsolve`; it warms up by itself."""
    arrays = case.drawn(count)

    def lap() -> Lap:
        found = peers.diffrax_vmapped(*arrays, case.horizon, case.square)
        return Lap(found.wall, float(found.evaluations.sum()), int(found.converged.sum()))

    return Contestant("diffrax Tsit5, vmapped", case, count, lap)


def scipy(case: Case) -> Contestant:
    """The flow of one trial by SciPy."""
    X, y, W, a = (array[0] for array in case.drawn(1))

    def lap() -> Lap:
        found = peers.scipy_flow(X, y, W, a, case.horizon, case.square)
        return Lap(found.wall, found.evaluations, int(found.converged))

    return Contestant("SciPy RK45", case, 1, lap)


def measure(repetitions: int, has_torch: bool) -> list[dict[str, Any]]:
    """Every contestant on every case, interleaved, with the peak of products measured between."""
    on_gpu = jax.default_backend() == "gpu"
    device = "cuda" if on_gpu else "cpu"
    many = 256 if on_gpu else 12
    records: list[dict[str, Any]] = []
    for cases in ((EASY, MIDDLE, PUBLISHED), (ORTHOGONAL,)):
        first = cases[0]
        with LocalRunner(first.problem, DYNAMICS, event=first.event, lanes=Lanes()) as runner:
            field = [jaxflow(runner, case, name, many) for case in cases for name in DYNAMICS]
            if has_torch:
                field += [torch_loop(case, device) for case in cases]
            if has_torch and PUBLISHED in cases:
                field += [
                    torch_batched(PUBLISHED, size, device) for size in (2, 256 if on_gpu else 8)
                ]
            if MIDDLE in cases:
                field += [diffrax(MIDDLE, many if on_gpu else 2), scipy(EASY)]
            laps: dict[str, list[Lap]] = {}
            peaks = []
            for _ in range(repetitions):
                peaks.append(machine.product_peak())
                for one in field:
                    laps.setdefault(one.name + one.case.name, []).append(one.lap())
            peak = median(peaks)
            records += [one.record(laps[one.name + one.case.name], peak) for one in field]
            records[-1]["peak_gflops"] = peak
            records[-1]["utilization"] = runner.usage.utilization
    return records
