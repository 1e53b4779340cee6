"""The committed figures with what their scripts say of them, and the numbers that they claim."""

import ast
import re
from pathlib import Path

import prose

FIGURES = Path(__file__).parents[2] / "figures"
ASIDE = re.compile(r"(?<=\?) |: ")  # what ends the title in a first line
CLAIM = re.compile(r"^\| \[(.*)\]\((\w+)\.png\) (\|.*\|)$")


def text() -> str:
    """The figures, in the order and under the headings of figures/README.md."""
    parts = []
    for section in _sections():
        title, said = section.split("\n", 1)
        names = [name for name in re.findall(r"\]\((\w+)\.png\)", said) if _picture(name).exists()]
        if names and "claims -->" not in said:
            scripts: dict[Path, list[str]] = {}
            for name in dict.fromkeys(names):
                scripts.setdefault(_script(name), []).append(name)
            parts += [f"## {title}", *(_figure(*script) for script in scripts.items())]
    return "\n\n".join(parts)


def numbers() -> str:
    """The table of figures/README.md, figure by figure."""
    parts = [_table().split("<!-- claims -->")[0].split("\n", 1)[1].strip()]
    for name, lines in rows().items():
        title, _ = _said(_script(name))
        told = "\n".join([*head(), *lines])
        parts += [f"## {title}", f"[The figure](../figures/{name}.png).", told]
    return "\n\n".join(parts)


def rows() -> dict[str, list[str]]:
    """The rows of that table by figure, without their links."""
    found: dict[str, list[str]] = {}
    for line in _table().split("\n"):
        if claim := CLAIM.match(line):
            found.setdefault(claim[2], []).append(f"| {claim[1]} {claim[3]}")
    return found


def head() -> list[str]:
    """Its first two lines."""
    return [line for line in _table().split("\n") if line.startswith(("| what |", "|---"))]


def _table() -> str:
    (table,) = [section for section in _sections() if "claims -->" in section]
    return table


def _sections() -> list[str]:
    return (FIGURES / "README.md").read_text().split("\n## ")[1:]


def _picture(name: str) -> Path:
    return FIGURES / f"{name}.png"


def _script(picture: str) -> Path:
    """The script that draws a picture: the one of its name, or of the longest beginning of it."""
    return max(FIGURES.glob("[a-z]*.py"), key=lambda path: _shared(path.stem, picture))


def _figure(script: Path, names: list[str]) -> str:
    """The pictures of a script, what they are, and how they are made."""
    title, more = _said(script)
    shown = [f"![{title}](../figures/{name}.png)" for name in names]
    run = f"`python figures/_all.py --only {script.stem}`"
    return "\n\n".join([f"### {title}", more, *shown, run])


def _said(script: Path) -> tuple[str, str]:
    """What a script is called, and what it says besides, as Markdown."""
    said = prose.line(ast.get_docstring(ast.parse(script.read_text())) or "")
    first, _, more = said.partition("\n")
    title, *aside = ASIDE.split(first, maxsplit=1)
    parts = [*(text[0].upper() + text[1:] for text in aside), more.strip()]
    return title.removesuffix("."), " ".join(filter(None, parts))


def _shared(script: str, name: str) -> int:
    """The length of the name of a script with which that of a picture begins."""
    return len(script) if name == script or name.startswith(f"{script}_") else 0
