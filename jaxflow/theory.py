"""Rules and bounds of the source papers, in closed form."""

from math import floor, log, sqrt

from jaxflow._errors import mistake


def published_horizon(n: int, p: int) -> float:
    """Flow time that the published protocol allows: floor(1.5 sqrt(np) log(np)/4 + 1).

    One step of the published descent, of size 1, is one unit of flow time (arXiv 2502.16977,
    experiment 1).
    """
    return float(floor(1.5 * sqrt(n * p) * log(n * p) / 4 + 1))


def width_rule(n: int, failure: float) -> int:
    """The width at which initialization fails with probability below `failure`.

    p(n, epsilon) = floor(log(n / epsilon) / log(4/3)) + 1 (arXiv 2502.16977, section 3). Raises
    `ValueError` unless n >= 1 and 0 < failure < 1.
    """
    if n < 1 or not 0 < failure < 1:
        raise mistake("n >= 1 and 0 < failure < 1", (n, failure), "mend the one out of range")
    return floor(log(n / failure) / log(4 / 3)) + 1


def failure_bound(n: int, p: int) -> float:
    """Bound n (3/4)^p on the probability of a bad initialization (arXiv 2502.16977)."""
    return min(1.0, n * 0.75**p)
