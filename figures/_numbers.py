"""The numbers of the README: a claim of a figure each, and one of the benchmark."""

import json
from collections.abc import Iterator

from _common import HERE, claim_of

BENCHMARK = HERE.parent / "benchmarks" / "results" / "latest.json"
LOOP = "flow-over-loop-800"
NUMBERS = (
    ("samples that the published descent fits at d = 30, p = 100: 293 published",
     "thresholds", "N(30, 100), descent"),
    ("samples that its edge flow fits", "edge_flow", "N(30, 100), edge flow with step 1"),
    ("samples that the gradient flow fits in the same time", "thresholds", "N(30, 100), flow"),
    ("random labels a dimension that a plane separates, in the limit: 2 by Gardner",
     "atlas", "perceptron with a margin, N/d: kappa = 0"),
)  # fmt: skip


def numbers() -> Iterator[str]:
    """A table of Markdown for the README."""
    yield "| what | measured, 95 % interval | trials |"
    yield "|---|---|---|"
    for what, figure, begins in NUMBERS:
        claim = claim_of(figure, begins)
        found = f"{claim['ours']:.4g} [{claim['low']:.4g}, {claim['high']:.4g}]"
        yield f"| [{what}](figures/{figure}.png) | {found} | {claim['trials']} |"
    record = json.loads(BENCHMARK.read_text())
    (loop,) = [claim for claim in record["claims"] if claim["id"] == LOOP]
    machine = f"{record['machine']['cores']} cores, {record['machine']['cpu']}"
    yield f"| [{loop['what']}](benchmarks/README.md); {machine} | {loop['measured']:.3g} times | |"
