"""What the scripts of figures share: their stores, and what they hold against published numbers.

A script names its `STUDIES` and has a function `draw`, which reads their stores, writes its figure
and returns its claims. `main` runs it by itself, `python figures/_all.py` runs the studies and all.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxflow import plot
from jaxflow.report.compute import compute
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.resamples import percentiles
from jaxflow.store.store import Store

HERE = Path(__file__).resolve().parent
RUNS = HERE.parent / "runs"
DRAWS = 20_000  # of a ratio of thresholds


@dataclass(frozen=True)
class Claim:
    """A number, ours with its 95 % interval, beside the one published if there is one."""

    what: str
    ours: float
    low: float
    high: float
    trials: int
    published: float | tuple[float, float] | str | None = None  # a pair: anywhere between
    source: str = ""
    remark: str = ""  # why they differ, where they do

    @property
    def agrees(self) -> bool | None:
        """Whether the published number, or one of a pair's, lies within our interval; or None."""
        known = self.published
        if isinstance(known, tuple):
            return bool(self.low <= known[1] and known[0] <= self.high)
        return bool(self.low <= known <= self.high) if _is_number(known) else None


@dataclass(frozen=True)
class Stores:
    """The stores of the studies at one size."""

    small: bool

    def __getitem__(self, study: str) -> Path:
        return RUNS / self.design(study)

    def design(self, study: str) -> str:
        """The name of the study at this size."""
        return f"{study}-small" if self.small else study


def threshold(
    what: str, slice: SliceReport, known: float | None = None, source: str = "", remark: str = ""
) -> Claim:
    """The threshold of a slice."""
    posterior = slice.posterior()
    found = posterior.median, *posterior.interval()
    return Claim(what, *found, len(slice.rows), known, source, remark)


def ratio(one: SliceReport, other: SliceReport) -> tuple[float, float, float]:
    """The threshold of one over the other's, with its 95 % interval, taken as independent."""
    rng = np.random.default_rng(0)
    drawn = [slice.posterior().quantile(rng.uniform(size=DRAWS)) for slice in (one, other)]
    low, high = percentiles(drawn[0] / drawn[1])
    return float(np.median(drawn[0] / drawn[1])), float(low), float(high)


def claim_of(figure: str, name: str) -> dict[str, Any]:
    """The claim of a figure that is called so, or the one that begins so."""
    known = json.loads((HERE / "claims" / f"{figure}.json").read_text())
    called = [claim for claim in known if claim["what"] == name]
    (found,) = called or [claim for claim in known if claim["what"].startswith(name)]
    return dict(found)


def cell(text: str) -> str:
    """A text as the cell of a table of Markdown, which a bar would end."""
    return text.replace("|", r"\|")


def main(name: str, draw: Callable[[Stores, Path], Sequence[Claim]]) -> None:
    """Draw the figure `name` from stores that are there; keep its claims, and what they took."""
    script: Any = sys.modules["__main__"]
    parser = argparse.ArgumentParser(description=script.__doc__)
    parser.add_argument("--small", action="store_true", help="of the studies' small sizes")
    stores, path = Stores(parser.parse_args().small), HERE / f"{name}.png"
    try:
        with plot.style():
            claims = draw(stores, path)
        took = {study: _took(stores[study]) for study in script.STUDIES}
    except ValueError as error:
        sys.exit(f"{error}; `make figures` runs the studies")
    found = [asdict(claim) | {"agrees": claim.agrees} for claim in claims]
    for folder, known in (("claims", found), ("compute", took)):
        (HERE / folder).mkdir(exist_ok=True)
        (HERE / folder / f"{name}.json").write_text(json.dumps(known, indent=1) + "\n")
    print(path)


def _took(folder: Path) -> dict[str, float]:
    """What the trials of a store took to compute."""
    with Store.read(folder) as store:
        return compute(store)._asdict()


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
