"""Field evaluations and wall time of a decided trial, by dynamics and solver.

`python -m benchmarks` measures the same trials of experiment 1.2 (arXiv 2502.16977, d = 30,
p = 100) under the default flow, the flow by Tsit5, and the published descent, in interleaved
repetitions on all cores; it prints a table and writes benchmarks/results/latest.json.
"""

import json
import os
import platform
import time
from pathlib import Path
from statistics import median

if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
    os.environ["XLA_FLAGS"] = flags.strip()

from rich.console import Console
from rich.table import Table

from jaxflow import GradientDescent, GradientFlow, Outcome, Point, Row, Runner, Trial
from jaxflow._versions import versions
from jaxflow.ensemble import Ensemble
from jaxflow.theory import published_horizon

D, P = 30, 100
RESULTS = Path(__file__).parent / "results" / "latest.json"
DYNAMICS = {
    "flow, RKC2": GradientFlow(),
    "flow, Tsit5 1e-3": GradientFlow("Tsit5", 1e-3, 1e-3),
    "descent, step 1": GradientDescent(1.0),
}
CASES = [(300, name, 8) for name in DYNAMICS] + [(800, name, 8) for name in DYNAMICS]
REPETITIONS = 3


def trials(n: int, name: str, count: int) -> list[Trial]:
    """The first `count` trials of one point under one dynamics."""
    return [Trial(name, Point(D, n, P), seed, published_horizon(n, P)) for seed in range(count)]


def measured(runner: Runner) -> dict[tuple[int, str], tuple[list[Row], float]]:
    """Rows and median wall seconds of every case; compilation and a first run come before."""
    rows = {(n, name): runner.run(trials(n, name, count)) for n, name, count in CASES}
    walls: dict[tuple[int, str], list[float]] = {key: [] for key in rows}
    for _ in range(REPETITIONS):
        for n, name, count in CASES:
            began = time.perf_counter()
            runner.run(trials(n, name, count))
            walls[n, name].append(time.perf_counter() - began)
    return {key: (found, median(walls[key])) for key, found in rows.items()}


def records(runner: Runner) -> list[dict[str, object]]:
    """One record a case."""
    made = []
    for (n, name), (rows, wall) in measured(runner).items():
        evaluations = sum(row.evaluations for row in rows)
        converged = [row for row in rows if row.outcome is Outcome.CONVERGED]
        made.append(
            {
                "n": n,
                "dynamics": name,
                "trials": len(rows),
                "converged": len(converged),
                "median_flow_time": median(row.flow_time for row in rows),
                "evaluations_per_trial": evaluations / len(rows),
                "seconds_per_trial": wall / len(rows),
                "gflops": 4 * n * D * P * evaluations / wall / 1e9,
            }
        )
    return made


def claims(found: list[dict[str, object]]) -> list[dict[str, object]]:
    """Numbers with a target."""
    at = {(r["n"], r["dynamics"]): float(str(r["evaluations_per_trial"])) for r in found}
    names = list(DYNAMICS)
    ratio = at[800, names[1]] / at[800, names[0]]
    return [
        {
            "id": "evaluations-n800",
            "what": "evaluations of Tsit5 (tolerances 1e-3) over RKC2, d=30 p=100 n=800",
            "measured": ratio,
            "target": 5.0,
            "holds": ratio >= 5.0,
        }
    ]


def main() -> None:
    """Measure, print, write."""
    with Runner(Ensemble(), DYNAMICS, success=1.0) as runner:
        found = records(runner)
    table = Table("n", "dynamics", "converged", "evaluations", "s / trial", "GFLOP/s", box=None)
    for r in found:
        numbers = (r["evaluations_per_trial"], r["seconds_per_trial"], r["gflops"])
        cells = [f"{float(str(x)):.{k}f}" for x, k in zip(numbers, (0, 3, 1), strict=True)]
        table.add_row(str(r["n"]), str(r["dynamics"]), f"{r['converged']}/{r['trials']}", *cells)
    Console().print(table)
    written = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "versions": versions(),
        "measurements": found,
        "claims": claims(found),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(written, indent=2) + "\n")
    print(json.dumps(written["claims"], indent=2))


if __name__ == "__main__":
    main()
