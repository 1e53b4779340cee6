"""The committed figures with what their scripts say of them, and the numbers that they claim."""

import ast
import re
from pathlib import Path

import prose

FIGURES = Path(__file__).parents[2] / "figures"
CLAIM = re.compile(r"^\| \[(.*)\]\((\w+)\.png\) (\|.*\|)$")


def text() -> str:
    """The figures, in the order and under the headings of figures/README.md."""
    parts = []
    for section in _sections():
        title, said = section.split("\n", 1)
        names = [name for name in re.findall(r"\]\((\w+)\.png\)", said) if _picture(name).exists()]
        if names and "claims -->" not in said:
            parts += [f"## {title}", *map(_figure, dict.fromkeys(names))]
    return "\n\n".join(parts)


def numbers() -> str:
    """The table of figures/README.md, figure by figure."""
    (table,) = [section for section in _sections() if "claims -->" in section]
    intro = table.split("<!-- claims -->")[0].split("\n", 1)[1].strip()
    rows: dict[str, list[str]] = {}
    for line in table.split("\n"):
        if found := CLAIM.match(line):
            rows.setdefault(found[2], []).append(f"| {found[1]} {found[3]}")
    parts = [intro]
    for name, lines in rows.items():
        head = ["| what | published | ours, 95 % interval | trials | |", "|---|---|---|---|---|"]
        parts += [f"## {name}", f"[The figure](../figures/{name}.png).", "\n".join(head + lines)]
    return "\n\n".join(parts)


def _sections() -> list[str]:
    return (FIGURES / "README.md").read_text().split("\n## ")[1:]


def _picture(name: str) -> Path:
    return FIGURES / f"{name}.png"


def _figure(name: str) -> str:
    """A picture, what it is, and how it is made."""
    script = max(FIGURES.glob("[a-z]*.py"), key=lambda path: _shared(path.stem, name))
    said = ast.get_docstring(ast.parse(script.read_text())) or ""
    title, _, more = said.partition("\n")
    picture = f"![{name}: {prose.line(title)}](../figures/{name}.png)"
    text = " ".join(prose.line(title) for title in (title, *more.split("\n")) if title)
    return f"### {name}\n\n{text}\n\n{picture}\n\n`python figures/_all.py --only {script.stem}`"


def _shared(script: str, name: str) -> int:
    """The length of the name of a script with which that of a picture begins."""
    return len(script) if name == script or name.startswith(f"{script}_") else 0
