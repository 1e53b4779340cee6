"""Experiment 1.0 of arXiv 2502.16977 whole: 17 values of n, 80 trials each, the control."""

import time
from typing import Any

from benchmarks import machine
from jaxflow import GradientDescent, Lanes, LocalRunner, Point, Trial
from jaxflow.flow.events import Certificate
from jaxflow.papers.bounds import published_horizon, width_rule
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

D, REPETITIONS = 100, 80
GRID = range(1300, 2101, 50)


def trials() -> list[Trial]:
    """All 1360 trials, the longest first."""
    points = [Point(D, n, width_rule(n, 0.05)) for n in reversed(GRID)]
    return [
        Trial("descent", point, seed, published_horizon(point.n, point.p))
        for point in points
        for seed in range(REPETITIONS)
    ]


def measure() -> dict[str, Any]:
    """Wall seconds once compiled, share of the peak of products, lane utilization."""
    work = trials()
    with LocalRunner(
        ShallowNetwork(), {"descent": GradientDescent()}, event=Certificate(1.0), lanes=Lanes()
    ) as runner:
        runner.run(work)  # compiles
        began = time.perf_counter()
        rows = runner.run(work)
        seconds = time.perf_counter() - began
        flops = sum(4.0 * row.n * row.d * row.p * row.evaluations for row in rows)
        gflops = flops / seconds / 1e9
        return {
            "seconds": seconds,
            "trials": len(rows),
            "gflops": gflops,
            "share_of_peak": gflops / machine.product_peak(),
            "utilization": runner.usage.utilization,
            "programs": len(runner.usage.programs),
        }
