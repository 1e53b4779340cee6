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

# arXiv 2502.16977, experiment 1.0, whose width is the rule p(n, 0.05): 36 to 38 along the grid, 37
# at its middle; published for 1800 and above as 0. The estimate is that of their rule with n' = n.
EXPERIMENT_1_0 = PublishedTransition(
    source="arXiv 2502.16977",
    d=100,
    p=37,
    step=1.0,
    success=1.0,
    proportions=(
        (1300, 1.0),
        (1350, 0.988),
        (1400, 1.0),
        (1450, 1.0),
        (1500, 0.963),
        (1550, 0.85),
        (1600, 0.85),
        (1650, 0.675),
        (1700, 0.25),
        (1750, 0.038),
        (1800, 0.0),
        (1850, 0.0),
        (1900, 0.0),
        (1950, 0.0),
        (2000, 0.0),
        (2050, 0.0),
        (2100, 0.0),
    ),
    repetitions=80,
    threshold=1651.0,
)

TRANSITIONS = (EXPERIMENT_1_0, EXPERIMENT_1_2)


@dataclass(frozen=True)
class PublishedThreshold:
    """N(d, p) of descent with step 1 as published, and the spacing of the grid of n it is from."""

    d: int
    p: int
    n50: float
    spacing: float
    source: str = "arXiv 2502.16977"


# Experiment 1.1 has n = d, 2d, ..., experiment 1.2 steps of 10.
THRESHOLDS = (
    PublishedThreshold(30, 30, 150.0, 30.0),
    PublishedThreshold(60, 30, 600.0, 60.0),
    PublishedThreshold(30, 100, 293.0, 10.0),
    PublishedThreshold(30, 200, 347.0, 10.0),
    PublishedThreshold(30, 400, 387.0, 10.0),
)


@dataclass(frozen=True)
class PublishedReading:
    """What the authors read from their thresholds: a form of `statistics.forms` by name."""

    form: str
    along: str
    coefficients: tuple[float, ...]  # in the order of the form
    formula: str
    extent: tuple[float, float]  # the smallest and the largest size it was read from
    source: str = "arXiv 2502.16977"


# Of experiment 1.2, at d = 30.
READINGS = (
    PublishedReading("linear", "p", (0.366, 257.0), "0.366 p + 257", (50, 400)),
    PublishedReading("logarithmic", "p", (72.4, -42.8), "72.4 log p - 42.8", (50, 400)),
)


def thresholds_along(along: str, **fixed: int) -> list[PublishedThreshold]:
    """The published thresholds along d or p at a fixed value of the other, in its order.

    Of one place there may be none.
    """
    found = [t for t in THRESHOLDS if all(getattr(t, name) == x for name, x in fixed.items())]
    return sorted(found, key=lambda t: int(getattr(t, along)))


def transition_at(d: int, p: int) -> PublishedTransition | None:
    """The published transition at this d and p, if there is one."""
    found = [t for t in TRANSITIONS if (t.d, t.p) == (d, p)]
    return found[0] if found else None
