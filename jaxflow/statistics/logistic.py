"""The curve of a transition, the prior of its parameters, and their density given counts.

The model of a transition, decreasing in n, with slope s and lapse l (the probability that a trial
fails however small n is):

    P(converged | n) = (1 - l) / (1 + (n/N)^s).

Where P rises along an axis, as along p and d, n stands for 1/x. The threshold n50 is where this P,
lapse included, crosses one half: n50 = N (1 - 2 l)^(1/s). A grid therefore runs over (log n50, s,
l), in which the model reads

    P(converged | n) = (1 - l) / (1 + r),   r = (1 - 2 l) (n/n50)^s,

and the log likelihood of c of m converged trials is c log(1-l) + (m-c) log(l + r) - m log(1 + r):
finite for separated data, where maximum likelihood has no finite slope.

Prior: log n50 uniform on the range asked for, with exponential tails outside it so that a
threshold out of range shows; the 10-90 % width of the transition, 2 log(9)/s in log n, log-normal
around 0.3 and cut to [0.004, 2]; the lapse exponential of mean 0.2 and cut to [0, 0.3].
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from jaxflow.core.checks import Array, ordered
from jaxflow.core.errors import mistake

WIDTHS = 0.004, 2.0  # 10-90 % widths in log n
WIDTH_MEDIAN, WIDTH_SPREAD = 0.3, 1.5  # of their log-normal prior; the spread in log width
SLOPE_TIMES_WIDTH = 2 * log(9)
LAPSES = 0.0, 0.3
LAPSE_MEAN = 0.2
TAIL = 0.05  # scale of the prior's tails beyond the range, relative to the range in log n
MOST = 600.0  # logarithm of a number that is finite, as are its products with a few others
REACH = 8  # how many of these scales a grid goes beyond the range

Axes: TypeAlias = tuple[Array, Array, Array]  # nodes in log n50, log width, sqrt(lapse)
Ends: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Guess:
    """Where a threshold may be: double exponential around log x, of scale `spread`."""

    x: float
    spread: float


@dataclass(frozen=True)
class Model:
    """The curve and its prior: between which n the threshold is expected, and whether P rises.

    A `guess` from elsewhere bends the prior. Raises `ValueError` unless 0 < low < high.
    """

    low: float
    high: float
    rising: bool = False
    guess: Guess | None = None

    def __post_init__(self) -> None:
        ordered(self.low, self.high)

    @property
    def limits(self) -> tuple[Ends, Ends, Ends]:
        """Beyond which the prior leaves nothing: of log n50, log width and sqrt(lapse)."""
        low, high = np.log(self.low), np.log(self.high)
        margin = REACH * TAIL * (high - low)
        return (
            (low - margin, high + margin),
            (np.log(WIDTHS[0]), np.log(WIDTHS[1])),
            (sqrt(LAPSES[0]), sqrt(LAPSES[1])),
        )

    def log_prior(self, axes: Axes) -> Array:
        """The log density (a, b, c) in (log n50, log width, lapse), up to a constant."""
        location, width, root = axes
        low, high = np.log(self.low), np.log(self.high)
        beyond = np.maximum(np.maximum(low - location, location - high), 0)
        found = (
            -(beyond / (TAIL * (high - low)))[:, None, None]
            - (((width - np.log(WIDTH_MEDIAN)) / WIDTH_SPREAD) ** 2 / 2)[:, None]
            - root**2 / LAPSE_MEAN
        )
        if self.guess is not None:
            away = np.abs(location - np.log(self.guess.x))
            found -= (away / self.guess.spread)[:, None, None]
        return np.asarray(found)

    def draw(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """A curve from the prior: n50, 10-90 % width in log n, lapse.

        Raises `ValueError` for a model with a guess, which is nothing to simulate from.
        """
        if self.guess is not None:
            raise mistake("a model without a guess", self.guess, "draw from the prior alone")
        low, high = np.log(self.low), np.log(self.high)
        tail = TAIL * (high - low)
        place = rng.uniform(-tail, high - low + tail)  # beyond an end: in a tail
        location = low + np.clip(place, 0, high - low)
        if not 0 <= place <= high - low:
            location += np.sign(place) * _exponential(rng, tail, REACH * tail)
        ends = ndtr(np.log(np.array(WIDTHS) / WIDTH_MEDIAN) / WIDTH_SPREAD)
        width = WIDTH_MEDIAN * np.exp(WIDTH_SPREAD * ndtri(rng.uniform(*ends)))
        return float(np.exp(location)), float(width), _exponential(rng, LAPSE_MEAN, LAPSES[1])

    def log_posterior(
        self, axes: Axes, x: ArrayLike, trials: ArrayLike, converged: ArrayLike
    ) -> Array:
        """The log density (..., a, b, c) in (log n50, log width, lapse), up to a constant.

        Given how many of the `trials` (k,) at `x` (k,) converged: (k,), or (r, k) of r repetitions
        of the experiment, whose likelihoods are one matrix product.
        """
        x, trials, converged = np.asarray(x, float), np.asarray(trials), np.asarray(converged)
        density = self.log_prior(axes)
        if converged.ndim == 1:
            for place, good, bad in zip(x, converged, trials - converged, strict=True):
                success, failure = self._log_chances(place, axes)
                if good:
                    density += good * success
                if bad:
                    density += bad * failure
            return density
        chances = np.array([self._log_chances(place, axes) for place in x]).reshape(len(x), 2, -1)
        told = converged @ chances[:, 0] + (trials - converged) @ chances[:, 1]
        return np.asarray(density + told.reshape(-1, *density.shape))

    def chance(self, x: float, axes: Axes) -> Array:
        """P(converged | x) on the grid (a, b, c)."""
        return (1 - axes[2] ** 2) / (1 + self._ratio(x, axes))

    def _log_chances(self, x: float, axes: Axes) -> tuple[Array, Array]:
        """The logarithms of P(converged | x) and of the rest."""
        location, width, root = axes
        return log_chances(
            np.log(x),
            location[:, None, None],
            width[:, None],
            root,
            rising=self.rising,
        )

    def _ratio(self, x: float, axes: Axes) -> Array:
        location, width, root = axes
        return _ratio(np.log(x), location[:, None, None], width[:, None], root, self.rising)


def log_chances(
    log_x: ArrayLike, location: Array, width: Array, root: Array, *, rising: bool = False
) -> tuple[Array, Array]:
    """The logarithms of P(converged | x) and of the rest, in the shape that all broadcast to.

    Of transitions with log n50 `location`, log width `width` and sqrt(lapse) `root`.
    """
    ratio = _ratio(log_x, location, width, root, rising)
    lapse = root**2
    both = np.log1p(ratio)
    return np.log1p(-lapse) - both, np.log(lapse + ratio) - both


def _ratio(log_x: ArrayLike, location: Array, width: Array, root: Array, rising: bool) -> Array:
    """r = (1 - 2 l) (x/n50)^(+-s); slope and power are clipped to stay finite."""
    slope = SLOPE_TIMES_WIDTH * np.exp(np.minimum(-width, MOST))
    exponent = (-1 if rising else 1) * (np.asarray(log_x) - location) * slope
    return np.asarray((1 - 2 * root**2) * np.exp(np.clip(exponent, -MOST, MOST)))


def _exponential(rng: np.random.Generator, mean: float, most: float) -> float:
    """A number of an exponential law that is cut at the most."""
    return float(-mean * np.log1p(rng.uniform() * np.expm1(-most / mean)))
