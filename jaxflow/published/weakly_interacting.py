"""Numbers of arXiv 2502.16977, on weakly interacting data."""

from dataclasses import dataclass


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

TRANSITIONS = (EXPERIMENT_1_2,)


def transition_at(d: int, p: int) -> PublishedTransition | None:
    """The published transition at this d and p, if there is one."""
    found = [t for t in TRANSITIONS if (t.d, t.p) == (d, p)]
    return found[0] if found else None
