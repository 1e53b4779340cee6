"""What the benchmarks measured, with machine and date, from benchmarks/results."""

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import prose

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
RUNS = {"latest": "On CPU cores", "gpu": "On a GPU"}
PEERS = """An evaluation of the field is counted as 4 n d p flops, those of two dense products. The
peak is the speed of products of large matrices on the same machine. On orthogonal data jaxflow
forms no dense product, so that its share is above 100 %."""


def text() -> str:
    """Every run that is there, the frontier of tolerances, the calibration."""
    parts = [
        _run(title, json.loads(path.read_text()), path)
        for name, title in RUNS.items()
        if (path := RESULTS / f"{name}.json").exists()
    ]
    return "\n\n".join([*parts, _frontier(), _calibration()])


def _run(title: str, found: dict[str, Any], path: Path) -> str:
    peers = found.get("measurements", {}).get("peers", [])
    return "\n\n".join([f"## {title}", _machine(found, path), _claims(found), _peers(peers)])


def _claims(found: dict[str, Any]) -> str:
    rows = [[prose.line(c["what"]), _short(c["measured"])] for c in found.get("claims", [])]
    return _table(["what", "measured"], rows)


def _peers(records: list[dict[str, Any]]) -> str:
    if not records:
        return ""
    rows = [
        [
            r["case"],
            r["contestant"],
            _short(r["seconds_per_trial"]),
            f"{r['evaluations_per_trial']:.0f}",
            f"{100 * r['share_of_peak']:.0f} %",
        ]
        for r in records
    ]
    head = ["case", "by", "seconds a trial", "evaluations a trial", "share of peak flops"]
    return "\n\n".join(["### The same trials by others", PEERS, _table(head, rows)])


def _frontier() -> str:
    path = RESULTS / "frontier.json"
    found = json.loads(path.read_text())
    rows = [
        [
            str(r["n"]),
            r["variant"],
            _short(r["rtol"]),
            f"{r['evaluations']:.0f}",
            f"{r['bias_percent']:+.1f} ± {r['standard_error']:.1f} %",
        ]
        for r in found["measurements"]
    ]
    head = ["n", "solver and norm", "rtol", "evaluations", "bias of the convergence time"]
    picture = "![Bias against evaluations](../benchmarks/results/frontier.png)"
    said = "Evaluations of the field against the bias of the convergence time, d = 30, p = 100."
    title = "## Solvers and tolerances"
    return "\n\n".join([title, said, _machine(found, path), picture, _table(head, rows)])


def _calibration() -> str:
    path = RESULTS / "calibration.json"
    found = json.loads(path.read_text())
    rows = []
    for record in found["records"]:
        for name, entry in record["parameters"].items():
            if "0.95" in entry["coverage"]:
                share, low, high = entry["coverage"]["0.95"]
                inside = f"{100 * share:.1f} [{100 * low:.1f}, {100 * high:.1f}] %"
                studies = str(record["studies"])
                rows.append([record["simulator"], studies, name, inside])
    said = "How often 95 % intervals hold a truth that is known, of simulated studies."
    head = ["simulated", "studies", "of", "intervals that hold it"]
    title = "## Calibration"
    return "\n\n".join([title, said, _machine(found, path), _table(head, rows)])


def _machine(found: dict[str, Any], path: Path) -> str:
    """A line on what it ran, and when."""
    machine = found["machine"]
    names = ("jax", "jaxlib", "diffrax", "torch")
    versions = ", ".join(f"{name} {machine[name]}" for name in names if machine.get(name))
    where = machine.get("gpu") or machine.get("device") or f"{machine['cores']} cores"
    return f"{machine['cpu']}, {where}; Python {machine['python']}, {versions}; {_date(path)}."


def _date(path: Path) -> str:
    """When the file was committed, or, outside of a repository, written."""
    ask = ["git", "log", "-1", "--format=%as", "--", str(path)]
    try:
        done = subprocess.run(ask, cwd=path.parent, capture_output=True, text=True, check=False)
    except OSError:
        return date.fromtimestamp(path.stat().st_mtime).isoformat()
    return done.stdout.strip() or date.fromtimestamp(path.stat().st_mtime).isoformat()


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def _short(x: float) -> str:
    return f"{x:.3g}" if x < 1000 else f"{x:.0f}"
