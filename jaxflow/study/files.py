"""Study files: presets that come with the package, and files of the user."""

import tomllib
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any

from jaxflow.core.errors import mistake, unknown_name


def presets() -> dict[str, Any]:
    """The studies that come with the package, by name, as readable resources."""
    folder = files("jaxflow") / "presets"
    found = [e for e in folder.iterdir() if e.name.endswith(".toml") and e.name[0] != "_"]
    return {entry.name.removesuffix(".toml"): entry for entry in sorted(found, key=str)}


def description(name: str) -> str:
    """What a preset says of itself, in a paragraph; `ValueError` for an unknown one."""
    known = presets()
    if name not in known:
        raise unknown_name("a preset", name, known)
    lines = known[name].read_text(encoding="utf-8").splitlines()
    return " ".join(line.lstrip("# ") for line in takewhile(lambda x: x.startswith("#"), lines))


def purpose(name: str) -> str:
    """What a preset is for: the first sentence of its description."""
    return description(name).partition(". ")[0].removesuffix(".")


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
