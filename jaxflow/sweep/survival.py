"""When trials converge: survival of the state "not yet converged", and its slowing at a threshold.

A trial that was undecided at its horizon is censored in time there: it may converge later. One
that stalled or failed never converges: it is censored at time infinity, so that it stays at risk
and is not dropped. The estimate of Kaplan and Meier, at convergence times t_i with d_i trials
converging of the n_i still at risk, is

    S(t) = P(not converged by t) = prod_{t_i <= t} (1 - d_i/n_i),

with Greenwood's variance on the complementary log-log scale,

    Var log(-log S) = sum_{t_i <= t} d_i / (n_i (n_i - d_i)) / (log S)^2.

The interval of the median holds the times at which the band holds one half.

E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", Journal of the
American Statistical Association 53 (1958) 457-481. M. Greenwood, "The natural duration of cancer",
Reports on Public Health and Medical Subjects 33 (1926) 1-26. R. Brookmeyer and J. Crowley, "A
confidence interval for the median survival time", Biometrics 38 (1982) 29-41.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from jaxflow._errors import mistake
from jaxflow._types import Outcome, Row
from jaxflow.sweep._checks import positive, whole

Array = NDArray[np.float64]

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
HALF = 1e-9  # S this near one half is one half
FEWEST = 3  # n that a fit of the slowing takes


@dataclass(frozen=True, eq=False)
class Survival:
    """P(not converged by t), a step function: row i holds from times[i] to times[i + 1].

    `times` (k,), in flow time, begin with 0 and go on with the times at which trials converged;
    `survival`, `low`, `high` (k,) are the estimate and its 95 % band at each time; `at_risk` (k,)
    counts the trials neither converged nor censored just before. Beyond the time `known` no trial
    is left to tell.

    Before the first convergence, where Greenwood's variance is zero, `low` is the exact binomial
    bound; once all have converged, `high` is what it was before the last.
    """

    times: Array
    survival: Array
    low: Array
    high: Array
    at_risk: NDArray[np.int64]
    known: float

    def at(self, t: ArrayLike) -> tuple[Array, Array, Array]:
        """P(not converged by t) and its band (low, high), in the shape of t.

        All three are nan beyond `known`, save where every trial at risk has converged.
        """
        points = np.asarray(t, float)
        if not np.all(points >= 0):
            raise mistake("times t >= 0", t, "ask for the survival at times from 0 on")
        row = np.searchsorted(self.times, points, "right") - 1
        told = (points <= self.known) | (self.survival[row] == 0)
        found = (np.where(told, v[row], np.nan) for v in (self.survival, self.low, self.high))
        survival, low, high = found
        return survival, low, high

    @property
    def median(self) -> float:
        """The flow time by which half have converged; inf where that is not reached.

        Where S is one half from one time to another, their mean.
        """
        return _median(self.times, self.survival)

    @property
    def median_interval(self) -> tuple[float, float]:
        """The 95 % interval (low, high) of the median; an end that is not reached is inf."""
        return _crossing(self.times, self.low), _crossing(self.times, self.high)


@dataclass(frozen=True, eq=False)
class Slowing:
    """The fit T50(n) = A (1 - n/N)^-z of median convergence times below a threshold N.

    `low` and `high` bound the exponent z at 95 %, given N and that the power law holds. `n` (k,)
    are all below N; `medians`, `medians_low` and `medians_high` (k,) are inf where not reached,
    and such n are not in the fit.
    """

    exponent: float
    low: float
    high: float
    amplitude: float  # A, in flow time
    threshold: float  # N
    n: Array
    medians: Array
    medians_low: Array
    medians_high: Array

    def predict(self, n: ArrayLike) -> Array:
        """The median convergence time at each n, in the shape of n; inf from N on."""
        gap = np.maximum(1 - np.asarray(n, float) / self.threshold, 0)
        with np.errstate(divide="ignore"):
            return np.asarray(self.amplitude * gap**-self.exponent)


def convergence_times(rows: Iterable[Row]) -> tuple[Array, NDArray[np.bool_]]:
    """Times and whether converged, both (m,), as `survival` takes them.

    Undecided trials have the time of their horizon, stalled and failed ones infinity.
    """
    time = {Outcome.STALLED: np.inf, Outcome.FAILED: np.inf}
    told = [(time.get(r.outcome, r.flow_time), r.outcome is Outcome.CONVERGED) for r in rows]
    return np.array([t for t, _ in told], float), np.array([c for _, c in told], bool)


def survival(times: ArrayLike, converged: ArrayLike) -> Survival:
    """The estimate of Kaplan and Meier.

    `times` (m,) are when trials converged, or until when they had not: inf for a trial that never
    will. `converged` (m,) says which. Raises `ValueError` unless there is a trial and the times
    are positive, and finite where converged.
    """
    time, event = _checked(times, converged)
    steps, at_risk, estimate, variance = _product_limit(time, event)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = ndtri(1 - TAIL) * np.sqrt(variance) / np.abs(np.log(estimate))
        low, high = estimate ** np.exp(spread), estimate ** np.exp(-spread)
    if estimate.size and estimate[-1] == 0:
        low[-1], high[-1] = 0.0, high[-2] if estimate.size > 1 else 1.0
    first = at_risk[0] if steps.size else int(np.sum(time == time.max()))
    return Survival(
        np.append(0.0, steps),
        np.append(1.0, estimate),
        np.append(TAIL ** (1 / first), low),
        np.append(1.0, high),
        np.append(len(time), at_risk),
        float(time.max()),
    )


def slowing(
    n: Sequence[float],
    times: Sequence[ArrayLike],
    converged: Sequence[ArrayLike],
    threshold: float,
    *,
    threshold_error: float = 0.0,
    resamples: int = 400,
    seed: int = 0,
) -> Slowing:
    """How the median convergence time grows towards the threshold N: log T50 against log(1 - n/N).

    `times[i]` and `converged[i]` are those of the trials at `n[i]`, as `survival` takes them. The
    fit is of least squares, each n weighted by its number of trials; the interval of z is that of
    the fits to `resamples`, in which the trials of every n are drawn with replacement. It takes ten
    trials or so at every n to be honest: one trial drawn again is the same. `threshold_error`, the
    standard error of log N, lets N vary along.

    N must be where P(converged) falls however long one waits: at the threshold of a finite horizon
    the median is that horizon. Raises `ValueError` if fewer than 3 n below N reach their median.
    """
    boundary = positive("threshold", threshold)
    draws = whole("resamples", resamples, least=2)
    places = np.asarray(n, float)
    trials = [_checked(*pair) for pair in zip(times, converged, strict=True)]
    if places.shape != (len(trials),):
        raise mistake("times and outcomes for each n", (places.shape, len(trials)), "pair them up")
    inside = np.flatnonzero((places > 0) & (places < boundary))
    curves = [survival(*trials[i]) for i in inside]
    medians = np.array([curve.median for curve in curves])
    ends = np.array([curve.median_interval for curve in curves]).reshape(-1, 2)
    used = inside[np.isfinite(medians)]
    if len(used) < FEWEST:
        remedy = "run more trials below the threshold, or allow them more time"
        raise mistake(f"at least {FEWEST} n below it with a median", len(used), remedy)
    weights = np.array([float(len(trials[i][0])) for i in used.tolist()])
    amplitude, exponent = _line(places[used], medians[np.isfinite(medians)], weights, boundary)
    rng = np.random.default_rng(seed)
    drawn = np.array([_resampled_medians(trials[i][0], trials[i][1], draws, rng) for i in used])
    shifted = boundary * np.exp(threshold_error * rng.standard_normal(draws))
    exponents = [
        _line(places[used], resampled, weights, at)[1]
        for resampled, at in zip(drawn.T, shifted, strict=True)
    ]
    low, high = np.nanquantile(exponents, [TAIL, 1 - TAIL])
    return Slowing(
        exponent, float(low), float(high), amplitude, boundary, places[inside],
        medians, ends[:, 0], ends[:, 1],
    )  # fmt: skip


def _checked(times: ArrayLike, converged: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    time, event = np.asarray(times, float), np.asarray(converged, bool)
    if time.ndim != 1 or not time.size or time.shape != event.shape:
        raise mistake(
            "times and converged of one shape (m,), m >= 1", (time.shape, event.shape), "pair them"
        )
    if not (np.all(time > 0) and np.all(np.isfinite(time[event]))):
        raise mistake("times > 0, finite where converged", "others", "give flow times of trials")
    return time, event


def _product_limit(
    time: Array, event: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.int64], Array, Array]:
    """Times of convergence, trials at risk, S, and the sum in Greenwood's variance."""
    steps, counts = np.unique(time[event], return_counts=True)
    deaths = np.asarray(counts, float)
    at_risk = np.asarray(len(time) - np.searchsorted(np.sort(time), steps), np.int64)
    with np.errstate(divide="ignore"):
        variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
    estimate = np.cumprod(1 - deaths / at_risk)
    return steps, at_risk, np.asarray(estimate, float), np.asarray(variance, float)


