"""Widths, horizons, rates and probabilities that arXiv 2502.16977 gives in closed form.

Flow time is that of theta' = -kappa grad L, with kappa = p for the network scaled by 1/p.

How probable it is that a trial is well initialized, exactly, for orthogonal inputs. It is if every
sample i has a neuron j that serves it: a_j y_i > 0 and w_j.x_i > 0 (section 3). If no output
changes its sign, a trial that is not cannot converge: a neuron that does not see x_i never will,
and one of the wrong sign is no help. Let the signs of a_j and of w_j.x_i be independent and
uniform, as they are for orthogonal inputs and weights whose coordinates along them are independent
and symmetric. Given that k ~ Bin(p, 1/2) outputs are positive, each sample is served independently
of the others: with probability 1 - 2^-k if its label is positive, 1 - 2^-(p-k) if negative. Hence,
with n+ and n- labels of either sign, or n random,

    P(well initialized) = E_k [(1 - 2^-k)^{n+} (1 - 2^-(p-k))^{n-}]
    P(well initialized) = E_k [(1 - 2^-k / 2 - 2^-(p-k) / 2)^n].

All terms are summed in logarithms, so that n may be any; time and memory grow with p only.
"""

from math import floor, log, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp, xlog1py

from jaxflow.core.checks import Array, fractions, matrix, positives, wholes
from jaxflow.core.errors import mistake


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
    """Bound min(1, n (3/4)^p) on the probability of failed initialization, n and p broadcast.

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
    return np.ceil(4 * np.log(wholes("n", n, least=1) / fractions("failure", failure)))


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
    constant = low / high * low * positives("least_label", least_label)
    return np.asarray(constant / wholes("n", n, least=1))


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
    units = inputs / positives("norms of inputs", np.linalg.norm(inputs, axis=1))[:, None]
    correlation = np.abs(units @ units.T)
    np.fill_diagonal(correlation, 0)
    return float(min(correlation.max(), 1.0))


def parameter_count(d: ArrayLike, p: ArrayLike) -> Array:
    """p (d + 1), the trained parameters where both layers are; d and p broadcast."""
    return wholes("p", p, least=1) * (wholes("d", d, least=1) + 1)


def interpolation_count(d: ArrayLike, p: ArrayLike) -> Array:
    """p d, the hidden weights: the n at which they are as many as the samples; d and p broadcast.

    The count to which a threshold N(d, p) is compared: beyond it there are more equations than
    hidden weights.
    """
    return wholes("p", p, least=1) * wholes("d", d, least=1)


def well_initialized_probability(
    n: ArrayLike, p: ArrayLike, *, positive: ArrayLike | None = None
) -> Array:
    """P(well initialized) of n samples and p neurons; `positive` labels are > 0, or all are random.

    n, p and `positive` broadcast. Raises `ValueError` unless they are whole, n >= 0, p >= 1 and
    0 <= positive <= n. Source: module docstring.
    """
    return np.exp(log_well_initialized_probability(n, p, positive=positive))


def failure_probability(n: ArrayLike, p: ArrayLike, *, positive: ArrayLike | None = None) -> Array:
    """1 - P(well initialized), to full relative precision where it is small.

    Never above `failure_bound`. Arguments and errors are those of `well_initialized_probability`.
    """
    return -np.expm1(log_well_initialized_probability(n, p, positive=positive))


def log_well_initialized_probability(
    n: ArrayLike, p: ArrayLike, *, positive: ArrayLike | None = None
) -> Array:
    """log P(well initialized), to full relative precision near 0 and far from it.

    It is -inf where it is impossible. Arguments and errors are those of
    `well_initialized_probability`.
    """
    samples, width = wholes("n", n, least=0)[..., None], wholes("p", p, least=1)[..., None]
    k = np.arange(np.max(width) + 1)
    missed, missed_below = np.exp2(-k), np.exp2(-np.maximum(width - k, 0))
    if positive is None:
        served = samples * np.log1p(-(missed + missed_below) / 2)
    else:
        above = wholes("positive", positive, least=0)[..., None]
        if np.any(above > samples):
            raise mistake("positive <= n", "more", "count the positive among the n labels")
        served = xlog1py(above, -missed) + xlog1py(samples - above, -missed_below)
    # gammaln is infinite where k > p: such k have no weight
    weight = gammaln(width + 1) - gammaln(k + 1) - gammaln(width - k + 1) - width * np.log(2)
    failure = np.sum(np.exp(weight) * -np.expm1(served), axis=-1)
    return np.where(
        failure < 0.5,
        np.log1p(-np.minimum(failure, 0.5)),
        np.minimum(logsumexp(weight + served, axis=-1), 0),
    )
