"""The command line: arguments in, text out.

Every import that costs time waits until a command needs it, and JAX is configured before it
starts: one thread a core, and the compilation cache in the user's cache folder.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DESCRIPTION = "Phase diagrams of gradient flow on shallow networks."
FLAGS = (
    "Any key of the study file is a flag too, with a TOML value: "
    "--axes.p='[50, 100]' --threshold.relative_half_width=0.02 --seed=1."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 2 for a mistake, 130 when interrupted."""
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    if others and not hasattr(options, "changes"):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    try:
        if others:
            options.changes = _changes(others)
        code: int = options.command(options)
    except (ValueError, OSError) as error:
        line = " ".join(str(error).split())
        print(f"jaxflow: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("jaxflow: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("jaxflow", description=DESCRIPTION)
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.set_defaults(command=_no_command(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, function: Any, help: str, **settings: Any) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, allow_abbrev=False, **settings)
        made.set_defaults(command=function)
        return made

    init = command("init", _init, "write a commented study file to start from")
    init.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("study.toml"))

    run = command("run", _run, "run a study, from where its store stands", epilog=FLAGS)
    _add_study(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="folder of the store (runs/NAME)")
    _add_lanes(run)
    run.set_defaults(changes={})

    trial = command("trial", _trial, "run one trial and draw its trajectory", epilog=FLAGS)
    _add_study(trial)
    for name in ("d", "n", "p"):
        trial.add_argument(f"-{name}", type=int, metavar=name.upper(), help="if the study has more")
    trial.add_argument("--dynamics", metavar="NAME", help="one of the study's (the first)")
    trial.add_argument("--trial-seed", type=int, default=0, metavar="K", help="which trial (0)")
    trial.add_argument("--out", type=Path, metavar="FILE", default=Path("trial.png"))
    trial.set_defaults(changes={})

    for name, function, help in (
        ("status", _status, "where a study stands"),
        ("check", _check, "whether a store is sound"),
        ("scaling", _scaling, "how the thresholds grow with d and p"),
        ("times", _times, "thresholds against the flow time allowed, and how convergence slows"),
    ):
        command(name, function, help).add_argument("folder", type=Path, metavar="DIR")

    thresholds = command("thresholds", _thresholds, "print the thresholds of a store")
    thresholds.add_argument("folder", type=Path, metavar="DIR")
    thresholds.add_argument("--json", action="store_true", help="one JSON object")

    figure = command("figure", _figure, "draw what a store says")
    figure.add_argument("folder", type=Path, metavar="DIR")
    figure.add_argument("--kind", default="auto", help="auto, diagram, times or transitions")
    figure.add_argument("--out", type=Path, metavar="FILE", help="(DIR/KIND.png)")

    export = command("export", _export, "write the trials as .nc, .parquet or .csv")
    export.add_argument("folder", type=Path, metavar="DIR")
    export.add_argument("file", type=Path, metavar="FILE")

    merge = command("merge", _merge, "add the trials of stores of the same study")
    merge.add_argument("folder", type=Path, metavar="DIR", help="the store to add to, or a new one")
    merge.add_argument("others", type=Path, metavar="OTHER", nargs="+")

    command("doctor", _doctor, "versions, devices, and a check of the numerics")
    command("presets", _presets, "list the studies that come with jaxflow")
    return parser


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY", help="a preset or a .toml file")
    parser.add_argument("--small", action="store_true", help="with the values of its table [small]")


def _add_lanes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transform", default="auto", help="auto, lane-major or lane-parallel")
    parser.add_argument("--width", type=int, default=0, help="lanes of a batch (0: choose)")
    parser.add_argument("--coordinates", default="auto", help="auto, ambient, span or orthogonal")
    parser.add_argument("--chunk", type=int, default=0, help="evaluations between harvests")
    parser.add_argument("--workers", type=int, default=0, help="threads (0: one a core or device)")


def _changes(flags: Sequence[str]) -> dict[str, Any]:
    """Flags that the parser does not know, as values of the study by dotted name."""
    import tomllib

    from jaxflow._errors import mistake

    joined: list[str] = []
    for flag in flags:
        if flag.startswith("--"):
            joined.append(flag)
        elif joined and "=" not in joined[-1]:
            joined[-1] += f"={flag}"
        else:
            raise mistake("a flag --key=value", flag, "see --help")
    changes = {}
    for flag in joined:
        name, found, text = flag.removeprefix("--").partition("=")
        if not found:
            raise mistake(f"a value after --{name}", "none", f"write --{name}=VALUE")
        try:
            changes[name] = tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            changes[name] = text  # a bare word is a text
    return changes


def _no_command(parser: argparse.ArgumentParser):  # type: ignore[no-untyped-def]
    def show(options: argparse.Namespace) -> int:
        if options.version:
            from jaxflow._versions import package_version

            print(f"jaxflow {package_version('jaxflow')}")
        else:
            parser.print_help()
        return 0

    return show


