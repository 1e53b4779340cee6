"""A store as one HTML file that asks for nothing else: `jaxflow report`.

Its numbers are those of `jaxflow.report`. What it says is text and SVG, whole without scripts; a
script looks up what lies in a table of JSON beside it.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from jaxflow.core import __version__
from jaxflow.report.horizons import ladder
from jaxflow.report.slices import SliceReport, slices
from jaxflow.sampling.design import Design
from jaxflow.show import sections, terminal
from jaxflow.show.downloads import Download
from jaxflow.show.layers import palette
from jaxflow.show.lights import SEVERITY, Light, lights
from jaxflow.show.lookup import lookup
from jaxflow.show.panels import panels, views
from jaxflow.show.question import provenance, question
from jaxflow.show.repeat import origin
from jaxflow.show.text import symbol
from jaxflow.store.file import is_locked
from jaxflow.store.store import Store
from jaxflow.study.files import write as write_whole


def write(folder: Path, other: Path | None = None, path: Path | None = None) -> Path:
    """Write the page of the store in a folder, held against an `other`, and give its path.

    That is `report.html` in the folder, if nothing is said. Raises `ValueError` where there is no
    store with trials, where two cannot be compared, and where the file cannot be written.
    """
    to = path or folder / "report.html"
    write_whole(to, page(folder, other))
    return to


def page(folder: Path, other: Path | None = None) -> str:
    """The page as text."""
    found = slices(folder)
    fractions = ladder(found)
    shown = views(found, fractions)
    said = provenance(folder, found)
    signals = lights(found, is_locked(folder))
    waits = found[0].waits
    drawn = sections.diagram(shown, panels(shown, fractions) if waits else [])
    outcomes = lookup(origin(folder), shown)
    shades = {"palette": palette(), "last": len(fractions) - 1}
    return _rendered(
        {
            **_heading(folder, found, signals),
            "sentences": sections.sentences(found) if waits else [],
            "answer": sections.markup(terminal.summary(found)),
            "remark": terminal.remark(found) if waits else "",
            "comparison": sections.comparison(folder, other) if other else None,
            **drawn.content,
            **sections.transitions(shown),
            **sections.measured(found),
            "laws": sections.laws(found),
            "lights": signals,
            "history": sections.history(folder, shown),
            "cost": sections.cost(found),
            "provenance": said,
            "study_file": Download("study.toml", sections.text_link(said.study)),
            "outcomes": outcomes["outcomes"],
            "asked": shown[0].asked,
            **shades,
            "data": {**drawn.data, **outcomes, **shades},
        }
    )


def _heading(
    folder: Path, found: Sequence[SliceReport], signals: Sequence[Light]
) -> dict[str, Any]:
    """What it is about, in a sentence and a few numbers."""
    with Store.read(folder) as store:
        protocol = store.protocol.table
        design = Design.from_json(store.designs[-1].json)
    trials = {(slice.dynamics, slice.base): len(slice.rows) for slice in found}
    tiles = {
        "Trials": f"{sum(trials.values()):,}".replace(",", " "),
        "Slices": str(len(found)),
        "Scanned axis": symbol(found[0].along),
        "Time allowed": found[0].horizon.labels[-1],
    }
    return {
        "name": design.name,
        "question": question(protocol, design, found),
        "tiles": tiles,
        "worst": max(signals, key=lambda light: SEVERITY.index(light.level)),
        "version": __version__,
    }


def _rendered(content: dict[str, Any]) -> str:
    folder = files("jaxflow") / "show" / "templates"
    texts = {end: (folder / f"report.{end}").read_text("utf-8") for end in ("html", "css", "js")}
    script = b64encode(hashlib.sha256(texts["js"].encode()).digest()).decode()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(texts["html"])
    own = {name: Markup(texts[end]) for name, end in (("style", "css"), ("script", "js"))}
    return template.render(**content, **own, script_hash=script)
