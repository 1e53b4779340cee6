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

    precision: Array  # P (k, 3, 3), positive definite
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

    Numbers are ordered by kind: the k of log n50 first, 3k in all. A site is a measurement y = P^-1
    s of its numbers with the covariance P^-1, of which the prior expects the mean m and the
    covariance K = C + P^-1, C that of the numbers. With a = K^-1 (y - m) and W = K^-1 the posterior
    mean is y - P^-1 a, the covariance P^-1 - P^-1 W P^-1, at other places m + C' a and C'' - C' W
    C', and the evidence |K|^(-1/2) exp(-(y - m)' a / 2) up to what all kernels share. Written so,
    and by the Cholesky factor of K, they keep their digits however sure the sites are.
    """

    def __init__(self, prior: Prior, v: Array, C: Array, sites: Sites) -> None:
        self._prior, self._v, self.sites = prior, v, sites
        k = len(v)
        self._k = k
        self._own = np.arange(k)[:, None] + k * np.arange(NUMBERS)  # (k, 3), of every place
        self._noise = _inverse(sites.precision)
        self._seen = np.einsum("kij,kj->ki", self._noise, sites.shift)
        K = C.copy()
        K[:, self._own[:, :, None], self._own[:, None, :]] += self._noise
        root = np.asarray(np.linalg.cholesky(K), float)
        self._half = _inverse(root)  # W = half' half
        away = (self._seen - prior.mean(v)).T.ravel()
        self._a = (np.swapaxes(self._half, 1, 2) @ (self._half @ away)[..., None])[..., 0]
        log_evidence = -(self._a @ away) / 2 - np.log(np.einsum("hii->hi", root)).sum(1)
        log_weight = log_evidence + np.log([kernel.weight for kernel in prior.kernels])
        weights = np.exp(log_weight - log_weight.max())
        self.weights = weights / weights.sum()

    @cached_property
    def _information(self) -> Array:
        """W (h, k, 3, 3) at every place."""
        columns = self._half[:, :, self._own]  # (h, 3k, k, 3)
        return np.asarray(np.einsum("hnki,hnkj->hkij", columns, columns))

    @property
    def moments(self) -> Moments:
        """Mean (k, 3) and covariance (k, 3, 3) at every place."""
        noise = self._noise
        mean = self._seen - np.einsum("kij,hkj->hki", noise, self._a[:, self._own])
        return _of_mixture(self.weights[:, None], mean, noise - noise @ self._information @ noise)

    @property
    def rest(self) -> Moments:
        """Mean (k, 3) and covariance (k, 3, 3) at every place, but for its own site.

        The rest expects the site at y - W_ii^-1 a_i with covariance W_ii^-1, its own and that of
        the site (Rasmussen and Williams (2006), eq. 5.12). Without the site the weights of the
        kernels are others: each is divided by the density expected at y.
        """
        own = self._a[:, self._own]
        spread = _inverse(self._information)  # of rest and site
        away = np.einsum("hkij,hkj->hki", spread, own)
        log_site = -(np.linalg.slogdet(spread)[1] + np.sum(own * away, axis=-1)) / 2
        with np.errstate(divide="ignore"):
            log_weight = np.log(self.weights)[:, None] - log_site
        weights = np.exp(log_weight - log_weight.max(axis=0))
        return _of_mixture(weights / weights.sum(axis=0), self._seen - away, spread - self._noise)

    def threshold(self, v: Array) -> Moments:
        """Mean (h, m) and covariance (h, m, m) of log n50 at places v (m, axes)."""
        cross = self._prior.of_threshold(v, self._v)
        known = self._known(0, cross)
        cov = self._prior.of_threshold(v, v) - np.swapaxes(known, 1, 2) @ known
        return self._mean(0, v, cross), cov

    def marginals(self, v: Array) -> list[Moments]:
        """Means and standard deviations at places v (m, axes) of the three numbers.

        Those of log n50 are (h, m), the others (m,), of the mixture.
        """
        crosses = self._prior.of_threshold(v, self._v), *self._prior.of_others(v, self._v)
        found = []
        for j, (cross, prior) in enumerate(zip(crosses, self._prior.variances(v), strict=True)):
            mean = self._mean(j, v, cross)
            variance = np.maximum(prior - np.sum(self._known(j, cross) ** 2, axis=1), 0)
            if j > 0:
                centre = self.weights @ mean
                variance = self.weights @ (variance + (mean - centre) ** 2)
                mean = centre
            found.append((mean, np.sqrt(variance)))
        return found

    def _known(self, j: int, cross: Array) -> Array:
        """What (h, 3k, m) the sites tell of the j-th number: C' W C' is its square."""
        own = slice(j * self._k, (j + 1) * self._k)
        return np.asarray(self._half[:, :, own] @ np.swapaxes(cross, -1, -2))

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
