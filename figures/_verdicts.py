"""What arXiv 2502.16977 says of its experiments, each beside our number, with a verdict.

confirmed      our interval holds the published number, or the statement stands
refined        it stands with another number, or under conditions that were not named
not supported  what was measured contradicts it
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from _common import cell, claim_of

Verdict = Literal["confirmed", "refined", "not supported"]


@dataclass(frozen=True)
class Statement:
    """A statement of the paper, its number if it has one, and what we make of it.

    The claim of the `figure` that tells of it is `what`, or begins so.
    """

    said: str
    published: float | None
    figure: str
    what: str
    verdict: Verdict
    why: str = ""

    def claim(self) -> dict[str, Any]:
        """What was measured."""
        return claim_of(self.figure, self.what)


STATEMENTS = (
    Statement(
        "Experiment 1.0, d = 100: the proportions of converged runs at 17 n",
        0.05,
        "transition", "P(converged), experiment 1.0: share of 17",
        "confirmed",
        "counts that differ by Fisher's exact test at p < 0.05: chance gives 0.05 of them",
    ),
    Statement(
        "Its threshold is 1651",
        1651,
        "transition", "N(100, 37), descent, step 1",
        "refined",
        "the published number is a step of fixed width fitted on the grid; their proportions give "
        "1658 [1648, 1669] by our posterior",
    ),
    Statement(
        "Experiment 1.2: N(30, 100) = 293",
        293,
        "thresholds", "N(30, 100), descent",
        "confirmed",
    ),
    Statement(
        "N(30, 200) = 347",
        347,
        "phase_diagram", "N(30, 200), descent, horizon T0",
        "confirmed",
    ),
    Statement(
        "Experiment 1.1: N(30, 30) = 150",
        150,
        "phase_diagram", "N(30, 30), descent, horizon T0",
        "refined", "published from n = 120, 150, 180, .. by a step of fixed width",
    ),
    Statement(
        "N(60, 30) = 600",
        600,
        "dimension", "N(60, 30), descent, step 1, 1 x horizon",
        "confirmed",
    ),
    Statement(
        "At p = 30 the threshold grows linearly in d",
        1,
        "dimension", "exponent of N in d, p = 30, descent, step 1, 1 x horizon",
        "not supported",
        "the two published thresholds, at d = 30 and 60, are a factor of 4 apart; the gradient "
        "flow's are proportional to d, at 4 and at 16 times the time",
    ),
    Statement(
        "At d = 30 it grows less than linearly in p, perhaps as log p",
        None,
        "width", "exponent of N in p, d = 30, descent, step 1, 1 x horizon",
        "refined",
        "less than linearly, and in the end slower than log p: of all forms one that levels off is "
        "nearest; of descent with step 1, which is what was run",
    ),
    Statement(
        "The thresholds are those of gradient flow",
        293,
        "thresholds", "N(30, 100), flow",
        "not supported",
        "the flow converges at nearly five times the published 293 samples; descent with step 1 is "
        "at the edge of stability, and its thresholds are those of the edge flow",
    ),
    Statement(
        "Beyond the threshold the network does not converge",
        None,
        "width", "exponent of N in p, d = 30, flow, 16 x horizon",
        "refined",
        "within the time allowed: at 16 times the horizon N of the flow is proportional to p, "
        "close to the count p d, which is the exponent 1 here",
    ),
    Statement(
        "Experiment 2: the last rate falls as n^-0.81 over n = 1000 to 2000",
        -0.81,
        "experiment_2", "experiment 2, descent: exponent of mu at the end",
        "confirmed",
    ),
    Statement(
        "the mean rate as n^-0.73",
        -0.73,
        "experiment_2", "experiment 2, descent: exponent of mean mu",
        "confirmed",
    ),
    Statement(
        "its lower bound as n^-0.73",
        -0.73,
        "experiment_2", "experiment 2, descent: exponent of mu_low",
        "confirmed",
    ),
    Statement(
        "its upper bound as n^-0.50",
        -0.5,
        "experiment_2", "experiment 2, descent: exponent of mu_upp",
        "confirmed",
    ),
    Statement(
        "The bounds hold along the way",
        0,
        "experiment_2", "experiment 2: states with mu outside its bounds",
        "confirmed",
    ),
    Statement(
        "In the limit the rate falls as n^-1/2",
        -0.5,
        "experiment_2", "experiment 2, flow: exponent of mu at the end, n = 10000 to 100000",
        "refined",
        "not yet at n = 100 000; from n = 100 to 10^6 n^-1/2 / (log n)^2 fits and a power does not",
    ),
    Statement(
        "Random first parameters fail with probability at most n (3/4)^p",
        0,
        "well_initialized", "widths with P(good) below its union bound, orthogonal",
        "confirmed", "number of widths at which they fail more often",
    ),
    Statement(
        "Theorem 1: d of the order of n^2 is enough at p = 4 log(n / eps)",
        None,
        "theorem_1", "theorem 1: d above which the flow converges, n = 256",
        "confirmed", "and more than is needed: half converge at this d, where n^2 is 65536",
    ),
    Statement(
        "With |a_j| >= |w_j| a good initialization converges on orthogonal data",
        1,
        "assumption_1", "P(converged | good initialization), orthogonal, ratio = 1",
        "confirmed",
    ),
    Statement(
        "Group initialization has a closed form, a staircase in the limit",
        None,
        "group_initialization", "group initialization: relative difference of the loss",
        "confirmed", "largest relative difference from the closed form over whole trajectories",
    ),
    Statement(
        "Groups make rates of n^-alpha for all alpha in [1/2, 1]",
        None,
        "group_initialization", "group initialization: relative difference of the final rate",
        "confirmed",
        "largest relative difference from 4 n^-alpha at alpha = 0.5, 0.75 and 1, n = 16 to 4096, "
        "labels of one size; those of U[1, 2] come to these powers as n grows",
    ),
    Statement(
        "A leaky ReLU converges with a constant number of neurons",
        None,
        "activations", "P(converged) at width 2, leak = 0.1",
        "confirmed",
    ),
)  # fmt: skip


def verdicts() -> Iterator[str]:
    """The statements as a table of Markdown, for a page in docs/."""
    yield "| what is said | what was measured, with its 95 % interval | trials | verdict | remark |"
    yield "|---|---|---|---|---|"
    for statement in STATEMENTS:
        claim = statement.claim()
        found = f"{claim['ours']:.4g} [{claim['low']:.4g}, {claim['high']:.4g}]"
        what = f"[{cell(claim['what'])}](../figures/{statement.figure}.png): {found}"
        said = cell(statement.said)
        verdict = f"**{statement.verdict}**"
        yield f"| {said} | {what} | {claim['trials']} | {verdict} | {statement.why} |"
