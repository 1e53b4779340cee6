"""Expectation propagation for the transitions at places of a plane.

The prior (plane_prior.py) is Gaussian given its kernel; the likelihood of a place's counts is a
function of three numbers, (log n50, log width, quantile of the lapse) there, far from Gaussian
while trials are few. Each of these functions gets a Gaussian to stand for it, its site, chosen such
that site and rest of the posterior have the moments of likelihood and rest (T. P. Minka,
"Expectation propagation for approximate Bayesian inference", UAI 2001; C. E. Rasmussen and C. K. I.
Williams, "Gaussian Processes for Machine Learning" (2006), sec. 3.6). These moments are sums over a
grid of the three numbers, as fine as the product is narrow. The sites give the evidence of every
kernel, and the posterior is the mixture over kernels by evidence. One set of sites serves them all:
sites stand for likelihoods, which know of no kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jaxflow.core.checks import Array
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.logistic import Guess, log_chances
from jaxflow.statistics.plane_prior import Prior, root_lapse

NUMBERS = 3  # of a transition: log n50, log width, quantile of the lapse
NODES = 25, 11, 5  # of the grid in these
REACH = 4.5, 4.5, 3.5  # standard deviations to either side
NARROW, WIDE = 0.6, 1.7  # of what a grid is made for, between which it resolves the density
MOST_ZOOMS = 60
SWEEPS = 40
DAMPING = 0.8
FLAT = 1e-3  # precision of a site that says nothing; less costs digits of others
CLOSE = 0.01  # standard deviations that a marginal moves, at which the sites have settled


@dataclass(frozen=True, eq=False)
class Sites:
    """Gaussians exp(-t' P t / 2 + s' t) in the three numbers t of k places."""

    precision: Array  # P (k, 3, 3)
    shift: Array  # s (k, 3)


def settled(prior: Prior, v: Array, likelihood: "Likelihood", sites: Sites) -> "Joint":
    """The posterior at places v (k, axes), every site of which has settled."""
    covariance = prior_covariance(prior, v)
    joint = Joint(prior, v, covariance, sites)
    mean, cov = joint.moments
    for _ in range(SWEEPS):
        before, sd = mean, np.sqrt(np.einsum("kii->ki", cov))
        rest = joint.rest
        found = likelihood.moments(*rest, mean, cov)
        joint = Joint(prior, v, covariance, _mixed(joint.sites, _site(*found, *rest)))
        mean, cov = joint.moments
        moved = np.abs(mean - before) / sd
        narrowed = np.abs(np.sqrt(np.einsum("kii->ki", cov)) / sd - 1)
        if max(moved.max(initial=0), narrowed.max(initial=0)) < CLOSE:
            break
    return joint


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

    def moments(
        self, rest_mean: Array, rest: Array, mean: Array, cov: Array
    ) -> tuple[Array, Array]:
        """Mean (k, 3) and covariance (k, 3, 3) of likelihood times the normals of the rest.

        The normals have means (k, 3) and covariances (k, 3, 3); the grid begins about the `mean`
        and `cov` of a guess, and is made anew where that is too coarse or too wide.
        """
        centre, spread = mean.copy(), np.sqrt(np.einsum("kii->ki", cov))
        found, covariance = np.empty_like(mean), np.empty_like(cov)
        precision = _inverse(rest)
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


def _grid_moments(nodes: Sequence[Array], log_density: Array) -> tuple[Array, Array]:
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


class Joint:
    """The posterior of the three numbers at k places given sites, for each of h kernels.

    Numbers are ordered by kind: the k of log n50 first, 3k in all. With C the prior covariance, P
    the precision of the sites and r = s - P m, where m is the prior mean, the posterior mean is
    m + C a with a = r - W C r, the covariance C - C W C, W = L (1 + L' C L)^-1 L', P = L L', and
    the evidence |1 + L' C L|^(-1/2) exp(r' C a / 2) up to what all kernels share.
    """

    def __init__(self, prior: Prior, v: Array, C: Array, sites: Sites) -> None:
        self._prior, self._v, self.sites = prior, v, sites
        k = len(v)
        self._k = k
        self._own = np.arange(k)[:, None] + k * np.arange(NUMBERS)  # (k, 3), of every place
        root = _root(sites.precision)
        L = np.zeros((NUMBERS * k, NUMBERS * k))
        for i in range(NUMBERS):
            for j in range(NUMBERS):
                L[i * k + np.arange(k), j * k + np.arange(k)] = root[:, i, j]
        r = (sites.shift - np.einsum("kij,j->ki", sites.precision, prior.mean)).T.ravel()
        B = np.eye(NUMBERS * k) + L.T @ C @ L
        self._W = L @ np.linalg.solve(B, np.broadcast_to(L.T, B.shape))
        self._a = r - np.einsum("hij,hj->hi", self._W, C @ r)
        log_evidence = (C @ r * self._a).sum(1) / 2 - np.linalg.slogdet(B)[1] / 2
        log_weight = log_evidence + np.log([kernel.weight for kernel in prior.kernels])
        weights = np.exp(log_weight - log_weight.max())
        self.weights = weights / weights.sum()
        self._C = C

    @cached_property
    def _each(self) -> tuple[Array, Array]:
        """Mean (h, k, 3) and covariance (h, k, 3, 3) at every place."""
        k = self._k
        mean = np.repeat(self._prior.mean, k) + np.einsum("hij,hj->hi", self._C, self._a)
        cov = self._C - self._C @ self._W @ self._C
        own = self._own
        return mean[:, own], cov[:, own[:, :, None], own[:, None, :]]

    @property
    def moments(self) -> tuple[Array, Array]:
        """Mean (k, 3) and covariance (k, 3, 3) at every place."""
        return _of_mixture(self.weights[:, None], *self._each)

    @property
    def rest(self) -> tuple[Array, Array]:
        """Mean (k, 3) and covariance (k, 3, 3) at every place, but for its own site.

        With y = P^-1 s, the rest expects the site at y - W_ii^-1 a_i with covariance W_ii^-1, its
        own and that of the site (Rasmussen and Williams (2006), eq. 5.12). Without the site the
        weights of the kernels are others: each is divided by the density expected at y.
        """
        own = self._own
        P = self.sites.precision
        spread = _inverse(self._W[:, own[:, :, None], own[:, None, :]])  # of rest and site
        away = np.einsum("hkij,hkj->hki", spread, self._a[:, own])
        rest = spread - _inverse(P)
        log_site = -(np.linalg.slogdet(spread)[1] + np.sum(self._a[:, own] * away, axis=-1)) / 2
        with np.errstate(divide="ignore"):
            log_weight = np.log(self.weights)[:, None] - log_site
        weights = np.exp(log_weight - log_weight.max(axis=0))
        seen = np.linalg.solve(P, self.sites.shift[..., None])[..., 0]
        return _of_mixture(weights / weights.sum(axis=0), seen - away, rest)

    def threshold(self, v: Array) -> tuple[Array, Array]:
        """Mean (h, m) and covariance (h, m, m) of log n50 at places v (m, axes)."""
        cross = self._prior.of_threshold(v, self._v)
        gain = cross @ self._W[:, : self._k, : self._k]
        cov = self._prior.of_threshold(v, v) - gain @ np.swapaxes(cross, 1, 2)
        return self._mean(0, cross), cov

    def marginals(self, v: Array) -> list[tuple[Array, Array]]:
        """Means and standard deviations at places v (m, axes) of the three numbers.

        Those of log n50 are (h, m), the others (m,), of the mixture.
        """
        crosses = self._prior.of_threshold(v, self._v), *self._prior.of_others(v, self._v)
        found = []
        for j, (cross, prior) in enumerate(zip(crosses, self._prior.variances(v), strict=True)):
            own = slice(j * self._k, (j + 1) * self._k)
            mean, gain = self._mean(j, cross), cross @ self._W[:, own, own]
            variance = np.maximum(prior - np.sum(gain * cross, axis=-1), 0)
            if j > 0:
                centre = self.weights @ mean
                variance = self.weights @ (variance + (mean - centre) ** 2)
                mean = centre
            found.append((mean, np.sqrt(variance)))
        return found

    def _mean(self, j: int, cross: Array) -> Array:
        """Of the j-th number (h, m) by its covariances (h, m, k), or (m, k), with the places."""
        own = slice(j * self._k, (j + 1) * self._k)
        return np.asarray(self._prior.mean[j] + (cross @ self._a[:, own, None])[..., 0])


def prior_covariance(prior: Prior, v: Array) -> Array:
    """C (h, 3k, 3k) at places v (k, axes): the three numbers do not depend on each other."""
    k = len(v)
    threshold, others = prior.of_threshold(v, v), prior.of_others(v, v)
    C = np.zeros((len(threshold), NUMBERS * k, NUMBERS * k))
    C[:, :k, :k] = threshold
    for j, block in enumerate(others, 1):
        C[:, j * k : (j + 1) * k, j * k : (j + 1) * k] = block
    return C


def _of_mixture(weights: Array, mean: Array, cov: Array) -> tuple[Array, Array]:
    """Mean (k, 3) and covariance (k, 3, 3) of mixtures of h normals, whose weights are (h, k)."""
    weights = np.broadcast_to(weights, mean.shape[:2])
    centre = np.einsum("hk,hki->ki", weights, mean)
    moved = mean - centre
    spread = cov + moved[..., :, None] * moved[..., None, :]
    found = np.einsum("hk,hkij->kij", weights, spread)
    return centre, (found + np.swapaxes(found, 1, 2)) / 2


def _site(mean: Array, cov: Array, rest_mean: Array, rest: Array) -> Sites:
    """The sites that give the rest these moments; those that would widen it say nothing."""
    inverse = _inverse(rest)
    precision = _positive(_inverse(cov) - inverse)
    shift = np.einsum("kij,kj->ki", precision, mean)
    return Sites(precision, shift + np.einsum("kij,kj->ki", inverse, mean - rest_mean))


def _mixed(old: Sites, new: Sites) -> Sites:
    return Sites(
        old.precision + DAMPING * (new.precision - old.precision),
        old.shift + DAMPING * (new.shift - old.shift),
    )


def _inverse(matrices: Array) -> Array:
    return np.asarray(np.linalg.inv(matrices), float)


def _positive(matrices: Array) -> Array:
    """Symmetric matrices (k, n, n) with their eigenvalues raised to that of a flat site."""
    values, vectors = np.linalg.eigh(matrices)
    return np.asarray(np.einsum("kij,kj,klj->kil", vectors, np.maximum(values, FLAT), vectors))


def _root(matrices: Array) -> Array:
    """L with L L' = M of positive semidefinite matrices (k, n, n)."""
    values, vectors = np.linalg.eigh(matrices)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0))[:, None, :])
