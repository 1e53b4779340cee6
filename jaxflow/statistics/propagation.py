"""Expectation propagation for the transitions at places of a plane.

The prior (plane_prior.py) is Gaussian given its kernel; the likelihood of a place's counts is a
function of three numbers, (log n50, log width, quantile of the lapse) there, far from Gaussian
while trials are few. Each of these functions gets a Gaussian to stand for it, its site, chosen such
that site and rest of the posterior have the moments of likelihood and rest (T. P. Minka,
"Expectation propagation for approximate Bayesian inference", UAI 2001; C. E. Rasmussen and C. K. I.
Williams, "Gaussian Processes for Machine Learning" (2006), sec. 3.6). The sites give the evidence
of every kernel, and the posterior is the mixture over kernels by evidence. One set of sites serves
them all: sites stand for likelihoods, which know of no kernel.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jaxflow.core.checks import Array
from jaxflow.statistics.plane_likelihood import NUMBERS, Likelihood, Moments
from jaxflow.statistics.plane_prior import Prior

SWEEPS = 40
DAMPING = 0.8
FLAT = 1e-3  # precision of a site that says nothing; less costs digits of others
CLOSE = 0.01  # standard deviations that a marginal moves, at which the sites have settled


@dataclass(frozen=True, eq=False)
class Sites:
    """Gaussians exp(-t' P t / 2 + s' t) in the three numbers t of k places."""

    precision: Array  # P (k, 3, 3)
    shift: Array  # s (k, 3)


def settled(prior: Prior, v: Array, likelihood: Likelihood, sites: Sites) -> "Joint":
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
        self._prior_mean = prior.mean(v)
        root = _root(sites.precision)
        L = np.zeros((NUMBERS * k, NUMBERS * k))
        for i in range(NUMBERS):
            for j in range(NUMBERS):
                L[i * k + np.arange(k), j * k + np.arange(k)] = root[:, i, j]
        r = (sites.shift - np.einsum("kij,kj->ki", sites.precision, self._prior_mean)).T.ravel()
        B = np.eye(NUMBERS * k) + L.T @ C @ L
        self._W = L @ np.linalg.solve(B, np.broadcast_to(L.T, B.shape))
        self._a = r - np.einsum("hij,hj->hi", self._W, C @ r)
        log_evidence = (C @ r * self._a).sum(1) / 2 - np.linalg.slogdet(B)[1] / 2
        log_weight = log_evidence + np.log([kernel.weight for kernel in prior.kernels])
        weights = np.exp(log_weight - log_weight.max())
        self.weights = weights / weights.sum()
        self._C = C

    @cached_property
    def _each(self) -> Moments:
        """Mean (h, k, 3) and covariance (h, k, 3, 3) at every place."""
        mean = self._prior_mean.T.ravel() + np.einsum("hij,hj->hi", self._C, self._a)
        cov = self._C - self._C @ self._W @ self._C
        own = self._own
        return mean[:, own], cov[:, own[:, :, None], own[:, None, :]]

    @property
    def moments(self) -> Moments:
        """Mean (k, 3) and covariance (k, 3, 3) at every place."""
        return _of_mixture(self.weights[:, None], *self._each)

    @property
    def rest(self) -> Moments:
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

    def threshold(self, v: Array) -> Moments:
        """Mean (h, m) and covariance (h, m, m) of log n50 at places v (m, axes)."""
        cross = self._prior.of_threshold(v, self._v)
        gain = cross @ self._W[:, : self._k, : self._k]
        cov = self._prior.of_threshold(v, v) - gain @ np.swapaxes(cross, 1, 2)
        return self._mean(0, v, cross), cov

    def marginals(self, v: Array) -> list[Moments]:
        """Means and standard deviations at places v (m, axes) of the three numbers.

        Those of log n50 are (h, m), the others (m,), of the mixture.
        """
        crosses = self._prior.of_threshold(v, self._v), *self._prior.of_others(v, self._v)
        found = []
        for j, (cross, prior) in enumerate(zip(crosses, self._prior.variances(v), strict=True)):
            own = slice(j * self._k, (j + 1) * self._k)
            mean, gain = self._mean(j, v, cross), cross @ self._W[:, own, own]
            variance = np.maximum(prior - np.sum(gain * cross, axis=-1), 0)
            if j > 0:
                centre = self.weights @ mean
                variance = self.weights @ (variance + (mean - centre) ** 2)
                mean = centre
            found.append((mean, np.sqrt(variance)))
        return found

    def _mean(self, j: int, v: Array, cross: Array) -> Array:
        """Of the j-th number (h, m) by its covariances (h, m, k), or (m, k), with the places."""
        own = slice(j * self._k, (j + 1) * self._k)
        return np.asarray(self._prior.mean(v)[:, j] + (cross @ self._a[:, own, None])[..., 0])


def prior_covariance(prior: Prior, v: Array) -> Array:
    """C (h, 3k, 3k) at places v (k, axes): the three numbers do not depend on each other."""
    k = len(v)
    threshold, others = prior.of_threshold(v, v), prior.of_others(v, v)
    C = np.zeros((len(threshold), NUMBERS * k, NUMBERS * k))
    C[:, :k, :k] = threshold
    for j, block in enumerate(others, 1):
        C[:, j * k : (j + 1) * k, j * k : (j + 1) * k] = block
    return C


def _of_mixture(weights: Array, mean: Array, cov: Array) -> Moments:
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
