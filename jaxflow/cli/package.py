"""The commands about what comes with the package: files to start from, and presets."""

import argparse
from pathlib import Path
from textwrap import fill
from typing import Any

from jaxflow.cli.output import print_json, say
from jaxflow.core.errors import mistake

WIDTH = 80  # columns of a terminal


def init(options: argparse.Namespace) -> int:
    """Write a commented study file, and with --problem a module with a problem beside it."""
    from jaxflow.study.files import example, example_problem

    file: Path = options.file
    if file.suffix != ".toml":
        raise mistake("the name of a .toml file", str(file), "let it end in .toml")
    if not options.problem:
        _write_new({file: example()})
        say(f"wrote {file}; fix it, then: jaxflow run {file} (--small: a quick look)")
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


def presets(options: argparse.Namespace) -> int:
    """Print what the studies that come with the package are for, or all that one of them says."""
    from jaxflow.study import files

    if options.json:
        names = [options.name] if options.name else files.presets()
        told: list[dict[str, Any]] = [
            {"name": name, "purpose": files.purpose(name), "description": files.description(name)}
            for name in names
        ]
        print_json({**told[0], "study": files.parsed(options.name)} if options.name else told)
        return 0
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
