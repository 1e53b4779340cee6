"""N against the input dimension at p = 30: the published descent, the flow, and time."""

from collections.abc import Sequence
from pathlib import Path

from _common import Claim, Stores, main
from _growth import boundaries_of, claims, draw_growth

from jaxflow import report
from jaxflow.papers.weakly_interacting import thresholds_along

STUDIES = ("experiment-1.1", "experiment-1.1-times")


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, the thresholds beside the published ones, and how they grow."""
    found = boundaries_of(*(report.slices(stores[study]) for study in STUDIES), "d")
    known = thresholds_along("d", p=30)
    return list(claims(found, draw_growth(found, known, path), known))


if __name__ == "__main__":
    main("dimension", draw)
