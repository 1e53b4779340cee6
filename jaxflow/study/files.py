"""Study files: presets that come with the package, and files of the user."""

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from jaxflow.core.errors import mistake, unknown_name

STUDY = "study.toml"  # of a folder with a store


def presets() -> dict[str, Any]:
    """The studies that come with the package, by name, as readable resources."""
    folder = files("jaxflow") / "presets"
    found = [e for e in folder.iterdir() if e.name.endswith(".toml") and e.name[0] != "_"]
    return {entry.name.removesuffix(".toml"): entry for entry in sorted(found, key=str)}


def example() -> str:
    """A commented study file that names every key."""
    return (files("jaxflow") / "presets" / "_example.toml").read_text(encoding="utf-8")


def text(source: str | Path) -> str:
    """The preset of that name, or the TOML file; `ValueError` where there is none to read."""
    known = presets()
    if str(source) in known:
        resource = known[str(source)]
    elif Path(source).suffix == ".toml":
        resource = Path(source)
    else:
        raise unknown_name("a preset or a .toml file", str(source), known)
    try:
        return str(resource.read_text(encoding="utf-8"))
    except OSError as error:
        raise mistake("a study file that can be read", str(source), str(error)) from error
    except UnicodeDecodeError as error:
        raise mistake("a TOML file", str(source), f"fix it: {error}") from error


def parsed(source: str | Path) -> dict[str, Any]:
    """What the study file says, as plain values."""
    try:
        return tomllib.loads(text(source))
    except tomllib.TOMLDecodeError as error:
        raise mistake("a TOML file", str(source), f"fix it: {error}") from error


def write(path: Path, text: str) -> None:
    """Write a file at once or not at all; `ValueError` where that is impossible."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise mistake(f"a file that can be written at {path}", str(error), "make room") from error
