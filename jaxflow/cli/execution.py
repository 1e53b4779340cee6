"""The commands that compute: `run`, `trial`, and `doctor`.

JAX is configured before it starts: one thread a core, and the compilation cache in the user's cache
folder.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxflow.cli.output import print_json, say, show
from jaxflow.core.errors import mistake

if TYPE_CHECKING:
    from jaxflow.core.types import Row
    from jaxflow.engine.settings import Lanes
    from jaxflow.sampling.part import Part
    from jaxflow.study.run import Progress
    from jaxflow.study.study import Study


def run(options: argparse.Namespace) -> int:
    """Run a study from where its store stands, draw it and print its thresholds."""
    from jaxflow.sampling.part import Part
    from jaxflow.study import files

    part = Part.read(options.part)
    table = files.table(options.study, options.changes, small=options.small)
    folder = _folder(options, table)
    progress = _run_trials(options, table, folder, part)
    if part.of > 1 and _is_empty(folder):
        say(f"no work for part {part}: the study has fewer searches and trials than parts")
        return 0
    from jaxflow import report
    from jaxflow.engine.runner import Stopwatch
    from jaxflow.show import terminal

    watch = progress.watch if progress else Stopwatch()
    with watch.of("report"):
        found = report.slices(folder)
        show(terminal.summary(found))
    path = folder / "thresholds.png"
    if progress or not path.exists():
        from jaxflow.show.figures import drawn, figure, save

        with watch.of("drawing"), drawn(lambda: figure(found)) as made:
            save(made, path)
    if not options.quiet:
        say(f"store {folder / 'trials.sqlite'}")
        say(f"figure {path}")
    if options.profile:
        show(terminal.profile(watch.seconds, progress.usage if progress else None))
    return 0


def _folder(options: argparse.Namespace, table: dict[str, Any]) -> Path:
    """Where the store goes: into a STUDY that is a folder."""
    from jaxflow.study import files

    goes_on = Path(options.study).is_dir() and options.study not in files.presets()
    if options.out or goes_on:
        return Path(options.out or options.study)
    name = str(table.get("name"))
    if name in ("", ".", "..") or Path(name).name != name or not name.isprintable():
        raise mistake("a name that a folder can have", name, "rename the study, or give --out")
    return Path("runs") / name


def _run_trials(
    options: argparse.Namespace, table: dict[str, Any], folder: Path, part: "Part"
) -> "Progress | None":
    """Run what is left of a study; None where it was finished already."""
    from jaxflow.report.status import is_finished
    from jaxflow.study import files

    fingerprint = files.fingerprint(table)
    if is_finished(folder, fingerprint, part):
        if not options.quiet:
            say(f"finished already: {folder}", sys.stderr)
        return None
    from jaxflow.core.machine import check_address_space, configure, leave_accelerators

    if said := check_address_space():
        say(f"jaxflow: {said}", sys.stderr)
    configure()
    from rich.console import Console

    from jaxflow.show.progress import Monitor
    from jaxflow.study.run import run
    from jaxflow.study.runners import Cluster

    is_local = not (options.cluster or options.workers)
    cluster = None if is_local else Cluster(options.cluster, options.workers)
    if cluster is not None:
        leave_accelerators()
    study = load(options.study, table)
    lanes = _lanes(options)
    with Monitor(Console(stderr=True, quiet=options.quiet)) as monitor:
        progress = run(
            study, folder, lanes, monitor, part=part, cluster=cluster, fingerprint=fingerprint
        )
    if not options.quiet:
        say(monitor.summary(progress), sys.stderr)
    return progress


def _lanes(options: argparse.Namespace) -> "Lanes":
    from jaxflow.core.machine import devices
    from jaxflow.engine.settings import Lanes

    return Lanes(
        transform=options.transform,
        width=options.width,
        chunk=options.chunk,
        threads=options.threads,
        coordinates=options.coordinates,
        devices=devices(options.devices),
    )


def _is_empty(folder: Path) -> bool:
    """Whether the store in a folder has no trials."""
    from jaxflow.store.store import Store

    with Store.read(folder) as store:
        return not store.select("SELECT 1 FROM trials LIMIT 1")


def trial(options: argparse.Namespace) -> int:
    """Run one trial and draw its trajectory."""
    from jaxflow.core.machine import configure

    configure()
    from jaxflow.show import figures
    from jaxflow.study import files
    from jaxflow.study.trial import follow

    table = files.table(options.study, options.changes, small=options.small)
    study = load(options.study, table)
    sizes = {name: getattr(options, name) for name in ("d", "n", "p")}
    row, found = follow(study, sizes, options.dynamics, options.trial_seed)
    if options.json:
        trajectory = {name: values.tolist() for name, values in found.items()}
        print_json({**row.as_dict(), "trajectory": trajectory})
    else:
        say(_told(row))
    path = options.out or (None if options.json else Path("trial.png"))
    if path:
        step = study.dynamics[row.dynamics].euler_step
        with figures.drawn(lambda: figures.trajectory(row, found, step)) as made:
            saved = figures.save(made, path)
        if not options.quiet:
            say(f"figure {saved}", sys.stderr if options.json else None)
    return 0


def _told(row: "Row") -> str:
    """A trial in a line."""
    others = "".join(f" {name.rpartition('.')[2]}={x:g}" for name, x in row.parameters)
    return (
        f"{row.dynamics} d={row.d} n={row.n} p={row.p}{others} seed {row.seed}: "
        f"{row.outcome} at flow time "
        f"{row.flow_time:.4g} of {row.horizon:g}, {row.evaluations} evaluations, "
        f"loss {row.first_loss:.3g} to {row.last_loss:.3g}"
    )


def doctor(options: argparse.Namespace) -> int:
    """Print versions and devices, check the numerics, and the problem of a study."""
    from jaxflow.core.machine import configure, packages, versions

    configure()
    import jax

    from jaxflow.engine.reference import check_numerics

    tell = (lambda line: None) if options.json else say
    tell(versions())
    for device in jax.devices():
        tell(f"device {device.id}: {device.platform} {device.device_kind}")
    tell(f"cores: {os.cpu_count()}")
    error = check_numerics("float32")
    tell(f"numerics: float32 field within {error:.1e} of float64 NumPy")
    place = _tried(options.study) if options.study else {}
    if place:
        said = ", ".join(f"{name} = {x:g}" for name, x in place.items())
        tell(f"problem: keys, padding, loss and gradient are sound at {said}")
    if options.json:
        devices = [f"{device.platform} {device.device_kind}" for device in jax.devices()]
        found = {"versions": packages(), "devices": devices, "cores": os.cpu_count()}
        print_json({**found, "float32_error": error, "problem_tried_at": place or None})
    return 0


def _tried(source: str) -> dict[str, float]:
    """Where the problem of a study was tried, in the precision of the study."""
    from jaxflow.study import files
    from jaxflow.study.trying import try_problem

    point = try_problem(load(source, files.table(source)))
    return {name: point[name] for name in ("d", "n", "p")}


def load(source: str, table: dict[str, Any]) -> "Study":
    """The study of a table, in whose precision JAX computes from now on.

    Modules beside its file, or beside its store, can be named in it.
    """
    from jaxflow.core.machine import configure
    from jaxflow.core.open_names import importing_from
    from jaxflow.study.study import Study

    path = Path(source)
    with importing_from(path if path.is_dir() else path.parent):
        study = Study.from_table(table)
    configure(precision=study.precision)
    return study
