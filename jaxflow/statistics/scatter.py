"""Forms of thresholds that need not lie on them: the scatter tau about a form is integrated.

Slice i of c has log N_i, with the standard error e_i of its posterior, at x_i. The model is

    log N_i = log f(x_i; theta) + tau xi_i + e_i eps_i,   xi_i, eps_i standard normal,

where theta are log f at the ends of what was measured (forms.py), with a flat prior, and tau >= 0
has a half-Cauchy prior, half of which is below its scale `SCALE` (A. Gelman, "Prior distributions
for variance parameters in hierarchical models", Bayesian Analysis 1 (2006) 515-534). At every tau
of a grid, and every exponent b of one where the form has one, uniform over `EXPONENTS`, theta is
normal about its mode with the covariance V of Gauss and Newton: exactly so where log f is linear in
theta. The node has the mass

    p(tau) |V|^(1/2) prod_i v_i^(-1/2) exp(-r_i^2 / 2 v_i),   v_i = e_i^2 + tau^2, r_i the residual,

and the posterior is the mixture of the normals of all nodes, with tails as those of Student's t
where slices are few.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from jaxflow.core.checks import Array
from jaxflow.statistics.forms import Form

SCALE = 0.05  # of the prior of tau, in log N
SCATTER = np.concatenate([[0.0], np.geomspace(1e-3, 3.0, 28)])  # nodes of tau
EXPONENTS = -3.0, 3.0
NODES = 17  # of b, over what is not negligible
NEGLIGIBLE = 1e-4  # of the largest mass
ITERATIONS = 12  # of Newton; most need 5, and what needs more has no mass
LONGEST = 1.0  # step of it, in log N
CLOSE = 1e-5  # step that ends it


@dataclass(frozen=True, eq=False)
class Thresholds:
    """log N of c slices at x, and its standard errors: all (c,)."""

    x: Array
    log_threshold: Array
    error: Array


class Nodes(NamedTuple):
    """The posterior given f sets of slices, by s exponents and t values of tau."""

    ends: Array  # (f, 2), the smallest and the largest x of each set
    exponent: Array  # (f, s)
    tau: Array  # (t,)
    log_mass: Array  # (f, s, t), of total 1 in each set
    mode: Array  # (f, s, t, k)
    covariance: Array  # (f, s, t, k, k)
    residual: Array  # (f, s, t, c)


def integrated(form: Form, data: Thresholds, kept: NDArray[np.bool_], tau: Array) -> Nodes:
    """The posterior given each set of slices `kept` (f, c); nodes of b are where there is mass."""
    rows, count = np.arange(len(kept)), NODES if form.has_exponent else 1
    b = np.tile(np.linspace(*EXPONENTS, count), (len(kept), 1))
    while True:
        found = _nodes(form, data, kept, tau, b)
        mass = np.logaddexp.reduce(found.log_mass, axis=2)
        inside = mass > mass.max(axis=1, keepdims=True) + np.log(NEGLIGIBLE)
        first = np.maximum(np.argmax(inside, axis=1) - 1, 0)
        last = np.minimum(count - np.argmax(inside[:, ::-1], axis=1), count - 1)
        if np.all(2 * (last - first) >= count - 1):
            return found
        b = np.linspace(b[rows, first], b[rows, last], count, axis=1)


def log_density(form: Form, data: Thresholds, found: Nodes) -> Array:
    """The log density (c, s, t) of each log N by the nodes of a set: the i-th is that of slice i.

    By them f at its x, or log f if the form is logarithmic, is normal, f > 0.
    """
    at, y = np.arange(len(data.x)), data.log_threshold[:, None, None]
    weights, added = form.weights(data.x, found.ends[:, None], found.exponent)
    weights, added = weights[at, :, at][:, :, None], added[at, :, at][:, :, None]
    noise = (data.error**2)[:, None, None] + found.tau**2
    parts = weights if form.logarithmic else weights * np.exp(found.mode)
    spread = np.sum((parts[..., None, :] @ found.covariance)[..., 0, :] * parts, axis=-1)
    if not form.logarithmic:
        return _of_positive(np.sum(parts, axis=-1) * np.exp(-y), spread * np.exp(-2 * y), noise)
    away = y - np.sum(parts * found.mode, axis=-1) - added
    return np.asarray(-0.5 * (away**2 / (spread + noise) + np.log(2 * np.pi * (spread + noise))))


def quantiles(found: Nodes, q: tuple[float, ...]) -> list[float]:
    """Of tau given the first set; the mass of a node is spread evenly over its length."""
    mass = np.exp(found.log_mass[0]).sum(axis=0)
    at: list[float] = np.interp(q, np.append(0.0, np.cumsum(mass)), _edges(found.tau)).tolist()
    return at


def _nodes(form: Form, data: Thresholds, kept: NDArray[np.bool_], tau: Array, b: Array) -> Nodes:
    x, y = data.x, data.log_threshold
    low, high = np.where(kept, x, np.inf), np.where(kept, x, -np.inf)
    ends = np.stack([low.min(axis=1), high.max(axis=1)], axis=1)
    weights, added = (v[:, :, None] for v in form.weights(x, ends[:, None], b))
    weights = np.where(kept[:, None, None, :, None], weights, 0.5)  # f > 0 there too
    variance = data.error**2 + tau[:, None] ** 2
    precision = kept[:, None, None] / variance
    outer = np.stack([low.argmin(axis=1), high.argmax(axis=1)], axis=1)[:, : form.anchors]
    theta = np.tile(y[outer][:, None, None], (b.shape[1], len(tau), 1))
    for _ in range(ITERATIONS):
        value, jacobian = _log_curve(form, weights, theta)
        weighted = np.swapaxes(jacobian * precision[..., None], -1, -2)
        covariance = np.linalg.inv(weighted @ jacobian)
        step = (covariance @ (weighted @ (y - value - added)[..., None]))[..., 0]
        theta += np.clip(step, -LONGEST, LONGEST)
        if np.max(np.abs(step)) < CLOSE:
            break
    residual = y - _log_curve(form, weights, theta)[0] - added
    log_mass = 0.5 * np.linalg.slogdet(covariance)[1] + _log_prior(tau)
    log_mass -= 0.5 * np.sum(precision * residual**2, axis=-1)
    log_mass -= 0.5 * np.sum(kept[:, None, None] * np.log(variance), axis=-1)
    log_mass -= np.logaddexp.reduce(log_mass, axis=(1, 2), keepdims=True)
    return Nodes(ends, b, tau, log_mass, theta, np.asarray(covariance), residual)


def _log_curve(form: Form, weights: Array, theta: Array) -> tuple[Array, Array]:
    """log f (..., c), less what is added to it, and its derivatives (..., c, k)."""
    if form.logarithmic:
        value = (weights @ theta[..., None])[..., 0]
        return value, np.broadcast_to(weights, (*value.shape, theta.shape[-1]))
    parts = weights * np.exp(theta)[..., None, :]
    total = np.sum(parts, axis=-1)
    return np.log(total), parts / total[..., None]


def _log_prior(tau: Array) -> Array:
    """The log of the mass that the prior gives to each node, but for a constant."""
    if len(tau) == 1:
        return np.zeros(1)
    return np.asarray(np.log(np.diff(_edges(tau))) - np.log1p((tau / SCALE) ** 2))


def _edges(tau: Array) -> Array:
    """Between which each node stands for all tau."""
    return np.concatenate([tau[:1], (tau[1:] + tau[:-1]) / 2, tau[-1:]])


def _of_positive(mean: Array, spread: Array, noise: Array) -> Array:
    """The log density at 0 of log f + noise, f > 0 normal of this mean and variance but for that.

    The integral over log f is that of Laplace about the largest value of the integrand.
    """
    place = np.zeros(np.broadcast_shapes(mean.shape, noise.shape))
    for _ in range(ITERATIONS):
        f = np.exp(place)
        slope = 1 - (f - mean) * f / spread - place / noise
        bend = np.maximum((2 * f - mean) * f / spread, 0) + 1 / noise
        place += np.clip(slope / bend, -LONGEST, LONGEST)
    f = np.exp(place)
    bend = np.maximum((2 * f - mean) * f / spread, 0) + 1 / noise
    height = place - 0.5 * ((f - mean) ** 2 / spread + place**2 / noise)
    scale = 2 * np.pi * spread * noise * bend
    return np.asarray(height - 0.5 * np.log(scale) - log_ndtr(mean / np.sqrt(spread)))
