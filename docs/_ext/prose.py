"""Docstrings as reStructuredText and as Markdown.

They are plain prose: backticks mean code, what is indented is meant as it stands, and everything
else, |w_j| or *, means itself.
"""

import re

SPECIAL = re.compile(r"([\\*|_<>`\[\]])")
BLOCK = "    "


def restructured(lines: list[str]) -> list[str]:
    """Lines of a docstring as those of reStructuredText."""
    made: list[str] = []
    for block, is_code in _blocks(lines):
        made += ["::", "", *block, ""] if is_code else [*map(_escaped, block), ""]
    return made


def markdown(said: str) -> str:
    """A docstring as Markdown."""
    parts = []
    for block, is_code in _blocks(said.split("\n")):
        parts.append("\n".join(["```text", *block, "```"] if is_code else map(line, block)))
    return "\n\n".join(parts)


def first(said: str) -> str:
    """What a docstring says first, in a line of Markdown that goes into a table."""
    return line(said.split("\n\n")[0].replace("\n", " "))


def line(text: str) -> str:
    """A line of prose as Markdown."""
    return _joined(text, lambda code: f"`{code}`")


def _escaped(text: str) -> str:
    return _joined(text, lambda code: f"\\ ``{code}``\\ ")


def _joined(text: str, as_code) -> str:  # type: ignore[no-untyped-def]
    parts = text.split("`")
    return "".join(as_code(p) if i % 2 else SPECIAL.sub(r"\\\1", p) for i, p in enumerate(parts))


def _blocks(lines: list[str]) -> list[tuple[list[str], bool]]:
    """Paragraphs, and blocks that are indented, which empty lines do not end."""
    made: list[tuple[list[str], bool]] = []
    for text in lines:
        is_code = text.startswith(BLOCK)
        if made and made[-1][1] and (is_code or not text):
            made[-1][0].append(text)
        elif is_code or not made or made[-1][1] or (text and not made[-1][0][-1:]):
            made.append(([text] if text else [], is_code))
        elif text:
            made[-1][0].append(text)
        else:
            made.append(([], False))
    return [(_stripped(block), is_code) for block, is_code in made if any(block)]


def _stripped(block: list[str]) -> list[str]:
    """Without empty lines at the end."""
    while block and not block[-1]:
        block = block[:-1]
    return block
