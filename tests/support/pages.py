"""Small stores whose pages are looked at, and a reader of a page."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from simulated import row, stored

import jaxflow as jf
from jaxflow.core.types import Outcome
from jaxflow.sampling.design import Board
from jaxflow.store.store import Store

HOSTILE = "</script><img src=x onerror=alert(1)>&\"'"
VOID = {"meta", "input", "br", "img", "link", "hr"}
EVENTS = {
    "name": "both",
    "problem": {"kind": "deep_network", "label_noise": 0.2},
    "events": {
        "fits": {"kind": "below", "observable": "loss", "value": 0.3},
        "learns": {"kind": "below", "observable": "test_error", "value": 0.15},
    },
    "measure": ["norm"],
    "axes": {"d": [4], "p": [3]},
    "horizon": {"time": [5.0, 20.0]},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [20, 26, 32, 40], "repetitions": 12},
}


def plane(folder: Path, name: str = "flow") -> Path:
    """A boundary over a range of widths, with a descent beside a flow of that name."""
    study = jf.Study(
        "plane",
        jf.Axes(d=(30,), p={"from": 20, "to": 60}),
        {name: jf.GradientFlow(), "gd": jf.GradientDescent(1.0)},
        horizon=jf.Horizon(factor=(1.0, 2.0)),
        threshold=jf.ThresholdPlan(100, 3000, 0.2),
    )
    return stored(folder, study, lambda t: (12 if t.dynamics == "gd" else 20) * t.point.p)


def grid(folder: Path, ratio: float = 1.0, seed: int = 0) -> Path:
    """Slices of three d, by a grid, whose thresholds are 10 d times a ratio."""
    study = jf.Study(
        "grid",
        jf.Axes(d=(20, 40, 60), p=(16,)),
        {"flow": jf.GradientFlow()},
        horizon=jf.Horizon(time=(50.0, 200.0)),
        grid=jf.GridPlan(tuple(np.linspace(8, 12.5, 10)), 20, per=("d",)),
        seed=seed,
    )
    return stored(folder, study, lambda t: 10 * ratio * t.point.d, seed)


def along(folder: Path) -> Path:
    """A slice along the width."""
    study = jf.Study(
        "along",
        jf.Axes(d=(20,), n=(200,)),
        {"flow": jf.GradientFlow()},
        grid=jf.GridPlan((4, 8, 16, 32), 12, along="p", rising=False),
    )
    return stored(folder, study, lambda t: 9.0)


def point(folder: Path) -> Path:
    """A slice of a single value."""
    study = jf.Study(
        "point", jf.Axes(d=(20,), p=(8,)), {"flow": jf.GradientFlow()}, grid=jf.GridPlan((50,), 12)
    )
    return stored(folder, study, lambda t: 50.0)


def events(folder: Path) -> Path:
    """Two events of one slice, and an observable measured."""
    study, rng = jf.Study.from_table(EVENTS), np.random.default_rng(0)
    board, trials, rows = Board(study.design, study.protocol.outline), [], []
    while new := board.propose():
        here = []
        for trial in new:
            happened = {"fits": 24 / trial.point.n, "learns": trial.point.n / 40}
            times = {k: float(rng.uniform(1, 19)) for k, p in happened.items() if rng.random() < p}
            ended = row(trial, len(times) == 2)
            measured = (("norm", 3 + float(rng.normal())),)
            here.append(replace(ended, event_times=tuple(sorted(times.items())), measured=measured))
        board.tell(here)
        trials, rows = trials + new, rows + here
    with Store.open(folder, study.protocol.hash, study.protocol.json) as store:
        store.begin(study.design.hash, study.design.json)
        store.ask(study.design.hash, trials)
        store.insert(rows)
    return folder


def ended(folder: Path, outcome: Outcome, **changes) -> Path:
    """A small grid whose trials all end in one way, having measured 1."""
    table = {
        "name": "ended",
        "axes": {"d": [4], "p": [3]},
        "horizon": {"time": [5.0]},
        "dynamics": {"flow": {"kind": "flow"}},
        "grid": {"values": [20, 26], "repetitions": 4},
    }
    study = jf.Study.from_table({**table, **changes})
    measured = tuple((name, 1.0) for name in study.measure or ())
    (trials,) = [Board(study.design, study.protocol.outline).propose()]
    rows = [replace(row(t, False), outcome=outcome, measured=measured) for t in trials]
    with Store.open(folder, study.protocol.hash, study.protocol.json) as store:
        store.begin(study.design.hash, study.design.json)
        store.ask(study.design.hash, trials)
        store.insert(rows)
    return folder


class Page(HTMLParser):
    """A page read: every element with its attributes, its text, and what its script looks up.

    Raises `AssertionError` where an element is not closed in its turn.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words, self._open, self._data = [], [], ""
        self.feed(text)
        self.close()
        assert not self._open, f"open: {self._open}"
        self.data = json.loads(self._data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open and self._open[-1][0] == tag, f"</{tag}> in {self._open[-3:]}"
        self._open.pop()

    def handle_data(self, data):
        tag, attributes = self._open[-1] if self._open else ("", {})
        if attributes.get("type") == "application/json":
            self._data += data
        elif tag not in ("script", "style"):
            self.words.append(data)
