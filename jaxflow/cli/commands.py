"""What every command does, given its arguments; each returns its exit code.

Every import that costs time waits until a command needs it, and JAX is configured before it
starts: one thread a core, and the compilation cache in the user's cache folder.
"""

import argparse
import os
import sys
import time
from itertools import dropwhile
from pathlib import Path
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, TextIO

from jaxflow.core.errors import mistake, printable

if TYPE_CHECKING:
    from jaxflow.show.text import Table

STUDY_FILE = "study.toml"  # in the folder of a store
WIDTH = 80  # columns of a terminal


def init(options: argparse.Namespace) -> int:
    """Write a commented study file."""
    from jaxflow.study.files import example

    try:
        with options.file.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError:
        got = str(options.file)
        raise mistake("a file that is not there yet", got, "choose another name") from None
    say(f"wrote {options.file}; fix it, then: jaxflow run {options.file}")
    return 0


def run(options: argparse.Namespace) -> int:
    """Run a study from where its store stands, draw it and print its thresholds."""
    from jaxflow import report
    from jaxflow.store.finished import is_finished, mark_finished
    from jaxflow.study import files

    folder = _folder(options)
    flags = sorted({**options.changes, "small": options.small}.items())
    source = files.text(options.study) + "".join(map(repr, flags))
    fresh = not is_finished(folder, source)
    if fresh:
        known = _run_trials(options, folder)
        mark_finished(folder, source, known)
    else:
        say(f"finished already: {folder}", sys.stderr)
    figure = folder / "thresholds.png"
    if fresh or not figure.exists():
        from jaxflow.show.figures import draw

        draw(folder, figure)
    from jaxflow.show import tables

    _show(tables.thresholds(report.thresholds(folder)))
    say(f"store {folder / 'trials.sqlite'}")
    say(f"figure {figure}")
    return 0


def _folder(options: argparse.Namespace) -> Path:
    """Where the store goes; a STUDY that is a folder becomes the study file in it."""
    from jaxflow.study import files

    source = Path(options.study)
    goes_on = source.is_dir() and options.study not in files.presets()
    if goes_on:
        if not (source / STUDY_FILE).exists():
            raise mistake(f"a folder with a {STUDY_FILE}", options.study, "name a study file")
        options.study = str(source / STUDY_FILE)
    if options.out or goes_on:
        return Path(options.out or source)
    name = f"{files.parsed(options.study).get('name')}{'-small' if options.small else ''}"
    name = str(options.changes.get("name", name))
    if name in ("", ".", "..") or Path(name).name != name or not name.isprintable():
        raise mistake("a name that a folder can have", name, "rename the study, or give --out")
    return Path("runs") / name


def _run_trials(options: argparse.Namespace, folder: Path) -> int:
    """Run what is left of a study; how many trials its store has then."""
    _configure()
    from jaxflow.engine.lanes import Lanes
    from jaxflow.show.progress import Monitor
    from jaxflow.study.run import run
    from jaxflow.study.study import Study

    study = Study.load(options.study, options.changes, small=options.small)
    _set_precision(study.precision)
    lanes = Lanes(
        options.transform, options.width, options.chunk, options.workers, options.coordinates
    )
    began = time.monotonic()
    with Monitor() as monitor:
        progress = run(study, folder, lanes, monitor)
    usage = progress.usage
    if usage.trials:
        wall = time.monotonic() - began
        say(
            f"{usage.trials} trials in {wall:.1f} s ({usage.trials / wall:.1f} trials/s), "
            f"{usage.evaluations / usage.trials:.0f} evaluations a trial, lane utilization "
            f"{100 * usage.utilization:.0f} %, {len(usage.programs)} programs compiled",
            sys.stderr,
        )
    return progress.known + usage.trials


