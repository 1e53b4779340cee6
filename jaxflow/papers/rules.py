"""Widths, horizons and rates that arXiv 2502.16977 gives in one line each.

Flow time is that of theta' = -kappa grad L, with kappa = p for the network scaled by 1/p.
"""

from math import floor, log, sqrt

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.errors import mistake
from jaxflow.papers.checks import Array, fraction, matrix, positive, whole


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
        raise mistake("n >= 1 and 0 < failure < 1", (n, failure), "fix the one out of range")
    return floor(log(n / failure) / log(4 / 3)) + 1


def failure_bound(n: ArrayLike, p: ArrayLike) -> Array:
    """Bound min(1, n (3/4)^p) on the probability of a bad initialization, n and p broadcast.

    A union over the samples, each of which no neuron serves with probability (3/4)^p (arXiv
    2502.16977, section 3). `failure_probability` is exact, for orthogonal inputs.
    """
    return np.minimum(1.0, np.asarray(n, float) * 0.75 ** np.asarray(p, float))


def theorem_width(n: ArrayLike, failure: ArrayLike) -> Array:
    """The least whole p >= 4 log(n / epsilon), n and `failure` (epsilon) broadcast.

    From this width on, weakly correlated inputs (see `largest_correlation`) are fitted with
    probability >= 1 - epsilon (arXiv 2502.16977, theorem 1). Raises `ValueError` unless n >= 1 is
    whole and 0 < failure < 1.
    """
    return np.ceil(4 * np.log(whole("n", n, least=1) / fraction("failure", failure)))


def theorem_rate(
    n: ArrayLike, norms: tuple[float, float] = (1.0, 2.0), least_label: float = 1.0
) -> Array:
    """The rate C/n at least at which the loss falls, in inverse flow time, in the shape of n.

    C = (low / high) low |y|, where `norms` (low, high) bound the |x_i| and `least_label` is below
    every |y_i| (arXiv 2502.16977, theorem 1); the defaults are those of its experiments. Raises
    `ValueError` unless n >= 1 is whole, 0 < low <= high and least_label > 0.
    """
    low, high = norms
    if not 0 < low <= high < np.inf:
        raise mistake("norms 0 < low <= high", norms, "give the smaller norm first")
    constant = low / high * low * positive("least_label", least_label)
    return np.asarray(constant / whole("n", n, least=1))


def largest_correlation(X: ArrayLike) -> float:
    """max_{i != k} |x_i.x_k| / (|x_i| |x_k|) of the rows of X (n, d), from 0 (orthogonal) to 1.

    Theorem 1 of arXiv 2502.16977 asks that it be small against some function of n; what is known of
    that function is that random inputs satisfy it when d >~ n^2, up to an unspecified constant.
    On the sphere the largest correlation is about 2 sqrt(log(n) / d), so at d = n^2 it is of the
    order of 1/n up to a logarithm. Takes the memory of n^2 numbers. Raises `ValueError` for fewer
    than two inputs or one that is zero.
    """
    inputs = matrix("X", X)
    if inputs.ndim > 2 or len(inputs) < 2:
        raise mistake("inputs of shape (n, d), n >= 2", inputs.shape, "give one row an input")
    units = inputs / positive("norms of inputs", np.linalg.norm(inputs, axis=1))[:, None]
    correlation = np.abs(units @ units.T)
    np.fill_diagonal(correlation, 0)
    return float(min(correlation.max(), 1.0))


def parameter_count(d: ArrayLike, p: ArrayLike) -> Array:
    """p (d + 1), the trained parameters where both layers are; d and p broadcast."""
    return whole("p", p, least=1) * (whole("d", d, least=1) + 1)


def interpolation_count(d: ArrayLike, p: ArrayLike) -> Array:
    """p d, the hidden weights: the n at which they are as many as the samples; d and p broadcast.

    The count to which a threshold N(d, p) is compared: beyond it there are more equations than
    hidden weights.
    """
    return whole("p", p, least=1) * whole("d", d, least=1)
