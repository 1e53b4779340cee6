"""What the counts at places of a plane say of its transitions.

The likelihood of a place's counts is a function of three numbers, (log n50, log width, quantile of
the lapse) there, far from Gaussian while trials are few. Its moments together with a Gaussian are
sums over a grid of the three numbers, as fine as the product is narrow.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.checks import Array
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.logistic import Guess, log_chances
from jaxflow.statistics.plane_prior import root_lapse

Moments: TypeAlias = tuple[Array, Array]  # means (k, j) and covariances (k, j, j) of j numbers

NUMBERS = 3  # of a transition: log n50, log width, quantile of the lapse
NODES = 25, 11, 5  # of the grid in these
REACH = 4.5, 4.5, 3.5  # standard deviations to either side
NARROW, WIDE = 0.6, 1.7  # of what a grid is made for, between which it resolves the density
MOST_ZOOMS = 60


class Likelihood:
    """That of the counts of k places, as a function of the three numbers of each."""

    def __init__(
        self,
        tallies: Sequence[Sequence[Tally]],
        rising: bool,
        guesses: Sequence[Guess | None],
    ) -> None:
        self._guessed = np.log([guess.x if guess else 1.0 for guess in guesses])
        self._precision = np.array([guess.spread**-2 if guess else 0.0 for guess in guesses])
        told = [(i, t) for i, found in enumerate(tallies) for t in found]
        self._rising, self._places = rising, len(tallies)
        self._owner = np.array([i for i, _ in told], int)
        self._log_x = np.log([t.x for _, t in told])
        self._good = np.array([t.converged for _, t in told], float)
        self._bad = np.array([t.trials - t.converged for _, t in told], float)

    def on(self, nodes: Sequence[Array], places: NDArray[np.int64]) -> Array:
        """Its logarithm (q, f, g, h) on a grid (q, f), (q, g), (q, h) for each of q places."""
        away = nodes[0] - self._guessed[places, None]
        beside = -(self._precision[places, None] * away**2) / 2
        found = np.zeros((len(places), *(part.shape[1] for part in nodes)))
        found += beside[:, :, None, None]
        row = np.full(self._places, -1)
        row[places] = np.arange(len(places))
        told = np.flatnonzero(row[self._owner] >= 0) if len(self._owner) else self._owner
        if not len(told):
            return found
        at = row[self._owner[told]]
        location, width, quantile = nodes
        success, failure = log_chances(
            self._log_x[told][:, None, None, None],
            location[at][:, :, None, None],
            width[at][:, None, :, None],
            root_lapse(quantile[at])[:, None, None, :],
            rising=self._rising,
        )
        each = self._good[told, None, None, None] * success
        each += self._bad[told, None, None, None] * failure
        starts = np.flatnonzero(np.diff(at, prepend=-1))  # tallies of a place follow each other
        found[at[starts]] += np.add.reduceat(each, starts, axis=0)
        return found

    def moments(self, rest_mean: Array, rest: Array, mean: Array, cov: Array) -> Moments:
        """Mean (k, 3) and covariance (k, 3, 3) of likelihood times the normals of the rest.

        The normals have means (k, 3) and covariances (k, 3, 3); the grid begins about the `mean`
        and `cov` of a guess, and is made anew where that is too coarse or too wide.
        """
        centre, spread = mean.copy(), np.sqrt(np.einsum("kii->ki", cov))
        found, covariance = np.empty_like(mean), np.empty_like(cov)
        precision = np.asarray(np.linalg.inv(rest), float)
        unresolved = np.arange(self._places)
        for _ in range(MOST_ZOOMS):
            u = unresolved
            nodes = [
                centre[u, j, None] + spread[u, j, None] * np.linspace(-reach, reach, count)
                for j, (count, reach) in enumerate(zip(NODES, REACH, strict=True))
            ]
            log_density = self.on(nodes, u) + _log_normal(nodes, rest_mean[u], precision[u])
            found[u], covariance[u] = _grid_moments(nodes, log_density)
            sd = np.sqrt(np.einsum("kii->ki", covariance[u]))
            ratio = sd / spread[u]
            fits = np.all((ratio > NARROW) & (ratio < WIDE), axis=1)
            least = spread[u] * [r / n for r, n in zip(REACH, NODES, strict=True)]
            least = np.maximum(least, np.abs(found[u] - centre[u]) / 3)  # the mass may be outside
            centre[u], spread[u] = found[u], np.maximum(sd, least)
            unresolved = u[~fits]
            if not len(unresolved):
                break
        return found, covariance


def _log_normal(nodes: Sequence[Array], mean: Array, precision: Array) -> Array:
    """-(t - mean)' precision (t - mean)/2 (q, f, g, h) on the grids of q places."""
    f, g, h = (part - mean[:, j, None] for j, part in enumerate(nodes))
    f, g, h = f[:, :, None, None], g[:, None, :, None], h[:, None, None, :]
    p = precision[:, :, :, None, None, None]
    squares = p[:, 0, 0] * f**2 + p[:, 1, 1] * g**2 + p[:, 2, 2] * h**2
    crossed = p[:, 0, 1] * f * g + p[:, 0, 2] * f * h + p[:, 1, 2] * g * h
    return np.asarray(-squares / 2 - crossed)


def _grid_moments(nodes: Sequence[Array], log_density: Array) -> Moments:
    """Mean (q, 3) and covariance (q, 3, 3) of a density (q, f, g, h) on its grids."""
    density = np.exp(log_density - log_density.max(axis=(1, 2, 3), keepdims=True))
    density /= density.sum(axis=(1, 2, 3), keepdims=True)
    pairs = {
        (0, 1): density.sum(3), (0, 2): density.sum(2), (1, 2): density.sum(1)
    }  # fmt: skip
    single = [pairs[0, 1].sum(2), pairs[0, 1].sum(1), pairs[0, 2].sum(1)]
    mean = np.stack([np.sum(w * x, axis=1) for w, x in zip(single, nodes, strict=True)], axis=1)
    moved = [x - mean[:, j, None] for j, x in enumerate(nodes)]
    cov = np.empty((len(mean), NUMBERS, NUMBERS))
    for j in range(NUMBERS):
        cov[:, j, j] = np.sum(single[j] * moved[j] ** 2, axis=1)
    for (i, j), weight in pairs.items():
        cov[:, i, j] = cov[:, j, i] = np.einsum("qab,qa,qb->q", weight, moved[i], moved[j])
    return mean, cov
