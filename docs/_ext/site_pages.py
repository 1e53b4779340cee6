"""What the build adds to the pages: texts made from the code and from results, and docstrings.

A picture is shown at half its pixels, which is the size it is drawn for, and links to its file.
A page says `<!-- made: api -->` where the text of `api.text()` goes, `<!-- made: atlas jamming -->`
for that of a problem of the atlas, and `<!-- picture: lapse -->` for a picture; nothing of it is
written to a file.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import api
import atlas_pages
import gallery
import measured
import pictures
import schema
from prose import restructured

MADE: dict[str, Callable[..., str]] = {
    "api": api.text,
    "atlas": atlas_pages.text,
    "benchmarks": measured.text,
    "gallery": gallery.text,
    "numbers": gallery.numbers,
    "schema": schema.text,
}
INSIDE = {  # what a page of the site links to instead of a file beside it
    "../figures/README.md#every-number": "numbers.md",
    "../figures/README.md": "gallery.md",
    "../README.md": "index.md",
}


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("source-read", _fill)
    app.connect("doctree-read", _natural_width)
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True}


def _fill(app: Any, page: str, source: list[str]) -> None:
    text = re.sub(r"<!-- made: (\w+)([ \w]*) -->", _made, source[0])
    pattern = r"<!-- picture: (\w+) -->"
    text = re.sub(pattern, lambda found: pictures.drawn(getattr(pictures, found[1])), text)
    for outside, inside in INSIDE.items():
        text = text.replace(f"]({outside})", f"]({inside})")
    source[0] = text


def _made(asked: re.Match[str]) -> str:
    return MADE[asked[1]](*asked[2].split())


def _natural_width(app: Any, doctree: Any) -> None:
    """Sphinx links an image that has a width to its file."""
    from docutils import nodes  # which Sphinx brings

    for image in doctree.findall(nodes.image):
        path = Path(app.srcdir) / image["uri"]
        if path.suffix == ".png" and path.exists():
            pixels = int.from_bytes(path.read_bytes()[16:20])
            image["width"] = f"{pixels // 2}px"


def _docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = restructured(lines)


def _signature(
    app: Any, what: str, name: str, thing: Any, options: Any, said: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    return api.short(api.with_defaults(thing, said)), api.short(returns)
