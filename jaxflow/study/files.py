"""Study files: presets that come with the package, files of the user, and those of stores."""

import json
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from jaxflow.core import __version__
from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.names import changed, flattened
from jaxflow.core.open_names import is_open
from jaxflow.core.schema import canonical, digest
from jaxflow.core.values import is_deeper
from jaxflow.store.file import FILE
from jaxflow.store.store import Store

STUDY = "study.toml"  # of a folder with a store
LARGEST = 2**20  # bytes of a study file
DEEPEST = 20  # tables and lists inside each other


def presets() -> dict[str, Any]:
    """The studies that come with the package, by name, as readable resources."""
    folder = files("jaxflow") / "presets"
    found = [e for e in folder.iterdir() if e.name.endswith(".toml") and e.name[0] != "_"]
    return {entry.name.removesuffix(".toml"): entry for entry in sorted(found, key=str)}


def purpose(name: str) -> str:
    """What the preset is for, in a line: the first of its comments."""
    return _comments(name)[0][0]


def description(name: str) -> str:
    """All else that the preset's comments say, a paragraph for every block of them."""
    first, *others = _comments(name)
    paragraphs = (" ".join(lines).strip() for lines in (first[1:], *others))
    return "\n\n".join(filter(None, paragraphs))


def example() -> str:
    """A commented study file that names every key."""
    return (files("jaxflow") / "presets" / "_example.toml").read_text(encoding="utf-8")


def example_problem(module: str) -> tuple[str, str]:
    """A commented module of that name with a problem, and a study of it."""
    folder = files("jaxflow") / "presets"
    texts = ((folder / f"_problem.{end}").read_text(encoding="utf-8") for end in ("py", "toml"))
    code, study = (text.replace("_problem", module) for text in texts)
    return code, study


def text(source: str | Path) -> str:
    """The preset of that name, or the TOML file; `ValueError` where there is none to read."""
    known = presets()
    if str(source) in known:
        return str(known[str(source)].read_text(encoding="utf-8"))
    if Path(source).suffix != ".toml":
        near = get_close_matches(str(source), known, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "jaxflow presets names the presets"
        if Path(source).suffix == ".py":
            remedy = "give the .toml file that names a problem of this module"
        expected = "a preset, a .toml file, or a folder with a study"
        raise mistake(expected, str(source), remedy)
    try:
        return _content(Path(source)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise mistake("a TOML file in UTF-8", str(source), f"fix it: {error}") from error


def table(
    source: str | Path, changes: Mapping[str, Any] | None = None, *, small: bool = False
) -> dict[str, Any]:
    """What a study file, a preset, or the study in a folder says, as plain values.

    `changes` are other values by dotted name. A `small` study has the values of the file's table
    [small] and "-small" after its name. Raises `ValueError` where there is none to read.
    """
    is_folder = any((Path(source) / name).exists() for name in (STUDY, FILE))
    made = _in_folder(Path(source)) if is_folder else parsed(source)
    fewer = flattened(made.pop("small", {}), "the table [small]")
    if small:
        if not fewer:
            remedy = "run it whole, or add a table of other values by dotted name"
            raise mistake("a study with a table [small]", str(source), remedy)
        made = changed({**made, "name": f"{made.get('name')}-small"}, fewer)
    return changed(made, changes or {})


def fingerprint(table: Mapping[str, Any]) -> str:
    """What tells a study file, read by this version, from others; nothing if that is not sure.

    The code behind a name of the user's may change without it.
    """
    plain = str | bool | int | float
    if any(not isinstance(x, plain) or (isinstance(x, str) and is_open(x)) for x in _texts(table)):
        return ""
    return digest(canonical([table, __version__]))


def parsed(source: str | Path) -> dict[str, Any]:
    """What the study file says, as plain values; its `small`, if it has one, is a table."""
    content = text(source)
    try:
        table = tomllib.loads(content)
    except (ValueError, OverflowError) as error:  # among them an integer of too many digits
        raise mistake("a TOML file", str(source), f"fix it: {error}") from error
    except RecursionError:
        raise _too_deep(source) from None
    if is_deeper(table, DEEPEST):
        raise _too_deep(source)
    small = table.get("small", {})
    if not isinstance(small, Mapping):
        raise mistake(f"a table [small] in {source}", small, "write other values by dotted name")
    return table


def _in_folder(folder: Path) -> dict[str, Any]:
    """The study file beside a store, or the study last run on it."""
    if (folder / STUDY).exists():
        return parsed(folder / STUDY)
    with Store.read(folder) as store:
        if not store.designs:
            raise mistake("a store on which a study was run", str(folder), "run one there")
        table = {**json.loads(store.protocol_json), **json.loads(store.designs[-1].json)}
    return {name: x for name, x in table.items() if name != "draws"}  # of a store of earlier draws


def _texts(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
    else:
        yield value


def _content(path: Path) -> bytes:
    """The bytes of a regular file, never of a device or a pipe, which may not end."""
    try:
        is_regular = stat.S_ISREG(os.stat(path).st_mode)
        content = b""
        if is_regular:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        got = f"{path}: {getattr(error, 'strerror', None) or error}"
        raise mistake("a study file that can be read", got, "check its name") from error
    if not is_regular:
        raise mistake("a regular file as study", str(path), "name a .toml file")
    if len(content) > LARGEST:
        raise mistake(f"a study file below {LARGEST} bytes", str(path), "shorten it")
    return content


def _too_deep(source: str | Path) -> ValueError:
    return mistake(f"at most {DEEPEST} levels of tables and lists", str(source), "flatten them")


def _comments(name: str) -> list[list[str]]:
    """The lines of each block of comments in a preset, the first at its top."""
    known = presets()
    if name not in known:
        raise unknown_name("a preset", name, known)
    lines = str(known[name].read_text(encoding="utf-8")).splitlines()
    blocks = groupby(lines, key=lambda line: line.startswith("#"))
    return [[line.lstrip("# ") for line in block] for is_comment, block in blocks if is_comment]


def write(path: Path, text: str) -> None:
    """Write a file at once or not at all; `ValueError` where that is impossible."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise mistake(f"a file that can be written at {path}", str(error), "make room") from error
