"""What every command does, given its arguments; each returns its exit code.

Every import that costs time waits until a command needs it, and JAX is configured before it
starts.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any


def init(options: argparse.Namespace) -> int:
    """Write a commented study file."""
    from jaxflow.core.errors import mistake
    from jaxflow.study.files import example

    if options.file.exists():
        raise mistake("a file that is not there yet", str(options.file), "choose another name")
    options.file.write_text(example(), encoding="utf-8")
    print(f"wrote {options.file}; fix it, then: jaxflow run {options.file}")
    return 0


def run(options: argparse.Namespace) -> int:
    """Run a study from where its store stands, draw it and print its thresholds."""
    from rich.console import Console

    from jaxflow import report
    from jaxflow.store.finished import is_finished, mark_finished
    from jaxflow.study import files

    console = Console(stderr=True)
    name = f"{files.parsed(options.study).get('name')}{'-small' if options.small else ''}"
    folder = options.out or Path("runs") / str(options.changes.get("name", name))
    flags = sorted({**options.changes, "small": options.small}.items())
    source = files.text(options.study) + "".join(map(repr, flags))
    fresh = not is_finished(folder, source)
    if fresh:
        known = _run_trials(options, folder, console)
        mark_finished(folder, source, known)
    else:
        console.print(f"finished already: {folder}")
    figure = folder / "thresholds.png"
    if fresh or not figure.exists():
        from jaxflow.show.figures import draw

        draw(folder, figure)
    Console().print(report.table(report.thresholds(folder)))
    console.print(f"store {folder / 'trials.sqlite'}, figure {figure}", highlight=False)
    return 0


def _run_trials(options: argparse.Namespace, folder: Path, console: Any) -> int:
    """Run what is left of a study; how many trials its store has then."""
    from jaxflow.core.machine import configure

    configure()
    from jaxflow.engine.settings import Lanes
    from jaxflow.show.progress import Monitor
    from jaxflow.study.run import run
    from jaxflow.study.study import Study

    study = Study.load(options.study, options.changes, small=options.small)
    configure(precision=study.precision)
    lanes = Lanes(
        options.transform, options.width, options.chunk, options.workers, options.coordinates
    )
    began = time.monotonic()
    with Monitor(console) as monitor:
        progress = run(study, folder, lanes, monitor)
    usage = progress.usage
    if usage.trials:
        wall = time.monotonic() - began
        console.print(
            f"{usage.trials} trials in {wall:.1f} s ({usage.trials / wall:.1f} trials/s), "
            f"{usage.evaluations / usage.trials:.0f} evaluations a trial, lane utilization "
            f"{100 * usage.utilization:.0f} %, {len(usage.programs)} programs compiled",
            soft_wrap=True,
            highlight=False,
        )
    return progress.known + usage.trials


def trial(options: argparse.Namespace) -> int:
    """Run one trial and draw its trajectory."""
    from jaxflow.core.machine import configure

    configure()
    from jaxflow.show.trial import follow
    from jaxflow.study.study import Study

    study = Study.load(options.study, options.changes, small=options.small)
    configure(precision=study.precision)
    sizes = {name: getattr(options, name) for name in ("d", "n", "p")}
    row, path = follow(study, sizes, options.dynamics, options.trial_seed, options.out)
    print(
        f"{row.dynamics} d={row.d} n={row.n} p={row.p} seed {row.seed}: {row.outcome} at flow time "
        f"{row.flow_time:.4g} of {row.horizon:g}, {row.evaluations} evaluations, "
        f"loss {row.first_loss:.3g} to {row.last_loss:.3g}"
    )
    print(f"figure {path}")
    return 0


def status(options: argparse.Namespace) -> int:
    """Print where a study stands."""
    from rich.console import Console

    from jaxflow.report import status

    console = Console()
    console.print(status.summary(options.folder), highlight=False, soft_wrap=True)
    console.print(status.table(options.folder))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what is wrong with a store; 1 if anything is."""
    from jaxflow.store.checking import check

    findings = check(options.folder)
    for finding in findings:
        print(finding)
    if not findings:
        print(f"sound: {options.folder}")
    return 1 if findings else 0


def thresholds(options: argparse.Namespace) -> int:
    """Print the thresholds of a store."""
    from jaxflow import report

    found = report.thresholds(options.folder)
    if options.json:
        import json

        print(json.dumps({"thresholds": found}, indent=2))
    else:
        from rich.console import Console

        Console().print(report.table(found))
    return 0


def scaling(options: argparse.Namespace) -> int:
    """Print how thresholds grow."""
    from rich.console import Console

    from jaxflow.report import growth

    console = Console()
    for found in growth.tables(options.folder):
        console.print(found)
    return 0


def times(options: argparse.Namespace) -> int:
    """Print thresholds against the time allowed, and how convergence slows."""
    from rich.console import Console

    from jaxflow.report import times

    console = Console()
    for found in times.tables(options.folder):
        console.print(found)
    return 0


def figure(options: argparse.Namespace) -> int:
    """Draw what a store says."""
    from jaxflow.show.figures import draw

    path = options.out or options.folder / f"{options.kind}.png"
    print(f"figure {draw(options.folder, path, options.kind)}")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the trials of a store as a table."""
    from jaxflow.report import export
    from jaxflow.store.store import Store

    with Store.read(options.folder) as store:
        rows = store.rows()
        about = {"study": store.study_json, "study_hash": store.study_hash}
    labelled = options.file.suffix == ".nc"
    export.write(export.to_xarray(rows, about) if labelled else rows, options.file)
    print(f"{len(rows)} trials in {options.file}")
    return 0


def merge(options: argparse.Namespace) -> int:
    """Add the trials of other stores."""
    from jaxflow.store.merging import merge

    found = merge(options.folder, options.others)
    print(
        f"{found.added} trials added to {options.folder}; {found.already_there} were there "
        f"already, {found.differing} of them with another outcome"
    )
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Print versions and devices, and check the numerics."""
    del options
    from jaxflow.core.machine import configure, versions

    configure()
    import jax

    from jaxflow.engine.reference import check_numerics

    print(versions())
    for device in jax.devices():
        print(f"device {device.id}: {device.platform} {device.device_kind}")
    print(f"cores: {os.cpu_count()}")
    print(f"numerics: float32 field within {check_numerics('float32'):.1e} of float64 NumPy")
    return 0


def presets(options: argparse.Namespace) -> int:
    """Print the studies that come with the package."""
    del options
    from jaxflow.study.files import presets

    for name, resource in presets().items():
        comments = (
            line.lstrip("# ") for line in resource.read_text().splitlines() if line[:1] == "#"
        )
        print(f"{name:12s} {' '.join(comments)}")
    return 0
