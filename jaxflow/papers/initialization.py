"""How probable a good initialization is, exactly, for orthogonal inputs.

An initialization is good if every sample i has a neuron j that serves it: a_j y_i > 0 and
w_j.x_i > 0 (arXiv 2502.16977, section 3). If no output changes its sign, a bad one cannot converge:
a neuron that does not see x_i never will, and one of the wrong sign is no help. Let the signs of
a_j and of w_j.x_i be independent and uniform, as they are for orthogonal inputs and weights whose
coordinates along them are independent and symmetric. Given that k ~ Bin(p, 1/2) outputs are
positive, each sample is served independently of the others: with probability 1 - 2^-k if its label
is positive, 1 - 2^-(p-k) if negative. Hence, with n+ and n- labels of either sign, or n random,

    P(good) = E_k [(1 - 2^-k)^{n+} (1 - 2^-(p-k))^{n-}]
    P(good) = E_k [(1 - 2^-k / 2 - 2^-(p-k) / 2)^n].

All terms are summed in logarithms, so that n may be any; time and memory grow with p only.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp, xlog1py

from jaxflow.core.errors import mistake
from jaxflow.papers.checks import Array, whole


def well_initialized_probability(
    n: ArrayLike, p: ArrayLike, *, positive: ArrayLike | None = None
) -> Array:
    """P(good), with n samples and p neurons; of the labels `positive` are > 0, or all are random.

    n, p and `positive` broadcast. Raises `ValueError` unless they are whole, n >= 0, p >= 1 and
    0 <= positive <= n. Source: module docstring.
    """
    return np.exp(log_well_initialized_probability(n, p, positive=positive))


def failure_probability(n: ArrayLike, p: ArrayLike, *, positive: ArrayLike | None = None) -> Array:
    """1 - P(good), to full relative precision where it is small; never above `failure_bound`.

    Arguments and errors are those of `well_initialized_probability`.
    """
    return -np.expm1(log_well_initialized_probability(n, p, positive=positive))


def log_well_initialized_probability(
    n: ArrayLike, p: ArrayLike, *, positive: ArrayLike | None = None
) -> Array:
    """log P(good), to full relative precision near 0 and far from it; -inf where it is impossible.

    Arguments and errors are those of `well_initialized_probability`.
    """
    samples, width = whole("n", n, least=0)[..., None], whole("p", p, least=1)[..., None]
    k = np.arange(np.max(width) + 1)
    missed, missed_below = np.exp2(-k), np.exp2(-np.maximum(width - k, 0))
    if positive is None:
        served = samples * np.log1p(-(missed + missed_below) / 2)
    else:
        above = whole("positive", positive, least=0)[..., None]
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
