"""Numbers of arXiv 2502.16977, on weakly interacting data."""

from dataclasses import dataclass

SOURCE = "arXiv 2502.16977"


@dataclass(frozen=True)
class PublishedTransition:
    """Proportions of converged trials against n, and the published estimate of the threshold."""

    source: str
    d: int
    p: int
    step: float  # of descent, on p L
    success: float  # converged when L < success / 2n
    proportions: tuple[tuple[int, float], ...]  # (n, converged / trials)
    repetitions: int
    threshold: float


# arXiv 2502.16977, experiment 1.2; published for 340-360 and for 370 and above as .04 and 0.
EXPERIMENT_1_2 = PublishedTransition(
    source="arXiv 2502.16977",
    d=30,
    p=100,
    step=1.0,
    success=1.0,
    proportions=(
        (250, 1.0),
        (260, 0.96),
        (270, 0.88),
        (280, 0.68),
        (290, 0.72),
        (300, 0.20),
        (310, 0.24),
        (320, 0.16),
        (330, 0.08),
        (340, 0.04),
        (350, 0.04),
        (360, 0.04),
        (370, 0.0),
    ),
    repetitions=25,
    threshold=293.0,
)

# Experiment 2, orthogonal inputs: log-log slopes over n = 1000 to 2000 with their errors.
EXPERIMENT_2_SLOPES = {
    "last": (-0.81, 0.04),  # mu at the end
    "mean": (-0.73, 0.05),  # log(L(0) / L(T)) / T
    "low": (-0.73, 0.05),  # the lower bound of mu at the end
    "high": (-0.50, 0.03),  # and the upper one
}
CONJECTURE = -0.5  # the exponent of the rate in the limit

# Exponents alpha of rates n^-alpha, which lie between 1/sqrt(n) and 1/n.
GROUP_RATES = (0.5, 0.75, 1.0)

TRANSITIONS = (EXPERIMENT_1_2,)


def transition_at(d: int, p: int) -> PublishedTransition | None:
    """The published transition at this d and p, if there is one."""
    found = [t for t in TRANSITIONS if (t.d, t.p) == (d, p)]
    return found[0] if found else None
