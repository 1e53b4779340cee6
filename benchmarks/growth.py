"""How the cost of one field evaluation grows: with n, d and p, with the width of a batch, and
from one coordinate system to another; the roofline's prediction beside it."""

import time
from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks import roofline
from jaxflow import GradientDescent, Lanes, LocalRunner, Point, Trial
from jaxflow.flow.events import Certificate
from jaxflow.problems.shallow.coordinates import Name
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

BASE = Point(30, 800, 100)
SQUARE = Point(400, 400, 100)  # where every coordinate system is possible
DECADES = [
    Point(30, n, p) for n, p in ((800, 30), (800, 100), (2400, 100), (2400, 300), (2400, 1000))
]
WIDTHS = (1, 4, 16, 64, 256)
STEPS = 60
REPETITIONS = 3
NEVER = 1e-12  # a loss that no trial reaches


def points() -> list[Point]:
    """The base point, and n, d and p halved and doubled one at a time."""
    changed = [
        replace(BASE, **{name: int(getattr(BASE, name) * factor)})
        for name in ("n", "d", "p")
        for factor in (0.5, 2)
    ]
    return [BASE, *changed]


def seconds(runner: LocalRunner, point: Point, count: int) -> float:
    """Wall seconds of one evaluation of one trial, all workers busy: the median."""
    trials = [Trial("descent", point, seed, float(STEPS)) for seed in range(count)]
    runner.run(trials)
    walls = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        rows = runner.run(trials)
        walls.append(time.perf_counter() - began)
    return median(walls) / sum(row.evaluations for row in rows)


def _runner(lanes: Lanes, problem: ShallowNetwork = ShallowNetwork()) -> LocalRunner:
    return LocalRunner(
        problem, {"descent": GradientDescent(0.1)}, event=Certificate(NEVER), lanes=lanes
    )


def measure(peak: float, bandwidth: float, on_gpu: bool) -> list[dict[str, Any]]:
    """One record a point, batch width and coordinate system; peak and bandwidth per second."""
    count = 256 if on_gpu else 8
    records = []
    with _runner(Lanes()) as runner:
        for point in points():
            spent = seconds(runner, point, count)
            records.append(_record("size", point, "ambient", spent, peak, bandwidth))
        for point in DECADES:
            spent = seconds(runner, point, count)
            record = _record("decades", point, "ambient", spent, peak, bandwidth)
            cost = runner.settings.costs.evaluation(point)
            records.append(record | {"seconds_per_gflop": 1e9 * spent / cost})
    for width in WIDTHS:
        with _runner(Lanes("vmap", width=width, chunk=STEPS)) as runner:
            spent = seconds(runner, replace(BASE, n=300), width * runner.lanes.threads)
            record = _record("width", replace(BASE, n=300), "ambient", spent, peak, bandwidth)
            records.append(record | {"width": width})
    for coordinates in ("ambient", "span", "orthogonal"):
        with _runner(Lanes(coordinates=coordinates), ShallowNetwork(Orthogonal())) as runner:
            spent = seconds(runner, SQUARE, count)
            records.append(_record("space", SQUARE, coordinates, spent, peak, bandwidth))
    return records


def _record(
    kind: str,
    point: Point,
    coordinates: Name,
    spent: float,
    peak: float,
    bandwidth: float,
) -> dict[str, Any]:
    d, n, p = point.d, point.n, point.p
    predicted = roofline.model(coordinates, n, d, p, peak, bandwidth)
    return {
        "kind": kind,
        "coordinates": coordinates,
        "d": d,
        "n": n,
        "p": p,
        "microseconds": 1e6 * spent,
        "gflops": predicted.work.flops / spent / 1e9,
        "roofline_microseconds": 1e6 * predicted.seconds,
        "binds": predicted.binds,
    }