def _init(options: argparse.Namespace) -> int:
    from jaxflow._errors import mistake
    from jaxflow._files import example

    if options.file.exists():
        raise mistake("a file that is not there yet", str(options.file), "choose another name")
    options.file.write_text(example(), encoding="utf-8")
    print(f"wrote {options.file}; mend it, then: jaxflow run {options.file}")
    return 0


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from jaxflow import _files, report
    from jaxflow.store import is_finished, mark_finished

    console = Console(stderr=True)
    name = f"{_files.parsed(options.study).get('name')}{'-small' if options.small else ''}"
    folder = options.out or Path("runs") / str(options.changes.get("name", name))
    flags = sorted({**options.changes, "small": options.small}.items())
    source = _files.text(options.study) + "".join(map(repr, flags))
    fresh = not is_finished(folder, source)
    if fresh:
        known = _run_trials(options, folder, console)
        mark_finished(folder, source, known)
    else:
        console.print(f"finished already: {folder}")
    figure = folder / "thresholds.png"
    if fresh or not figure.exists():
        from jaxflow.figure import draw

        draw(folder, figure)
    Console().print(report.table(report.thresholds(folder)))
    console.print(f"store {folder / 'trials.sqlite'}, figure {figure}", highlight=False)
    return 0


def _run_trials(options: argparse.Namespace, folder: Path, console: Any) -> int:
    """Run what is left of a study; how many trials its store has then."""
    _configure()
    from jaxflow._progress import Monitor
    from jaxflow.engine import Lanes
    from jaxflow.study import Study, run

    study = Study.load(options.study, options.changes, small=options.small)
    _set_precision(study.precision)
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


def _trial(options: argparse.Namespace) -> int:
    _configure()
    from jaxflow.single import follow
    from jaxflow.study import Study

    study = Study.load(options.study, options.changes, small=options.small)
    _set_precision(study.precision)
    sizes = {name: getattr(options, name) for name in ("d", "n", "p")}
    row, path = follow(study, sizes, options.dynamics, options.trial_seed, options.out)
    print(
        f"{row.dynamics} d={row.d} n={row.n} p={row.p} seed {row.seed}: {row.outcome} at flow time "
        f"{row.flow_time:.4g} of {row.horizon:g}, {row.evaluations} evaluations, "
        f"loss {row.first_loss:.3g} to {row.last_loss:.3g}"
    )
    print(f"figure {path}")
    return 0


def _status(options: argparse.Namespace) -> int:
    from rich.console import Console

    from jaxflow.report import status

    console = Console()
    console.print(status.summary(options.folder), highlight=False, soft_wrap=True)
    console.print(status.table(options.folder))
    return 0


def _check(options: argparse.Namespace) -> int:
    from jaxflow.store import check

    findings = check(options.folder)
    for finding in findings:
        print(finding)
    if not findings:
        print(f"sound: {options.folder}")
    return 1 if findings else 0


def _thresholds(options: argparse.Namespace) -> int:
    from jaxflow import report

    found = report.thresholds(options.folder)
    if options.json:
        import json

        print(json.dumps({"thresholds": found}, indent=2))
    else:
        from rich.console import Console

        Console().print(report.table(found))
    return 0


def _scaling(options: argparse.Namespace) -> int:
    from rich.console import Console

    from jaxflow.report import growth

    console = Console()
    for found in growth.tables(options.folder):
        console.print(found)
    return 0


def _times(options: argparse.Namespace) -> int:
    from rich.console import Console

    from jaxflow.report import times

    console = Console()
    for found in times.tables(options.folder):
        console.print(found)
    return 0


def _figure(options: argparse.Namespace) -> int:
    from jaxflow.figure import draw

    path = options.out or options.folder / f"{options.kind}.png"
    print(f"figure {draw(options.folder, path, options.kind)}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from jaxflow import export
    from jaxflow.store import Store

    with Store.read(options.folder) as store:
        rows = store.rows()
        about = {"study": store.study_json, "study_hash": store.study_hash}
    labelled = options.file.suffix == ".nc"
    export.write(export.to_xarray(rows, about) if labelled else rows, options.file)
    print(f"{len(rows)} trials in {options.file}")
    return 0


def _merge(options: argparse.Namespace) -> int:
    from jaxflow.store import merge

    found = merge(options.folder, options.others)
    print(
        f"{found.added} trials added to {options.folder}; {found.already_there} were there "
        f"already, {found.differing} of them with another outcome"
    )
    return 0


def _doctor(options: argparse.Namespace) -> int:
    del options
    _configure()
    import jax

    from jaxflow._versions import versions
    from jaxflow.engine import check_numerics

    print(versions())
    for device in jax.devices():
        print(f"device {device.id}: {device.platform} {device.device_kind}")
    print(f"cores: {os.cpu_count()}")
    print(f"numerics: float32 field within {check_numerics('float32'):.1e} of float64 NumPy")
    return 0


def _presets(options: argparse.Namespace) -> int:
    del options
    from jaxflow._files import presets

    for name, resource in presets().items():
        comments = (
            line.lstrip("# ") for line in resource.read_text().splitlines() if line[:1] == "#"
        )
        print(f"{name:12s} {' '.join(comments)}")
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
