"""`python -m benchmarks`: jaxflow and its peers on the same trials, and what a sweep spends.

Prints tables and writes benchmarks/results/latest.json (gpu.json on a GPU): machine, measurements,
and claims with their targets. PyTorch takes part where it is installed. About ten minutes; with the
names of sections, `python -m benchmarks large sweep`, only those are measured anew.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
    os.environ["XLA_FLAGS"] = flags.strip()

import jax
from rich.console import Console
from rich.table import Table

from benchmarks import claims, contestants, door, experiment, growth, machine, steps, sweeps

RESULTS = Path(__file__).parent / "results"
REPETITIONS = 3


def table(title: str, columns: dict[str, str], records: list[dict[str, Any]]) -> Table:
    """Records as a table; `columns` gives each key its format."""
    made = Table(title=title, title_justify="left", box=None)
    for name in columns:
        made.add_column(name.replace("_", " "), justify="left" if columns[name] == "" else "right")
    for record in records:
        made.add_row(*(format(record[name], form) for name, form in columns.items()))
    return made


def _known(path: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """The measurements of an earlier run, and the seconds that each section took."""
    if not path.exists():
        return {}, {}
    written = json.loads(path.read_text())
    return written["measurements"], written.get("seconds", {})


def main() -> None:
    """Measure, print, write."""
    console = Console(width=140)
    on_gpu = jax.default_backend() == "gpu"
    has_torch = find_spec("torch") is not None
    peak, bandwidth = machine.product_peak(), machine.stream_bandwidth()
    sections: dict[str, Callable[[], Any]] = {
        "peers": lambda: contestants.measure(REPETITIONS, has_torch),
        "growth": lambda: growth.measure(1e9 * peak, 1e9 * bandwidth, on_gpu),
        "door": door.measure,
    }
    if on_gpu:
        sections["experiment"] = experiment.measure
        sections["large"] = lambda: sweeps.orthogonal(10**6)
    else:
        sections["steps"] = steps.measure_alone
        sections["sweep"] = sweeps.startup_and_lanes
        sections["thresholds"] = sweeps.thresholds
        sections["large"] = sweeps.orthogonal_alone
    path = RESULTS / ("gpu.json" if on_gpu else "latest.json")
    wanted = sys.argv[1:] or list(sections)
    found, spent = _known(path)
    host = machine.description() | {"peak_gflops": peak, "bandwidth_gb_per_s": bandwidth}
    for name in wanted:
        began = time.perf_counter()
        found[name] = sections[name]()
        spent[name] = round(time.perf_counter() - began, 1)
        console.print(f"{name}: {spent[name]} s", highlight=False)
        _write(path, host, found, spent)
    numbers = {
        "case": "",
        "contestant": "",
        "trials": "d",
        "converged": "d",
        "seconds_per_trial": ".4f",
        "evaluations_per_trial": ".0f",
        "gflops": ".1f",
        "share_of_peak": ".0%",
    }
    console.print(table("Peers on the same trials", numbers, found["peers"]))
    evaluation = {
        "kind": "",
        "coordinates": "",
        "d": "d",
        "n": "d",
        "p": "d",
        "microseconds": ".0f",
        "roofline_microseconds": ".0f",
        "binds": "",
        "gflops": ".1f",
    }
    console.print(table("One field evaluation, all workers busy", evaluation, found["growth"]))
    if "steps" in found:
        rows = ("products", "field", "padded", "descent", "flow", "draw")
        formats = {"case": "", "products_gflops": ".0f", **dict.fromkeys(rows, ".1f")}
        title = "Microseconds of a step on one core, and of a draw"
        console.print(table(title, formats, found["steps"]))
    beside = {
        "case": "",
        "closed_forms_us": ".0f",
        "one_sample_us": ".0f",
        "ratio": ".2f",
        "converged": "d",
        "converged_one_sample": "d",
        "fisher_p": ".2f",
    }
    console.print(table("An evaluation, written one sample at a time", beside, found["door"]))
    verdict = {"id": "", "what": "", "measured": ".3g", "target": ".3g", "holds": ""}
    console.print(table("Claims", verdict, claims.of(found)))


def _write(path: Path, host: Any, found: dict[str, Any], spent: dict[str, float]) -> None:
    """What has been measured by now; sections of an earlier run stay until theirs is done."""
    host = host | {"peak_memory_mib": machine.peak_memory() / 2**20}
    written = {"machine": host, "seconds": spent, "measurements": found, "claims": claims.of(found)}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(written, indent=2) + "\n")


if __name__ == "__main__":
    main()