def trial(options: argparse.Namespace) -> int:
    """Run one trial and draw its trajectory."""
    _configure()
    from jaxflow.show.figures import drawn, save, trajectory
    from jaxflow.study.study import Study
    from jaxflow.study.trial import follow

    study = Study.load(options.study, options.changes, small=options.small)
    _set_precision(study.precision)
    sizes = {name: getattr(options, name) for name in ("d", "n", "p")}
    row, found = follow(study, sizes, options.dynamics, options.trial_seed)
    say(
        f"{row.dynamics} d={row.d} n={row.n} p={row.p} seed {row.seed}: {row.outcome} at flow time "
        f"{row.flow_time:.4g} of {row.horizon:g}, {row.evaluations} evaluations, "
        f"loss {row.first_loss:.3g} to {row.last_loss:.3g}"
    )
    step = getattr(study.dynamics[row.dynamics], "step", None)
    with drawn(lambda: trajectory(row, found, step)) as made:
        say(f"figure {save(made, options.out)}")
    return 0


def status(options: argparse.Namespace) -> int:
    """Print where a study stands."""
    from jaxflow import report
    from jaxflow.show import tables

    found = report.status(options.folder)
    say(found)
    _show(tables.status(found))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what is wrong with a store; 1 if anything is."""
    from jaxflow.store.checking import check

    findings = check(options.folder)
    for finding in findings:
        say(finding)
    if not findings:
        say(f"sound: {options.folder}")
    return 1 if findings else 0


def thresholds(options: argparse.Namespace) -> int:
    """Print the thresholds of a store."""
    from jaxflow import report

    found = report.thresholds(options.folder)
    if options.json:
        import json

        print(json.dumps({"thresholds": found}, indent=2))
    else:
        from jaxflow.show import tables

        _show(tables.thresholds(found))
    return 0


def scaling(options: argparse.Namespace) -> int:
    """Print how thresholds grow."""
    from jaxflow import report
    from jaxflow.show import laws

    _show(*laws.scaling(report.slices(options.folder)))
    return 0


def times(options: argparse.Namespace) -> int:
    """Print thresholds against the time allowed, and how convergence slows."""
    from jaxflow import report
    from jaxflow.show import laws

    _show(*laws.times(report.slices(options.folder)))
    return 0


def figure(options: argparse.Namespace) -> int:
    """Draw what a store says."""
    from jaxflow.show.figures import draw

    path = options.out or options.folder / f"{options.kind}.png"
    say(f"figure {draw(options.folder, path, options.kind)}")
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
    say(f"{len(rows)} trials in {options.file}")
    return 0


def merge(options: argparse.Namespace) -> int:
    """Add the trials of other stores."""
    from jaxflow.store.merging import merge

    found = merge(options.folder, options.others)
    say(
        f"{found.added} trials added to {options.folder}; {found.already_there} were there "
        f"already, {found.differing} of them with another outcome"
    )
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Print versions and devices, and check the numerics."""
    del options
    _configure()
    import jax

    from jaxflow.core.machine import versions
    from jaxflow.engine.numerics import check_numerics

    print(versions())
    for device in jax.devices():
        print(f"device {device.id}: {device.platform} {device.device_kind}")
    print(f"cores: {os.cpu_count()}")
    print(f"numerics: float32 field within {check_numerics('float32'):.1e} of float64 NumPy")
    return 0


def presets(options: argparse.Namespace) -> int:
    """Print what the studies that come with the package are for, or all that one of them says."""
    from jaxflow.study import files

    if options.name:
        for line in wrap(files.description(options.name), WIDTH):
            print(line)
        print(f"\n{_without_comments(files.text(options.name))}\n\njaxflow run {options.name}")
        return 0
    names = list(files.presets())
    room = max(map(len, names))
    for name in names:
        said = shorten(files.purpose(name), WIDTH - room - 2, placeholder=" ..")
        print(f"{name:{room}}  {said}")
    return 0


def _without_comments(text: str) -> str:
    """A study file but for the paragraph on top."""
    return "\n".join(dropwhile(lambda line: not line or line[0] == "#", text.splitlines()))


def say(text: object, file: TextIO | None = None) -> None:
    """Print a line, whatever names are in it."""
    print(printable(text), file=file)


def _show(*tables: "Table") -> None:
    from rich.console import Console

    console = Console()
    for table in tables:
        console.print(table)


def _configure() -> None:
    """Set what JAX reads when it starts. The library itself never does."""
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    # XLA calls it an error that a program in the cache was tuned for this very machine
    # (openxla/xla#44565); what goes wrong in earnest is raised by JAX.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import jax

    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        jax.config.update("jax_compilation_cache_dir", str(home / "jaxflow" / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def _set_precision(precision: str) -> None:
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")
