"""The commands that repeat a study and its trials, as one types them into a shell."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jaxflow.core.types import SIZES
from jaxflow.report.slices import SliceReport
from jaxflow.store.store import Store
from jaxflow.study import files


class Origin(NamedTuple):
    """What a study is called on a command line, and what that says as plain values."""

    words: tuple[str, ...]
    table: Mapping[str, Any]
    draws_alike: bool = True  # a trial run now has the draws of that in the store


def origin(folder: Path) -> Origin:
    """The preset that a store was made from, if its study was none other; else its study file.

    Whoever reads of it may have neither the folder nor its path.
    """
    with Store.read(folder) as store:
        last, alike = store.designs[-1], "draws" not in store.protocol.table
    name = str(last.table.get("name"))
    small, preset = name.endswith("-small"), name.removesuffix("-small")
    if preset in files.presets() and (not small or "small" in files.parsed(preset)):
        table = files.table(preset, small=small)
        if files.fingerprint(table) == last.source.partition(" ")[0]:
            return Origin((preset, *(["--small"] if small else [])), table, alike)
    return Origin((files.STUDY,), files.table(folder), alike)


def command(study: Origin, slice: SliceReport, x: float, seed: int) -> str:
    """`jaxflow trial` for the trial of a slice at x with that number; nothing would repeat some."""
    if not study.draws_alike:
        return ""
    point = slice.base.moved(slice.along, x)
    sizes = (word for name in SIZES for word in (f"-{name}", str(point[name])))
    others = (_changed(study, slice, name, value) for name, value in point.parameters)
    rule = ("--dynamics", slice.dynamics, "--trial-seed", str(seed))
    return shlex.join(["jaxflow", "trial", *study.words, *sizes, *rule, *others])


def _changed(study: Origin, slice: SliceReport, name: str, value: float) -> str:
    """The flag that gives a parameter its value: as an axis, or where it is scanned, as it is."""
    if name != slice.along:
        return f"--axes.parameters.{name}=[{value!r}]"
    first, *rest = name.split(".")
    known = study.table.get(first, {})
    if isinstance(known, Mapping):
        return f"--{name}={value!r}"
    inner: Any = value
    for part in reversed(rest[1:]):
        inner = {part: inner}
    return f"--{first}={_inline({'kind': known, rest[0]: inner})}"


def _inline(value: Any) -> str:
    """A value as TOML in a line."""
    if not isinstance(value, Mapping):
        return json.dumps(value)
    return f"{{{', '.join(_entries(value))}}}"


def _entries(table: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{json.dumps(name)} = {_inline(value)}" for name, value in table.items())
