"""What every command does, given its arguments; each returns its exit code.

Every import that costs time waits until a command needs it, and JAX is configured before it
starts: one thread a core, and the compilation cache in the user's cache folder.
"""

import argparse
import os
import sys
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, TextIO

from jaxflow.core.errors import mistake, printable

if TYPE_CHECKING:
    from jaxflow.sampling.part import Part
    from jaxflow.show.text import Table
    from jaxflow.study.run import Progress
    from jaxflow.study.study import Study

WIDTH = 80  # columns of a terminal


def init(options: argparse.Namespace) -> int:
    """Write a commented study file, and with --problem a module with a problem beside it."""
    from jaxflow.study.files import example, example_problem

    file: Path = options.file
    if file.suffix != ".toml":
        raise mistake("the name of a .toml file", str(file), "let it end in .toml")
    if not options.problem:
        _write_new({file: example()})
        say(f"wrote {file}; fix it, then: jaxflow run {file}")
        return 0
    if not file.stem.isidentifier():
        remedy = "use letters, digits and _: the module beside it has the same name"
        raise mistake("the name of a Python module", file.stem, remedy)
    code, study = example_problem(file.stem)
    module = file.with_suffix(".py")
    _write_new({module: code, file: study})
    say(f"wrote {module} and {file}; change them, then: jaxflow doctor {file}")
    return 0


def _write_new(texts: dict[Path, str]) -> None:
    """Write files of which none is there yet."""
    for path in texts:
        if path.exists():
            raise mistake("a file that is not there yet", str(path), "choose another name")
    for path, text in texts.items():
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            expected = f"a file that can be written at {path}"
            raise mistake(expected, error.strerror, "choose another path") from error


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
        _show(terminal.summary(found))
    path = folder / "thresholds.png"
    if progress or not path.exists():
        from jaxflow.show.figures import drawn, figure, save

        with watch.of("drawing"), drawn(lambda: figure(found)) as made:
            save(made, path)
    say(f"store {folder / 'trials.sqlite'}")
    say(f"figure {path}")
    if options.profile:
        _show(terminal.profile(watch.seconds, progress.usage if progress else None))
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
    study = _study(options.study, table)
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


def _study(source: str, table: dict[str, Any]) -> "Study":
    """The study of a table; modules beside its file, or beside its store, can be named in it."""
    from jaxflow.core.open_names import importing_from
    from jaxflow.study.study import Study

    path = Path(source)
    with importing_from(path if path.is_dir() else path.parent):
        return Study.from_table(table)


def trial(options: argparse.Namespace) -> int:
    """Run one trial and draw its trajectory."""
    from jaxflow.core.machine import configure

    configure()
    from jaxflow.show.figures import drawn, save, trajectory
    from jaxflow.study import files
    from jaxflow.study.trial import follow

    table = files.table(options.study, options.changes, small=options.small)
    study = _study(options.study, table)
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


