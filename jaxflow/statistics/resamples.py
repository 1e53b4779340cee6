"""The thresholds of several slices, and what they might have been: trials drawn again.

A slice's trials are often one or two at every n, all converged below the threshold and none above:
the proportions seen there would draw the same again and again. So they are drawn from what the
posterior says, binomial at its mean of P(converged | n). Each draw is estimated anew by the model
and prior of posterior.py, on a grid that all draws share and coarser in the width and the lapse:
the log likelihoods of all draws are one matrix product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.posterior import (
    LAPSE_MEAN,
    LAPSES,
    SLOPE_TIMES_WIDTH,
    TAIL,
    WIDTH_MEDIAN,
    WIDTH_SPREAD,
    WIDTHS,
    Posterior,
)

Array = NDArray[np.float64]

ONE_SIGMA = 0.1587, 0.8413
NODES = 97, 13, 4  # in log n50, log width, sqrt(lapse)
REACH = 8  # standard errors of log n50 that the grid goes to either side


class Measured(NamedTuple):
    """A slice: its coordinate x, its counts, and the range and sense of its search (posterior.py).

    x is d or p, or the pair (d, p) for `scaling.proportionality`.
    """

    x: float | tuple[float, float]
    tallies: Sequence[Tally]
    low: float
    high: float
    rising: bool = False


@dataclass(frozen=True, eq=False)
class Thresholds:
    """log N of c slices, its standard errors, and that of every resample of their trials."""

    x: Array  # (c,), or (c, 2) for pairs (d, p)
    log_threshold: Array  # (c,)
    error: Array  # (c,)
    drawn: Array  # (resamples, c)


def thresholds(slices: Sequence[Measured], resamples: int, seed: int) -> Thresholds:
    """The thresholds of the slices, by posterior median, and their resamples.

    Raises `ValueError` where most of a posterior lies outside its range.
    """
    rng = np.random.default_rng(seed)
    found = [_threshold(Measured(*slice), resamples, rng) for slice in slices]
    log_threshold, error, drawn = (np.array(part) for part in zip(*found, strict=True))
    return Thresholds(np.array([c[0] for c in slices], float), log_threshold, error, drawn.T)


def _threshold(
    slice: Measured, resamples: int, rng: np.random.Generator
) -> tuple[float, float, Array]:
    posterior = Posterior(slice.tallies, slice.low, slice.high, rising=slice.rising)
    if max(posterior.mass_at_edges) > 0.5:
        remedy = "leave the slice out, or search again in another range"
        raise mistake(f"a threshold within {slice.low:g}..{slice.high:g}", slice.x, remedy)
    below, above = np.log(posterior.quantile(ONE_SIGMA))
    error = float(above - below) / 2
    tallies = merged(slice.tallies)
    trials = np.array([tally.trials for tally in tallies])
    mean, _, _ = posterior.curve([tally.x for tally in tallies])
    converged = rng.binomial(trials, np.clip(mean, 0, 1), size=(resamples, len(trials)))
    drawn = estimates(slice, converged, np.log(posterior.median), error)
    return float(np.log(posterior.median)), error, drawn


def estimates(slice: Measured, converged: NDArray[np.int64], centre: float, error: float) -> Array:
    """The posterior medians of log n50 (r,) for r sets of counts (r, k) at the slice's k tallies.

    The grid runs `REACH` errors around the centre.
    """
    tallies = merged(slice.tallies)
    trials = np.array([tally.trials for tally in tallies])
    location = centre + error * np.linspace(-REACH, REACH, NODES[0])
    width = np.linspace(log(WIDTHS[0]), log(WIDTHS[1]), NODES[1])[:, None]
    root = np.linspace(sqrt(LAPSES[0]), sqrt(LAPSES[1]), NODES[2])
    low, high = np.log(slice.low), np.log(slice.high)
    beyond = np.maximum(np.maximum(low - location, location - high), 0)
    prior = (
        -(beyond / (TAIL * (high - low)))[:, None, None]
        - ((width - np.log(WIDTH_MEDIAN)) / WIDTH_SPREAD) ** 2 / 2
        - root**2 / LAPSE_MEAN
        + np.log(np.maximum(root, 1e-30))  # d lapse = 2 root d root
    )
    slope = SLOPE_TIMES_WIDTH * np.exp(-width) * (-1 if slice.rising else 1)
    x = np.log([tally.x for tally in tallies])[:, None, None, None]
    power = np.exp(np.clip((x - location[:, None, None]) * slope, -600, 600))
    ratio = (1 - 2 * root**2) * power
    success = np.log((1 - root**2) / (1 + ratio)).reshape(len(tallies), -1)
    failure = np.log((root**2 + ratio) / (1 + ratio)).reshape(len(tallies), -1)
    log_density = prior.ravel() + converged @ success + (trials - converged) @ failure
    log_density -= log_density.max(axis=1, keepdims=True)
    mass = np.exp(log_density).reshape(len(converged), len(location), -1).sum(2)
    return np.array([_median(location, row) for row in mass])


def _median(location: Array, mass: Array) -> float:
    """Where half of the mass lies below, that of a node spread evenly over its slice."""
    edge = np.append(location, 2 * location[-1] - location[-2]) - (location[1] - location[0]) / 2
    return float(np.interp(0.5, np.append(0.0, np.cumsum(mass)) / mass.sum(), edge))
