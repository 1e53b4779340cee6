"""What every command prints, and how."""

from typing import TYPE_CHECKING, TextIO

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
