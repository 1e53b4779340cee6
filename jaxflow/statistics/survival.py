"""When trials converge: survival of the state "not yet converged".

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

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from jaxflow.core.checks import Array
from jaxflow.core.errors import mistake
from jaxflow.core.types import Outcome, Row

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
HALF = 1e-9  # S this near one half is one half
TINY = 1e-9  # flow time of a trial that had converged when it began


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


def convergence_times(rows: Iterable[Row]) -> tuple[Array, NDArray[np.bool_]]:
    """Times and whether converged, both (m,), as `survival` takes them.

    Undecided trials have the time of their horizon, stalled and failed ones infinity.
    """
    time = {Outcome.STALLED: np.inf, Outcome.FAILED: np.inf}
    told = [
        (time.get(r.outcome, max(r.flow_time, TINY)), r.outcome is Outcome.CONVERGED) for r in rows
    ]
    return np.array([t for t, _ in told], float), np.array([c for _, c in told], bool)


def survival(times: ArrayLike, converged: ArrayLike) -> Survival:
    """The estimate of Kaplan and Meier.

    `times` (m,) are when trials converged, or until when they had not: inf for a trial that never
    will. `converged` (m,) says which. Raises `ValueError` unless there is a trial and the times
    are positive, and finite where converged.
    """
    time, event = checked(times, converged)
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


def checked(times: ArrayLike, converged: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Both as arrays (m,); `ValueError` where they are not as `survival` takes them."""
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
