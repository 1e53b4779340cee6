"""A study of 10^6 trials whose fields are not computed: everything else of a run at that size.

`python -m benchmarks.large` runs an adaptive study through searches, schedule, packets and store
with workers that answer at once, as if every trial took so long; then it times the reports. Rows
are those of a coin whose threshold is known (benchmarks/simulated.py). `--trials` is their number.
"""

import argparse
import json
import queue
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.marked import between
from benchmarks.simulated import Truth, happens, row
from jaxflow.core.machine import versions
from jaxflow.core.types import Point, Trial
from jaxflow.engine.cluster import ClusterRunner
from jaxflow.engine.connection import Known
from jaxflow.engine.packets import Answer
from jaxflow.engine.runner import Usage
from jaxflow.engine.settings import Settings
from jaxflow.study import run as studies
from jaxflow.study.study import Study

SLICES = 40
WORKERS = 64
SECONDS = 0.05  # that a trial takes a worker, in the account of the workers
COMMANDS = (
    "thresholds", "status", "figure", "report", "check",
    "export.parquet", "export.csv", "export.nc",
)  # fmt: skip
RESULT = Path(__file__).parent / "results" / "large.json"
PAGE = Path(__file__).parents[1] / "docs" / "large.md"
LINES = {
    "trials": "trials",
    "trials_per_second": "trials a second, in one process that proposes and stores",
    "coordinator_gib": "its memory, GiB",
    "store_gib": "`trials.sqlite`, GiB",
    "thresholds_seconds": "`jaxflow thresholds`, s",
    "status_seconds": "`jaxflow status`, s: it proposes all rounds again",
    "figure_seconds": "`jaxflow figure`, s",
    "report_seconds": "`jaxflow report`, s",
    "report_mb": "the page that it writes, MB",
    "check_seconds": "`jaxflow check`, s",
    "export.parquet_seconds": "`jaxflow export` to parquet, s",
    "export.csv_seconds": "to CSV, s",
    "export.nc_seconds": "to NetCDF, s",
    "most_gib_of_commands": "memory of the largest of them, GiB",
}


def study(trials: int) -> Study:
    """Slices whose searches end at the number of trials that each may have.

    Their thresholds are so large that no interval is shorter than a sample before that.
    """
    each = trials // SLICES
    return Study.from_table(
        {
            "name": "large",
            "axes": {"d": [100], "p": list(range(20, 20 + SLICES))},
            "horizon": {"time": 100.0},
            "dynamics": {"flow": {"kind": "flow"}},
            "threshold": {
                "low": 300,
                "high": 30_000,
                "relative_half_width": 0.0005,
                "batch": max(20, each // 20),
                "max_trials": each,
            },
        }
    )


def truth(point: Point) -> Truth:
    """Threshold, width and lapse at a width p."""
    return 80.0 * point.p, 0.2, 0.0


class Simulated:
    """A connection to workers that answer at once, as those would who compute."""

    address, silence = "simulated", 0.0

    def __init__(self) -> None:
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.workers = {f"tcp://{i}": Known(str(i), 1) for i in range(WORKERS)}
        self._usage = {address: Usage() for address in self.workers}

    def submit(self, number: int, worker: str, trials: Sequence[Trial]) -> None:
        """Put the answer where it is looked for."""
        usage = self._usage[worker]
        usage.trials += len(trials)
        usage.evaluations += 200 * len(trials)
        usage.busy += SECONDS * len(trials)
        rows = [
            replace(
                row(trial, converged),
                reason="event" if converged else "horizon",
                program=f"D{trial.point.d} N{trial.point.n} P{trial.point.p} B1 map ambient",
                versions=versions(),
            )
            for trial in trials
            for converged in [happens(trial, truth, 0)]
        ]
        self.answers.put((number, Answer(worker, rows, {}, replace(usage))))

    def listen_anew(self) -> None:
        """There is no silence."""

    def forget(self, number: int) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def simulated(made: Study, *_: Any) -> Iterator[ClusterRunner]:
    """What runs the trials of the study."""
    protocol = made.protocol
    settings = Settings(protocol.problem, protocol.dynamics, protocol.by_name, protocol.precision)
    with ClusterRunner(Simulated(), settings) as runner:  # type: ignore[arg-type]
        yield runner


def gigabytes(who: int) -> float:
    """Most memory of this process, or of those that it waited for."""
    return resource.getrusage(who).ru_maxrss / 2**20


def measured(folder: Path, trials: int) -> dict[str, float]:
    """Run the study, then the commands on its store."""
    studies.runner_of = simulated  # type: ignore[assignment]
    began = time.monotonic()
    progress = studies.run(study(trials), folder)
    seconds = time.monotonic() - began
    found = {
        "trials": progress.ended,
        "run_seconds": seconds,
        "trials_per_second": progress.ended / seconds,
        "coordinator_gib": gigabytes(resource.RUSAGE_SELF),
        "store_gib": (folder / "trials.sqlite").stat().st_size / 2**30,
        **{f"run_{name}_seconds": x for name, x in progress.watch.seconds.items()},
    }
    for command in COMMANDS:
        name, _, suffix = command.partition(".")
        target = [str(folder / f"trials.{suffix}")] if suffix else []
        began = time.monotonic()
        with (folder / "said.txt").open("w") as said:
            line = [sys.executable, "-m", "jaxflow", name, str(folder), *target]
            subprocess.run(line, check=True, stdout=said)
        found[f"{command}_seconds"] = time.monotonic() - began
        found["most_gib_of_commands"] = gigabytes(resource.RUSAGE_CHILDREN)
        print(f"{command:16} {found[f'{command}_seconds']:7.1f} s", flush=True)
    found["report_mb"] = (folder / "report.html").stat().st_size / 1e6
    return found


def table(found: Mapping[str, float]) -> str:
    """The result in Markdown, to two or three digits."""
    lines = [f"| {said} | {_number(found[name])} |" for name, said in LINES.items()]
    return "\n".join(["| what | measured |", "|---|---|", *lines])


def _number(x: float) -> str:
    return f"{x:.2g}" if x < 100 else f"{float(f'{x:.3g}'):,.0f}".replace(",", " ")


def page(text: str, found: Mapping[str, float]) -> str:
    """The page with the table between its two marks."""
    return between(text, "large", table(found))


def main() -> None:
    """Measure, and write what was found beside the other results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10**6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), options.trials)
    rounded = {name: float(f"{x:.4g}") for name, x in found.items()}
    print(json.dumps(rounded, indent=2))
    if options.trials == 10**6:
        RESULT.write_text(json.dumps(rounded, indent=2) + "\n")
        PAGE.write_text(page(PAGE.read_text(), rounded))


if __name__ == "__main__":
    main()
