"""The threshold as arXiv 2502.16977 estimates it: a logistic curve of fixed slope."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from jaxflow.core.checks import Array, positive, whole
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.posterior import Posterior
from jaxflow.statistics.resamples import percentiles, redrawn

PUBLISHED_STEPS = 80  # n' = 80 n / n_min


def published_estimator(tallies: Sequence[Tally], scale: float | None = None) -> float:
    """The threshold as arXiv 2502.16977 estimates it, in samples.

    Least squares of 1/(1 + exp(n' - k)), of fixed slope in n' = scale * n, to the proportions,
    each n with the same weight; the threshold is k / scale. Their experiments 1.1 and 1.2 have
    scale = 80 / (smallest n of the grid), the default here; scale = 1 gives the threshold they
    publish for experiment 1.0. The answer is clipped to the range of n tried. Raises `ValueError`
    if there are no trials or scale is not positive.
    """
    counts, scale = _scaled(tallies, scale)
    scaled = scale * np.array([t.x for t in counts], float)
    proportion = np.array([t.converged / t.trials for t in counts])

    def misfit(k: float) -> float:
        return float(np.sum((expit(k - scaled) - proportion) ** 2))

    scan = _candidates(scaled)
    best = scan[np.argmin([misfit(k) for k in scan])]
    bracket = np.clip([best - 0.25, best + 0.25], scaled[0], scaled[-1])
    refined = minimize_scalar(misfit, bounds=tuple(bracket), method="bounded").x
    k = min((best, refined), key=misfit)
    return float(k / scale)


def published_interval(
    tallies: Sequence[Tally],
    scale: float | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % interval of `published_estimator`, in samples: its spread if trials are drawn again.

    They are drawn from the posterior mean of P(converged | n), since the proportions seen, many of
    them 0 or 1, would draw too much of the same. Its resolution is a quarter in n', and it says
    nothing of the estimator's bias. Errors are those of the estimator.
    """
    counts, scale = _scaled(tallies, scale)
    n = np.array([t.x for t in counts], float)
    posterior = Posterior(counts, n[0], max(n[-1], n[0] + 1))
    rng = np.random.default_rng(seed)
    converged = redrawn(counts, posterior, rng, whole("resamples", resamples, least=2))
    drawn = converged / [t.trials for t in counts]
    scan = _candidates(scale * n)
    curves = expit(scan[:, None] - scale * n)
    misfit = np.sum(curves**2, axis=1) - 2 * drawn @ curves.T  # less the sum of drawn^2
    found = scan[np.argmin(misfit, axis=1)] / scale
    low, high = percentiles(found - np.median(found))
    estimate = published_estimator(counts, scale)
    return float(estimate + low), float(estimate + high)


def _scaled(tallies: Sequence[Tally], scale: float | None) -> tuple[tuple[Tally, ...], float]:
    counts = merged(tallies)
    if not counts:
        raise mistake("at least one tally with trials", tuple(tallies), "run some trials first")
    return counts, PUBLISHED_STEPS / counts[0].x if scale is None else positive("scale", scale)


def _candidates(scaled: Array) -> Array:
    """k at steps of a quarter around every n'; further from all of them the misfit is flat."""
    near = np.arange(-8.0, 8.25, 0.25)
    return np.unique(np.clip(scaled[:, None] + near, scaled[0], scaled[-1]))
