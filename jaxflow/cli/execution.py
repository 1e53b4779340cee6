"""The commands that compute: `run`, `trial`, and `doctor`.

JAX is configured before it starts: one thread a core, and the compilation cache in the user's cache
folder.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxflow.cli.output import say, show
from jaxflow.core.errors import mistake

if TYPE_CHECKING:
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
        say(f"finished already: {folder}", sys.stderr)
        return None
    from jaxflow.core.machine import (
        check_address_space,
        configure,
        devices,
        leave_accelerators,
    )

    if said := check_address_space():
        say(f"jaxflow: {said}", sys.stderr)
    configure()
    from jaxflow.engine.settings import Lanes
    from jaxflow.show.progress import Monitor
    from jaxflow.study.run import run
    from jaxflow.study.runners import Cluster

    is_local = not (options.cluster or options.workers)
    cluster = None if is_local else Cluster(options.cluster, options.workers)
    if cluster is not None:
        leave_accelerators()
    study = load(options.study, table)
    configure(precision=study.precision)
    lanes = Lanes(
        transform=options.transform,
        width=options.width,
        chunk=options.chunk,
        threads=options.threads,
        coordinates=options.coordinates,
        devices=devices(options.devices),
    )
    with Monitor() as monitor:
        progress = run(
            study, folder, lanes, monitor, part=part, cluster=cluster, fingerprint=fingerprint
        )
    say(monitor.summary(progress), sys.stderr)
    return progress


def _is_empty(folder: Path) -> bool:
    """Whether the store in a folder has no trials."""
    from jaxflow.store.store import Store

    with Store.read(folder) as store:
        return not store.select("SELECT 1 FROM trials LIMIT 1")


def trial(options: argparse.Namespace) -> int:
    """Run one trial and draw its trajectory."""
    from jaxflow.core.machine import configure

    configure()
    from jaxflow.show.figures import drawn, save, trajectory
    from jaxflow.study import files
    from jaxflow.study.trial import follow

    table = files.table(options.study, options.changes, small=options.small)
    study = load(options.study, table)
    configure(precision=study.precision)
    sizes = {name: getattr(options, name) for name in ("d", "n", "p")}
    row, found = follow(study, sizes, options.dynamics, options.trial_seed)
    others = "".join(f" {name.rpartition('.')[2]}={x:g}" for name, x in row.parameters)
    say(
        f"{row.dynamics} d={row.d} n={row.n} p={row.p}{others} seed {row.seed}: "
        f"{row.outcome} at flow time "
        f"{row.flow_time:.4g} of {row.horizon:g}, {row.evaluations} evaluations, "
        f"loss {row.first_loss:.3g} to {row.last_loss:.3g}"
    )
    step = study.dynamics[row.dynamics].euler_step
    with drawn(lambda: trajectory(row, found, step)) as made:
        say(f"figure {save(made, options.out)}")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Print versions and devices, check the numerics, and the problem of a study."""
    from jaxflow.core.machine import configure, versions

    configure()
    import jax

    from jaxflow.engine.reference import check_numerics

    print(versions())
    for device in jax.devices():
        print(f"device {device.id}: {device.platform} {device.device_kind}")
    print(f"cores: {os.cpu_count()}")
    print(f"numerics: float32 field within {check_numerics('float32'):.1e} of float64 NumPy")
    if options.study is None:
        return 0
    from jaxflow.study import files
    from jaxflow.study.trying import try_problem

    point = try_problem(load(options.study, files.table(options.study)))
    place = ", ".join(f"{name} = {point[name]:g}" for name in ("d", "n", "p"))
    say(f"problem: keys, padding, loss and gradient are sound at {place}")
    return 0


def load(source: str, table: dict[str, Any]) -> "Study":
    """The study of a table; modules beside its file, or beside its store, can be named in it."""
    from jaxflow.core.open_names import importing_from
    from jaxflow.study.study import Study

    path = Path(source)
    with importing_from(path if path.is_dir() else path.parent):
        return Study.from_table(table)
