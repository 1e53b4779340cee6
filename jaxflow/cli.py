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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 2 for a mistake, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    try:
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

    run = commands.add_parser("run", help="run a study, from where its store stands")
    run.add_argument("study", metavar="STUDY", help="a preset or a .toml file")
    run.add_argument("--out", type=Path, metavar="DIR", help="folder of the store (runs/NAME)")
    run.add_argument("--transform", default="auto", help="auto, lane-major or lane-parallel")
    run.add_argument("--width", type=int, default=0, help="lanes of a batch (0: choose)")
    run.add_argument("--coordinates", default="auto", help="auto, ambient, span or orthogonal")
    run.add_argument("--chunk", type=int, default=0, help="evaluations between harvests")
    run.add_argument("--workers", type=int, default=0, help="threads (0: one a core or device)")
    run.set_defaults(command=_run)

    thresholds = commands.add_parser("thresholds", help="print the thresholds of a store")
    thresholds.add_argument("folder", type=Path, metavar="DIR")
    thresholds.add_argument("--json", action="store_true", help="one JSON object")
    thresholds.set_defaults(command=_thresholds)

    doctor = commands.add_parser("doctor", help="versions, devices, and a check of the numerics")
    doctor.set_defaults(command=_doctor)
    presets = commands.add_parser("presets", help="list the studies that come with jaxflow")
    presets.set_defaults(command=_presets)
    return parser


def _no_command(parser: argparse.ArgumentParser):  # type: ignore[no-untyped-def]
    def show(options: argparse.Namespace) -> int:
        if options.version:
            from jaxflow._versions import package_version

            print(f"jaxflow {package_version('jaxflow')}")
        else:
            parser.print_help()
        return 0

    return show


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from jaxflow import _files, report
    from jaxflow.store import is_finished, mark_finished

    console, source = Console(stderr=True), _files.text(options.study)
    folder = options.out or Path("runs") / str(_files.parsed(options.study).get("name"))
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

    study = Study.load(options.study)
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
