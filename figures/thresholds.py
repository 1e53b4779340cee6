"""P(converged) against n: the published descent as the control, and the gradient flow itself."""

from collections.abc import Sequence
from pathlib import Path

from _common import Claim, Stores, main

from jaxflow import report
from jaxflow.papers.weakly_interacting import EXPERIMENT_1_2 as PUBLISHED
from jaxflow.show.figures import draw as draw_store

STUDIES = ("demo",)


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, and the threshold of both dynamics."""
    draw_store(stores["demo"], path)
    claims = []
    for slice in report.slices(stores["demo"]):
        found = slice.as_dict()
        is_control = slice.kind == "descent"
        claims.append(
            Claim(
                f"N({found['d']}, {found['p']}), {slice.dynamics}",
                found["n50"],
                found["low"],
                found["high"],
                found["trials"],
                PUBLISHED.threshold if is_control else None,
                PUBLISHED.source if is_control else "",
                "" if is_control else "the true flow, not published",
            )
        )
    return claims


if __name__ == "__main__":
    main("thresholds", draw)
