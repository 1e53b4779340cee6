"""How convergence slows down towards a boundary: the time of convergence as a function of n.

A critical slowing down is a power law in the distance to a boundary N,

    log T_i = log A - z log(1 - n_i/N) + s e_i,   e_i standard normal,

fitted to single trials, of which one that had not converged when its time was over says that T_i
is longer (J. Tobin, Econometrica 26 (1958) 24-36). N may be anywhere beyond the trials. As it goes
to infinity at fixed z/N the law becomes the exponential exp(z n/N): then nothing diverges, and a
slowing that looks like that leaves N without an upper bound.

At every N of a grid the likelihood is maximized over A, z and s: it is concave in (log A/s, z/s,
1/s) (R. J. Olsen, "Note on the uniqueness of the maximum likelihood estimator for the Tobit model",
Econometrica 46 (1978) 1211-1215). The interval of N holds those at which twice the log likelihood
is below its maximum by no more than m log(1 + F/(m - 4)), F the 95 % quantile of Snedecor's F with
1 and m - 4 degrees of freedom and m the number of convergences: what is exact for linear models of
4 parameters, and the quantile of chi^2 for large m. The interval of z is the same over z and N,
where the likelihood at fixed N is taken as normal in z.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtri, log_ndtr

from jaxflow.core.checks import Array
from jaxflow.core.errors import mistake
from jaxflow.statistics.survival import checked

FEWEST = 3  # different n with a convergence, and laws that may have one z
NORMAL_ENDS = 3.92  # standard errors from end to end of a 95 % interval
GAPS = np.geomspace(1e-3, 1e3, 121)  # N / (largest n) - 1 on the grid
PARAMETERS = 4  # N, A, z, s
ITERATIONS = 100  # of Newton; a dozen suffice
CLOSE = 1e-9  # Newton's decrement, in units of the log likelihood, that ends it


@dataclass(frozen=True)
class Slowing:
    """The law of convergence times below a boundary, with 95 % intervals (low, high).

    Where the times are as well described by an exponential in n, the upper ends of the boundary's
    and of the exponent's interval are inf.
    """

    boundary: float  # N, in samples
    boundary_interval: tuple[float, float]
    exponent: float  # z
    exponent_interval: tuple[float, float]
    amplitude: float  # A, in flow time
    scatter: float  # s, of log T
    trials: int

    @property
    def diverges(self) -> bool:
        """Whether the trials tell a divergence at a finite n from exponential growth."""
        return bool(np.isfinite(self.boundary_interval[1]))

    @property
    def known(self) -> bool:
        """Whether the interval of z is closed, and has a logarithm."""
        low, high = self.exponent_interval
        return 0 < low < high < np.inf

    def predict(self, n: ArrayLike) -> Array:
        """The median convergence time at each n, in the shape of n; inf from N on."""
        gap = np.maximum(1 - np.asarray(n, float) / self.boundary, 0)
        with np.errstate(divide="ignore"):
            return np.asarray(self.amplitude * gap**-self.exponent)


@dataclass(frozen=True)
class CommonExponent:
    """The exponent z of several laws with its 95 % interval, and the p of their having one."""

    exponent: float
    interval: tuple[float, float]
    p: float


def common_exponent(laws: Sequence[Slowing]) -> CommonExponent:
    """The mean of log z, weighted by its intervals, and chi^2 of the laws about it.

    Intervals are taken as normal in log z. Raises `ValueError` for fewer than 3 laws, and for one
    whose interval is open.
    """
    if len(laws) < FEWEST or not all(law.known for law in laws):
        open_ = sum(not law.known for law in laws)
        got = f"{len(laws)}, of which {open_} open"
        raise mistake(f"{FEWEST} laws or more with closed intervals of z", got, "run more sizes")
    logs = np.log([law.exponent for law in laws])
    ends = np.log([law.exponent_interval for law in laws])
    weight = (NORMAL_ENDS / (ends[:, 1] - ends[:, 0])) ** 2
    mean = float(weight @ logs / weight.sum())
    half = NORMAL_ENDS / 2 * float(weight.sum()) ** -0.5
    chi2 = float(weight @ (logs - mean) ** 2)
    interval = float(np.exp(mean - half)), float(np.exp(mean + half))
    return CommonExponent(float(np.exp(mean)), interval, float(chdtrc(len(laws) - 1, chi2)))


def slowing(n: Sequence[float], times: ArrayLike, converged: ArrayLike) -> Slowing:
    """Fit the law to trials at `n` (m,); `times` and `converged` (m,) are as `survival` takes them.

    Trials that never will converge, whose time is inf, are left out: the law is of those that do.
    It is one of typical trials, so those at n beyond the threshold of the longest time allowed,
    most of which have not converged, are better left out too. Raises `ValueError` if trials
    converged at fewer than 3 different n.
    """
    time, event = checked(times, converged)
    places = np.asarray(n, float)
    if places.shape != time.shape or not np.all(places > 0):
        raise mistake("an n > 0 for each trial", (places.shape, time.shape), "pair them up")
    kept = np.isfinite(time)
    places, log_time, event = places[kept], np.log(time[kept]), event[kept]
    different = len(np.unique(places[event]))
    if different < FEWEST:
        remedy = "run more trials, or allow them more time"
        raise mistake(f"convergence at {FEWEST} different n", different, remedy)
    fits = [_fit(-np.log1p(-places / (places.max() * (1 + gap))), log_time, event) for gap in GAPS]
    height = np.array([fit.height for fit in fits])
    best = int(np.argmax(height))
    below = 2 * (height[best] - height)
    within = _within(int(event.sum()))
    inside = np.flatnonzero(below <= within)
    ends = [places.max() * (1 + gap) for gap in _ends(below, within)]
    exponent = np.array([fits[i].exponent for i in inside])
    reach = np.sqrt(within - below[inside]) * np.array([fits[i].error for i in inside])
    is_open = inside[-1] == len(GAPS) - 1
    return Slowing(
        float(places.max() * (1 + GAPS[best])),
        (float(ends[0]), np.inf if is_open else float(ends[1])),
        fits[best].exponent,
        (float(np.min(exponent - reach)), np.inf if is_open else float(np.max(exponent + reach))),
        fits[best].amplitude,
        fits[best].scatter,
        int(kept.sum()),
    )


def _within(convergences: int) -> float:
    """How far twice the log likelihood may be below its maximum."""
    free = max(convergences - PARAMETERS, 1)
    quantile = float(fdtri(1, free, 0.95))
    return convergences * float(np.log1p(quantile / free))


def _ends(below: Array, within: float) -> tuple[float, float]:
    """The outermost gaps at which `below` crosses `within`, interpolated between nodes."""
    inside = np.flatnonzero(below <= within)
    log_gap = np.log(GAPS)
    ends = []
    for node, outer in ((inside[0], inside[0] - 1), (inside[-1], inside[-1] + 1)):
        if 0 <= outer < len(below):
            part = (within - below[node]) / (below[outer] - below[node])
            ends.append(log_gap[node] + part * (log_gap[outer] - log_gap[node]))
        else:
            ends.append(log_gap[node])
    return float(np.exp(ends[0])), float(np.exp(ends[1]))


@dataclass(frozen=True)
class _Fit:
    """The maximum of the likelihood at one N."""

    height: float
    amplitude: float
    exponent: float
    error: float  # standard error of the exponent
    scatter: float


def _fit(x: Array, log_time: Array, event: NDArray[np.bool_]) -> _Fit:
    """Newton's method for log T = log A + z x + s e in phi = (log A/s, z/s, 1/s)."""
    design = np.stack([-np.ones_like(x), -x, log_time], axis=1)
    spread = max(float(np.std(log_time)), 1e-6)
    phi = np.array([float(np.mean(log_time)), 0.0, 1.0]) / spread
    height = _log_likelihood(phi, design, event)
    for _ in range(ITERATIONS):
        gradient, hessian = _derivatives(phi, design, event)
        step = np.linalg.lstsq(-hessian, gradient)[0]
        decrement = float(gradient @ step)
        size = 1.0
        while size > CLOSE and not (
            _log_likelihood(phi + size * step, design, event) >= height + size * decrement / 10
        ):
            size /= 2
        phi = phi + size * step
        height = _log_likelihood(phi, design, event)
        if decrement < CLOSE:
            break
    covariance = np.linalg.pinv(-_derivatives(phi, design, event)[1])
    level, exponent = phi[:2] / phi[2]
    slope = np.array([0, 1, -exponent]) / phi[2]  # of z = phi_2 / phi_3
    return _Fit(
        height,
        float(np.exp(level)),
        float(exponent),
        float(np.sqrt(slope @ covariance @ slope)),
        float(1 / phi[2]),
    )


def _log_likelihood(phi: Array, design: Array, event: NDArray[np.bool_]) -> float:
    if phi[2] <= 0:
        return -np.inf
    u = design @ phi
    return float(np.sum(np.log(phi[2]) - u[event] ** 2 / 2) + np.sum(log_ndtr(-u[~event])))


def _derivatives(phi: Array, design: Array, event: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Gradient (3,) and Hessian (3, 3) of the log likelihood."""
    u = design @ phi
    hazard = np.exp(-(u**2) / 2 - log_ndtr(-u)) / np.sqrt(2 * np.pi)
    pull = np.where(event, u, hazard)
    stiffness = np.where(event, 1.0, hazard * (hazard - u))
    gradient = -pull @ design
    hessian = -(design.T * stiffness) @ design
    gradient[2] += event.sum() / phi[2]
    hessian[2, 2] -= event.sum() / phi[2] ** 2
    return gradient, hessian
