"""One form for every mistake a user can make: what was expected, what came, what to do.

A message is one line of bounded length, whatever it quotes: long values are shortened in their
middle, and line ends and terminal escapes of a user's text never reach the terminal.
"""

import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

WIDTH = {"expected": 500, "got": 200, "remedy": 300}  # characters quoted at most
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple = 4, 6, 8, 8
_SHORT.maxstring, _SHORT.maxlong, _SHORT.maxother = 160, 60, 160


def mistake(expected: str, got: object, remedy: str) -> ValueError:
    """A one-line `ValueError`; callers raise it."""
    said = {"expected": expected, "got": shown(got), "remedy": remedy}
    short = {part: shortened(text, WIDTH[part]) for part, text in said.items()}
    return ValueError("expected {expected}, got {got}: {remedy}".format(**short))


def unknown_name(
    kind: str, got: str, valid: Iterable[str], otherwise: str = "use one of the names expected"
) -> ValueError:
    """The error for a name that is not in a table, with the nearest valid one if one is near."""
    names = sorted(map(str, valid))
    near = get_close_matches(got[:100], names, n=1, cutoff=0.62)
    remedy = f"did you mean {near[0]!r}?" if near else otherwise
    return mistake(f"{kind} in {{{', '.join(names)}}}", got, remedy)


@contextmanager
def located(where: str) -> Iterator[None]:
    """What is raised as a `ValueError` in it says where."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def shown(value: object) -> str:
    """`repr` of any value, shortened; of one that has none, its type."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    try:
        return _SHORT.repr(value)
    except Exception:  # a repr of the user's, or an integer of too many digits
        return f"<{type(value).__name__}>"


def shortened(text: object, width: int = 500) -> str:
    """The text on one line of at most `width` characters, what cannot be printed escaped."""
    start = str(text)
    if len(start) > 4 * width:  # so that a text of any length costs little
        start = f"{start[: 2 * width]}{start[-2 * width :]}"
    words = " ".join(start.split())
    line = printable(words)
    if len(line) > width:
        half = (width - 5) // 2
        line = f"{line[:half]} ... {line[-half:]}"
    return line


def printable(text: object) -> str:
    """The text in a line, with what a terminal would obey instead of show written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