def _crossing(times: Array, values: Array) -> float:
    """The first time at which a step function is one half or less."""
    below = np.flatnonzero(values <= 0.5 + HALF)
    return float(times[below[0]]) if below.size else np.inf


def _median(times: Array, values: Array) -> float:
    below = np.flatnonzero(values <= 0.5 + HALF)
    if not below.size:
        return np.inf
    first = below[0]
    if values[first] >= 0.5 - HALF and first + 1 < len(times):
        return float(times[first] + times[first + 1]) / 2
    return float(times[first])


def _resampled_medians(
    time: Array, event: NDArray[np.bool_], resamples: int, rng: np.random.Generator
) -> Array:
    """The median (resamples,) of as many draws of the trials with replacement."""
    steps, place = np.unique(time, return_inverse=True)
    m = len(time)
    drawn = rng.multinomial(m, np.full(m, 1 / m), size=resamples)
    ended, deaths = np.zeros((2, resamples, len(steps)))
    np.add.at(ended.T, place, drawn.T)
    np.add.at(deaths.T, place, (drawn * event).T)
    at_risk = m - np.cumsum(ended, axis=1) + ended
    estimate = np.cumprod(1 - deaths / np.maximum(at_risk, 1), axis=1)
    falls = [np.flatnonzero(row) for row in deaths]
    return np.array(
        [_median(steps[k], row[k]) for k, row in zip(falls, estimate, strict=True)], float
    )


def _line(n: Array, medians: Array, weights: Array, threshold: float) -> tuple[float, float]:
    """Weighted least squares of log T50 = log A - z log(1 - n/N): (A, z).

    n without a median or beyond N are left out; nan if fewer than 2 remain.
    """
    kept = np.isfinite(medians) & (n < threshold)
    if kept.sum() < 2:
        return np.nan, np.nan
    root = np.sqrt(weights[kept])
    gap = np.log1p(-n[kept] / threshold)
    design = np.stack([np.ones_like(gap), -gap], axis=1) * root[:, None]
    log_amplitude, exponent = np.linalg.lstsq(design, np.log(medians[kept]) * root)[0]
    return float(np.exp(log_amplitude)), float(exponent)
