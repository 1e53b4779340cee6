"""What every command prints, and how."""

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, TextIO

from jaxflow.core.errors import printable

if TYPE_CHECKING:
    from jaxflow.show.text import Table


def say(text: object, file: TextIO | None = None) -> None:
    """Print a line, whatever names are in it."""
    print(printable(text), file=file)


def show(*tables: "Table") -> None:
    """Print tables."""
    from rich.console import Console

    console = Console()
    with console.capture() as written:  # rich would end the process where a pipe is closed
        for table in tables:
            console.print(table)
    print(written.get(), end="")


def print_json(value: object) -> None:
    """Print plain values as JSON that a strict parser reads: what is no finite number is null."""
    import json

    print(json.dumps(_strict(value), indent=2, allow_nan=False))


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _strict(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_strict, value))
    return None if isinstance(value, float) and not isfinite(value) else value
