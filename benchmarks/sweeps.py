"""What a sweep spends: trials a threshold, lanes in use, start-up, memory."""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.simulated import searched
from jaxflow import GradientFlow, LocalRunner, Point, ShallowNetwork, Trial
from jaxflow.flow.events import Certificate
from jaxflow.papers.bounds import published_horizon, width_rule
from jaxflow.problems.shallow.initialization import Dominated
from jaxflow.problems.shallow.inputs import Orthogonal
from jaxflow.sampling.threshold import ThresholdPlan

# Threshold, 10-90 % width in log n and lapse: maximum likelihood of the counts published for
# experiment 1.0 of arXiv 2502.16977 (d = 100, p = 37), 1360 trials.
TRUTH = 1657.0, 0.0965, 0.008
PLAN = ThresholdPlan(1000, 3000, 0.01)
STUDIES = 200
SMALL = """
name = "small"
event.square = 1.0
[axes]
d = [15]
p = [60]
[dynamics.descent]
kind = "descent"
[dynamics.flow]
kind = "flow"
[threshold]
low = 50
high = 1000
relative_half_width = 0.04
"""


def simulated(seed: int) -> tuple[int, bool]:
    """Trials spent by a simulated study, and whether its interval covers the truth."""
    search = searched(PLAN, TRUTH, seed)
    low, high = search.posterior().interval()
    return len(search.ended), bool(low <= TRUTH[0] <= high)


def thresholds() -> dict[str, Any]:
    """Median trials and coverage over simulated studies."""
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        found = list(pool.map(simulated, range(STUDIES), chunksize=10))
    trials, covered = zip(*found, strict=True)
    return {"trials": median(trials), "coverage": sum(covered) / STUDIES, "studies": STUDIES}


def _timed(*arguments: str, **environment: str) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "jaxflow", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, done.stderr


def _utilization(log: str) -> float:
    return float(log.split("lane utilization ")[1].split(" %")[0]) / 100


def startup_and_lanes() -> dict[str, Any]:
    """Seconds of a small threshold study cold, warm and finished, and its lane utilization."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "small.toml"
        study.write_text(SMALL)
        cache = {"XDG_CACHE_HOME": folder}
        cold, major = _timed("run", str(study), "--out", f"{folder}/cold", **cache)
        warm, _ = _timed("run", str(study), "--out", f"{folder}/warm", **cache)
        finished = [_timed("run", str(study), "--out", f"{folder}/warm", **cache)[0]]
        finished += [_timed("run", str(study), "--out", f"{folder}/warm", **cache)[0] for _ in "12"]
        parallel = ("--transform", "vmap")
        _, other = _timed("run", str(study), "--out", f"{folder}/parallel", *parallel, **cache)
        return {
            "cold_seconds": cold,
            "warm_seconds": warm,
            "finished_seconds": median(finished),
            "help_seconds": median(_timed("--help")[0] for _ in range(5)),
            "utilization_mapped": _utilization(major),
            "utilization_lane_parallel": _utilization(other),
        }


def orthogonal(n: int) -> dict[str, Any]:
    """One trial of orthogonal data with n = d, by its outcome, seconds and peak of memory."""
    problem = ShallowNetwork(Orthogonal(), initialization=Dominated(shrink=0.01))
    p = width_rule(n, 0.05)
    trial = Trial("flow", Point(n, n, p), 0, 10 * published_horizon(n, p))
    began = time.perf_counter()
    with LocalRunner(problem, {"flow": GradientFlow()}, event=Certificate(1e-6)) as runner:
        (row,) = runner.run([trial])
    return {
        "n": n,
        "outcome": row.outcome,
        "flow_time": row.flow_time,
        "peak_mib": machine.peak_memory() / 2**20,
        "seconds": time.perf_counter() - began,
    }


def orthogonal_alone(n: int = 100_000) -> dict[str, Any]:
    """The same in a process of its own, for its memory."""
    found: dict[str, Any] = machine.alone(f"sweeps.orthogonal({n})")
    return found
