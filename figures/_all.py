"""Run the studies of every figure, draw all of them, and write their claims into their pages.

`--small` runs the studies at their small sizes, and leaves the statements on papers and the numbers
of the README, which are of the full size. Studies that have been run are not run again.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from _common import HERE, Stores, cell
from _numbers import numbers
from _verdicts import verdicts

from jaxflow.show.text import duration

DOCS = HERE.parent / "docs"
FIRST, LAST = "<!-- claims -->", "<!-- end of claims -->"


def main() -> None:
    """Run, draw, and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the studies' small sizes")
    parser.add_argument(
        "--only", nargs="*", metavar="NAME", help="these figures; none: the table only"
    )
    options = parser.parse_args()
    size = ["--small"] if options.small else []
    everything = [path.stem for path in sorted(HERE.glob("[a-z]*.py"))]
    names = everything if options.only is None else options.only
    for name in names:
        for study in studies(name):
            out = str(Stores(options.small)[study])
            call("-m", "jaxflow", "run", study, *size, "--out", out)
        call(str(HERE / f"{name}.py"), *size)
    for page, lines in tables(options.small):
        write(page, lines)


def studies(name: str) -> tuple[str, ...]:
    """The studies that a script reads, which it names."""
    named = getattr(import_module(name), "STUDIES", None)
    if not isinstance(named, tuple):
        sys.exit(f"expected a tuple STUDIES in figures/{name}.py, got {named!r}: add it")
    return named


def call(*arguments: str) -> None:
    """Run Python; stop where it fails."""
    done = subprocess.run([sys.executable, *arguments], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def tables(small: bool = False) -> Iterator[tuple[Path, Iterator[str]]]:
    """The pages that have a table of claims, and its lines.

    Statements on papers, and the numbers of the README, are of claims of the full size alone.
    """
    yield HERE / "README.md", table("*", HERE)
    for page, figure in (("edge", "edge_*"), ("kernel", "lazy")):
        yield DOCS / f"{page}.md", table(figure, DOCS)
    yield DOCS / "atlas.md", chain(table("atlas", DOCS), [""], took("atlas", "perceptron"))
    if not small:
        yield DOCS / "published.md", verdicts()
        yield HERE.parent / "README.md", numbers()


def write(page: Path, lines: Iterator[str]) -> None:
    """Put a table between the two marks of a page."""
    before, rest = page.read_text().split(FIRST)
    _, after = rest.split(LAST)
    page.write_text("\n".join([before + FIRST, "", *lines, "", LAST + after]))


def table(figures: str, folder: Path) -> Iterator[str]:
    """The claims of figures as lines of Markdown, for a page in a folder."""
    yield "| what | published or expected | ours, 95 % interval | trials | remark |"
    yield "|---|---|---|---|---|"
    for path in sorted((HERE / "claims").glob(f"{figures}.json")):
        figure = os.path.relpath(HERE / f"{path.stem}.png", folder)
        for claim in json.loads(path.read_text()):
            yield row(claim, figure)


def took(*figures: str) -> Iterator[str]:
    """What the studies of figures took to compute, as lines of Markdown."""
    yield "| study | trials | by the clock | summed over workers |"
    yield "|---|---|---|---|"
    for figure in figures:
        known = json.loads((HERE / "compute" / f"{figure}.json").read_text())
        for study, spent in known.items():
            times = (duration(spent[name]) for name in ("seconds", "worker_seconds"))
            yield f"| {study} | {spent['trials']} | {' | '.join(times)} |"


def _said(known: float | list[float] | str | None) -> str:
    """A number, two that it is between, or words."""
    if isinstance(known, list):
        return " to ".join(f"{x:g}" for x in known)
    return f"{known:.4g}" if isinstance(known, float) else "" if known is None else str(known)


def row(claim: dict[str, Any], figure: str) -> str:
    """One claim, whose name leads to its figure."""
    published = _said(claim["published"])
    if claim["source"]:
        published += f" ({claim['source']})"
    ours = f"{claim['ours']:.4g} [{claim['low']:.4g}, {claim['high']:.4g}]"
    verdict = {True: "agrees", False: "differs", None: ""}[claim["agrees"]]
    remark = "; ".join(filter(None, (verdict, claim["remark"])))
    what = cell(claim["what"])
    return f"| [{what}]({figure}) | {published} | {ours} | {claim['trials']} | {remark} |"


if __name__ == "__main__":
    main()
