"""One form for every mistake a user can make: what was expected, what came, what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


def mistake(expected: str, got: object, remedy: str) -> ValueError:
    """A one-line `ValueError`; callers raise it."""
    return ValueError(f"expected {expected}, got {got!r}: {remedy}")


def unknown_name(kind: str, got: str, valid: Iterable[str]) -> ValueError:
    """The error for a name that is not in a table, with the nearest valid one."""
    names = sorted(valid)
    near = get_close_matches(got, names, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else "use one of the names expected"
    return mistake(f"{kind} in {{{', '.join(names)}}}", got, remedy)


def printable(text: object) -> str:
    """The text in a line, with what a terminal would obey instead of show written as an escape."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return "".join(shown)
