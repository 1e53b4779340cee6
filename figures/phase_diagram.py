"""The phase diagram at d = 30: where descent with step 1 and the gradient flow converge."""

from collections.abc import Sequence
from pathlib import Path

from _common import Claim, Stores, main

from jaxflow import report
from jaxflow.show.figures import draw as draw_store

STUDIES = ("phase-diagram-d30",)


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, and the thresholds at the published horizon and at twice that."""
    store = stores["phase-diagram-d30"]
    draw_store(store, path, "diagram")
    draw_store(store, path.with_stem("phase_diagram_times"), "times")
    return [
        Claim(
            f"N({found['d']}, {found['p']}), {found['dynamics']}, horizon {found['horizon']}",
            found["n50"],
            found["low"],
            found["high"],
            found["trials"],
        )
        for found in report.thresholds(store)
    ]


if __name__ == "__main__":
    main("phase_diagram", draw)
