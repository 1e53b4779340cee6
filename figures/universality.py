"""Does the law of the inputs matter? Thresholds of four laws at two dimensions, by their scores.

Directions of random signs and of heavy tails are held against those on the sphere, with one law of
the norms; Gaussian inputs have directions on the sphere and other norms. The scores are those of
D. L. Donoho and J. Tanner (arXiv 0906.2530), of thresholds.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main

from jaxflow.report.universality import Comparison, compare
from jaxflow.show.universality import figure
from jaxflow.statistics.resamples import Interval

LAWS = "sphere", "rademacher", "student", "gaussian"
STUDIES = tuple(f"universality-{law}" for law in LAWS)


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """The figure, and the threshold of every law over that of the sphere."""
    found = compare([stores[study] for study in STUDIES], LAWS)
    made = figure(found)
    made.savefig(path)
    plt.close(made)
    return [_claim(one) for one in found.comparisons]


def _claim(found: Comparison) -> Claim:
    """N over that of the sphere, at all sizes together or, where it goes with size, at the last."""
    common, trend = found.differences.common, found.differences.trend
    log_ratio = Interval(*map(np.asarray, (common.value, common.low, common.high)))
    where = f"p = 30, {found.name}, {found.horizon}"
    if trend is not None and found.verdict.kind in ("shrinks", "grows"):
        log_ratio = trend.at(trend.sizes[1])
        where = f"{found.along} = {trend.sizes[1]:g}, {where}"
    return Claim(
        f"N of {found.other} inputs over that of {found.first}, {where}",
        *map(float, np.exp(log_ratio)),
        sum(len(slice.rows) for place in found.places for slice in place),
        1.0,
        "if the law does not matter",
        f"{found.verdict.text}; p = {found.p:.2g} (Holm)",
    )


if __name__ == "__main__":
    main("universality", draw)