def status(options: argparse.Namespace) -> int:
    """Print where a study stands."""
    from jaxflow import report
    from jaxflow.show import terminal

    found = report.status(options.folder)
    say(found)
    _show(terminal.status(found))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what is wrong with a store; 1 if anything is."""
    from jaxflow.report.soundness import check

    findings = check(options.folder)
    for finding in findings:
        say(finding)
    if not findings:
        say(f"sound: {options.folder}")
    return 1 if findings else 0


def thresholds(options: argparse.Namespace) -> int:
    """Print the thresholds of a store."""
    from jaxflow import report

    if options.json:
        import json

        print(json.dumps({"thresholds": report.thresholds(options.folder)}, indent=2))
    else:
        from jaxflow.show import terminal

        _show(terminal.thresholds(report.slices(options.folder)))
    return 0


def compare(options: argparse.Namespace) -> int:
    """Hold the thresholds of stores against those of the first, and draw the differences."""
    from jaxflow.report.universality import compare

    found = compare([options.folder, *options.others])
    path = options.out
    if options.json:
        import json

        print(json.dumps(found.as_dict(), indent=2))
    else:
        from jaxflow.show import universality

        _show(*map(universality.table, found.comparisons))
        for sentence in universality.sentences(found):
            say(sentence)
        path = path or Path("comparison.png")
    if path:
        from jaxflow.show.figures import drawn, save
        from jaxflow.show.universality import figure

        with drawn(lambda: figure(found)) as made:
            said = f"figure {save(made, path)}"
        say(said, sys.stderr if options.json else None)
    return 0


def means(options: argparse.Namespace) -> int:
    """Print the means of what trials measured, and where they cross levels."""
    from jaxflow import report
    from jaxflow.report.means import every_profile, profiles

    found, levels = report.slices(options.folder), dict(options.level)
    if not options.json:
        from jaxflow.show import terminal

        _show(terminal.means(found), *([terminal.crossings(found, levels)] if levels else []))
        return 0
    import json

    crossed = [p.level(x) for name, x in levels.items() for p in profiles(found, name)]
    said = {
        "means": [entry for p in every_profile(found) for entry in p.entries()],
        "levels": crossed,
    }
    print(json.dumps(said, indent=2))
    return 0


def scaling(options: argparse.Namespace) -> int:
    """Print how thresholds grow, and whether transitions of several sizes are one curve."""
    from jaxflow import report
    from jaxflow.show import collapse, fits, planes

    found = report.slices(options.folder)
    tables = [*planes.tables(found), *fits.scaling(found), *collapse.tables(found)]
    if not tables:
        remedy = "give the study more values of an axis"
        raise mistake("three slices along an axis", f"{len(found)} slices", remedy)
    _show(*tables)
    return 0


def times(options: argparse.Namespace) -> int:
    """Print thresholds against the time allowed, and how convergence slows."""
    from jaxflow import report
    from jaxflow.show import fits

    _show(*fits.times(report.slices(options.folder)))
    return 0


def figure(options: argparse.Namespace) -> int:
    """Draw what a store says."""
    from jaxflow.show.figures import draw

    path = options.out or options.folder / f"{options.kind}.png"
    say(f"figure {draw(options.folder, path, options.kind, dict(options.level))}")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the trials of a store as a table."""
    from jaxflow.report import export
    from jaxflow.store.file import is_there
    from jaxflow.store.store import Store

    is_there(options.file)  # or nothing is; but a pipe is not to be replaced
    with Store.read(options.folder) as store:
        rows = store.table()
        about = {"protocol": store.protocol_json, "protocol_hash": store.protocol_hash}
    export.write(
        export.to_xarray(rows, about) if options.file.suffix == ".nc" else rows, options.file
    )
    say(f"{len(rows)} trials in {options.file}")
    return 0


def merge(options: argparse.Namespace) -> int:
    """Add the trials of other stores."""
    from jaxflow.report.soundness import merge

    found = merge(options.folder, options.others)
    counts = {
        f"{found.added} trials added": True,
        f"{found.replaced} replaced by the same with a longer horizon": found.replaced,
        f"{found.known} were there already": found.known,
        f"{found.differing} of them decided otherwise, near a horizon or padded otherwise": (
            found.differing
        ),
        f"{found.trajectories} trajectories added": found.trajectories,
        f"{found.designs} designs added": found.designs,
    }
    say(f"{options.folder}: {', '.join(said for said, count in counts.items() if count)}")
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

    point = try_problem(_study(options.study, files.table(options.study)))
    place = ", ".join(f"{name} = {point[name]:g}" for name in ("d", "n", "p"))
    say(f"problem: keys, padding, loss and gradient are sound at {place}")
    return 0


def presets(options: argparse.Namespace) -> int:
    """Print what the studies that come with the package are for, or all that one of them says."""
    from jaxflow.study import files

    if options.name:
        said = f"{files.purpose(options.name)}\n\n{files.description(options.name)}"
        for paragraph in said.split("\n\n"):
            print(f"{fill(paragraph, WIDTH)}\n")
        lines = files.text(options.name).splitlines()
        print("\n".join(line for line in lines if not line.startswith("#")).strip())
        print(f"\nto run it: jaxflow run {options.name}")
        return 0
    names = list(files.presets())
    room = max(map(len, names)) + 2
    for name in names:
        start = name.ljust(room)
        print(fill(files.purpose(name), WIDTH, initial_indent=start, subsequent_indent=" " * room))
    return 0


def say(text: object, file: TextIO | None = None) -> None:
    """Print a line, whatever names are in it."""
    print(printable(text), file=file)


def _show(*tables: "Table") -> None:
    from rich.console import Console

    console = Console()
    for table in tables:
        console.print(table)
