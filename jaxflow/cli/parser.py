"""The command line: arguments in, text out."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import fields
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol

from jaxflow.cli import commands, execution, package
from jaxflow.cli.completion import SHELLS, completion
from jaxflow.core import __version__
from jaxflow.core.errors import mistake, shortened, unknown_name

DESCRIPTION = "Phase diagrams of training dynamics: where does an event become likely?"
LONGEST = 1000  # characters of a complaint
CODES = (
    "Exit codes: 0, done; 1, `check` found something; 2, a mistake, told in a line; 130 and 143, "
    "interrupted by Ctrl-C or SIGTERM; 141, who read the output has seen enough."
)
FLAGS = (
    "Any key of the study file is a flag too, with a TOML value: "
    "--axes.p='[50, 100]' --threshold.relative_half_width=0.02 --seed=1."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, as `CODES` says."""
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    try:
        if others and hasattr(options, "changes"):
            options.changes = _changes(others, options.flags)
        elif others:
            raise _unrecognized(others, options)
        code: int = options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, OSError) as error:
        _complain(error)
        return 2
    except KeyboardInterrupt as error:
        print("jaxflow: interrupted; run the same command again to go on", file=sys.stderr)
        return _left(128 + getattr(error, "number", signal.SIGINT))
    return code


def _left(code: int) -> int:
    """The exit code; but where trials still run, the process ends here: it cannot wait for them."""
    from jaxflow.core.machine import WORKER

    if any(thread.name.startswith(WORKER) for thread in threading.enumerate()):
        sys.stderr.flush()
        os._exit(code)
    return code


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Complain and leave."""
        _complain(f"{message}; see {self.prog} --help")
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """The nearest of the choices is named where there is one."""
        if action.choices is not None and value not in action.choices:
            what = str(action.metavar or action.dest).lower()
            raise argparse.ArgumentError(None, str(unknown_name(what, value, action.choices)))


def _complain(what: object) -> None:
    print(f"jaxflow: {shortened(what, LONGEST)}", file=sys.stderr)


class _Command(Protocol):
    """Adds a command with its function and its line of help, and gives the parser of it."""

    def __call__(
        self, name: str, function: Any, help: str, **settings: Any
    ) -> argparse.ArgumentParser: ...


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("jaxflow", description=DESCRIPTION, epilog=CODES)
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.set_defaults(command=_no_command(parser))
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, function: Any, help: str, **settings: Any) -> argparse.ArgumentParser:
        made = subparsers.add_parser(name, help=help, allow_abbrev=False, **settings)
        made.set_defaults(command=function, flags=made._option_string_actions)
        return made

    _that_run(command)
    _that_tell(command)
    _that_draw(command)
    _that_pass_on(command)
    _about_the_package(command, parser)
    return parser


def _that_run(command: _Command) -> None:
    init = command("init", package.init, "write a commented study file to start from")
    init.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("study.toml"))
    init.add_argument(
        "--problem", action="store_true", help="and a module with a problem of your own beside it"
    )
    run = command("run", execution.run, "run a study, from where its store stands", epilog=FLAGS)
    _add_study(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="folder of the store (runs/NAME)")
    run.add_argument(
        "--part", default="1/1", metavar="I/K", help="of K runs to be merged, the I-th"
    )
    _add_lanes(run)
    run.add_argument("--profile", action="store_true", help="say where the seconds went")
    _add_quiet(run)
    trial = command("trial", execution.trial, "run one trial and draw its trajectory", epilog=FLAGS)
    _add_study(trial)
    for name in ("d", "n", "p"):
        trial.add_argument(f"-{name}", type=int, metavar=name.upper(), help="if the study has more")
    trial.add_argument("--dynamics", metavar="NAME", help="one of the study's (the first)")
    trial.add_argument("--trial-seed", type=int, default=0, metavar="K", help="which trial (0)")
    trial.add_argument("--out", type=Path, metavar="FILE", help="(trial.png; none of JSON)")
    _add_quiet(trial)
    _add_json(trial)


def _that_tell(command: _Command) -> None:
    """What is printed of a store."""
    slows = "thresholds against the flow time allowed, and how convergence slows"
    for name, function, help in (
        ("status", commands.status, "where a study stands"),
        ("check", commands.check, "whether a store is sound"),
        ("scaling", commands.scaling, "how the thresholds grow with d and p"),
        ("times", commands.times, slows),
        ("thresholds", commands.thresholds, "print the thresholds of a store"),
    ):
        told = command(name, function, help)
        _add_folder(told)
        _add_json(told)
    compare = command("compare", commands.compare, "is the boundary of other stores the same?")
    _add_folder(compare, "what the others are held against")
    compare.add_argument("others", type=Path, metavar="OTHER", nargs="+")
    _add_json(compare)
    compare.add_argument("--out", type=Path, metavar="FILE", help="(comparison.png; none of JSON)")
    means = command("means", commands.means, "means of what trials measured at their ends")
    _add_folder(means)
    _add_json(means)
    _add_levels(means)


def _that_draw(command: _Command) -> None:
    figure = command("figure", commands.figure, "draw what a store says")
    _add_folder(figure)
    figure.add_argument(
        "--kind", default="auto", help="auto, collapse, diagram, means, times or transitions"
    )
    _add_levels(figure)
    figure.add_argument("--out", type=Path, metavar="FILE", help="(DIR/KIND.png)")
    report = command("report", commands.report, "all that a store says, as one HTML file")
    _add_folder(report)
    report.add_argument("other", type=Path, metavar="DIR2", nargs="?", help="to be held against it")
    report.add_argument("--out", type=Path, metavar="FILE", help="(DIR/report.html)")


def _that_pass_on(command: _Command) -> None:
    """What goes to other programs, papers and stores."""
    _add_folder(
        command("cite", commands.cite, "BibTeX of what a store stands on: tool, solvers, papers")
    )
    export = command("export", commands.export, "write the trials as .nc, .parquet or .csv")
    _add_folder(export)
    export.add_argument("file", type=Path, metavar="FILE")
    merge = command("merge", commands.merge, "add the trials of stores of one protocol")
    _add_folder(merge, "the store to add to, or a new one")
    merge.add_argument("others", type=Path, metavar="OTHER", nargs="+")


def _about_the_package(command: _Command, parser: argparse.ArgumentParser) -> None:
    doctor = command("doctor", execution.doctor, "versions, devices, a check of the numerics")
    doctor.add_argument("study", metavar="STUDY", nargs="?", help="check its problem too")
    _add_json(doctor)
    presets = command("presets", package.presets, "the studies that come with jaxflow")
    presets.add_argument("name", metavar="NAME", nargs="?", help="say all of this one")
    _add_json(presets)
    shell = command("completion", partial(completion, parser), "print a script that completes")
    shell.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")


def _add_folder(parser: argparse.ArgumentParser, help: str | None = None) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help=help)


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "study", metavar="STUDY", help="a preset, a .toml file, or a folder that has one"
    )
    parser.add_argument("--small", action="store_true", help="with the values of its table [small]")
    parser.set_defaults(changes={})


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON, to be read by programs")


def _add_quiet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help="print the result alone")


def _add_levels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--level", action="append", default=[], type=_level, metavar="OBSERVABLE=VALUE",
        help="of a mean, such as test_loss=0.1: where is it crossed?",
    )  # fmt: skip


def _level(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected OBSERVABLE=VALUE, got {text!r}") from error


def _add_lanes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transform", default="auto", help="auto, map or vmap")
    parser.add_argument("--width", type=int, default=0, help="lanes of a batch (0: choose)")
    parser.add_argument("--coordinates", default="auto", help="auto, or one that the problem has")
    parser.add_argument("--chunk", type=int, default=0, help="evaluations between harvests")
    parser.add_argument("--threads", type=int, default=0, help="(0: one a core or device)")
    parser.add_argument(
        "--devices", default="", metavar="all|N|0,2", help="which run trials (a CPU is made into N)"
    )
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes to start")
    parser.add_argument(
        "--cluster", default="", metavar="ADDRESS", help="of a dask scheduler, or its file"
    )


def _unrecognized(others: Sequence[str], options: argparse.Namespace) -> ValueError:
    """The error for what a command takes no notice of, with the nearest flag if one is near."""
    first, known = others[0].partition("=")[0], getattr(options, "flags", ("--help", "--version"))
    if first.startswith("-"):
        return unknown_name("option", first, known)
    return mistake("no more arguments", first, "see --help")


def _changes(flags: Sequence[str], known: Collection[str]) -> dict[str, Any]:
    """Flags that the parser does not know, as values of the study by dotted name.

    One that is nearly a flag that it knows is no key of the study.
    """
    import tomllib

    from jaxflow.study.study import Study

    keys = {f"--{field.name}" for field in fields(Study)}
    for flag in (flag.partition("=")[0] for flag in flags if flag.startswith("--")):
        if "." not in flag and flag not in keys and get_close_matches(flag, known, cutoff=0.75):
            raise unknown_name("option", flag, known)
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
        except tomllib.TOMLDecodeError as error:
            if text[:1] in ("[", "{", '"', "'"):
                raise mistake(f"a TOML value after --{name}", text, str(error)) from error
            changes[name] = text  # a bare word is a text
        except (ValueError, RecursionError) as error:  # too many digits, too many brackets
            raise mistake(f"a TOML value after --{name}", text, str(error)) from error
    return changes


def _no_command(parser: argparse.ArgumentParser):  # type: ignore[no-untyped-def]
    def show(options: argparse.Namespace) -> int:
        if options.version:
            print(f"jaxflow {__version__}")
        else:
            parser.print_help()
        return 0

    return show
