"""What is taken for granted about a boundary: trend plus Gaussian process over the other axes.

At a place v of the plane, the coordinates of every axis but the scanned one, the transition has
three numbers: log n50, the log of its width, and the lapse. Each is a level, a trend along every
axis, and a Gaussian process of zero mean,

    f(v) = b_0 + sum_k b_k phi_k(v_k) + e(v),   cov e(v), e(v') = a^2 M_nu(|v - v'|_l),

with Matern's correlation M_nu in |v - v'|_l^2 = sum_k ((v_k - v'_k)/l_k)^2 (C. E. Rasmussen and
C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), eq. 4.17 for nu = 3/2, 5/2, and
sec. 2.7 for the trend, whose vague coefficients are part of the covariance). v is the logarithm of
the coordinate, scaled to 0..1 over the axis, and phi is that logarithm if the trend is a power, so
that b is one. Trends are those forms of forms.py that are linear in log N.

For log n50 the amplitude a, the lengths l and the smoothness nu are not known: they run over a
grid, each of whose nodes has a prior weight (`Kernel`). Width and lapse have fixed ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import log, sqrt
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from jaxflow.core.checks import Array, ordered
from jaxflow.core.errors import mistake
from jaxflow.statistics.forms import form
from jaxflow.statistics.logistic import LAPSES, WIDTH_MEDIAN, WIDTH_SPREAD

Trend: TypeAlias = Literal["constant", "proportional", "power", "exponential"]
Monotone: TypeAlias = Literal["increasing", "decreasing"]

POWERS = 1.5  # standard deviation of the powers of the trend of n50,
WIDTH_POWERS = 0.5  # and of that of the width
AMPLITUDES = 0.01, 0.03, 0.1, 0.3, 1.0  # of log n50 about its trend
TYPICAL_AMPLITUDE = 0.1  # scale of its half-Cauchy prior
LENGTHS = 0.25, 0.6, 1.5  # in decades, or of the whole of an axis that is not logarithmic
SMOOTHNESS = 1.5, 2.5
WIDTH_AMPLITUDE, LAPSE_AMPLITUDE = 0.3, 0.5  # of the processes of the other two
LAPSE_LEVEL = -0.5, 1.0  # mean and spread of the normal quantile of lapse / largest lapse


@dataclass(frozen=True)
class Axis:
    """An axis of the plane: the range that is asked about, and how n50 is taken to go along it.

    The `trend` is a power on a logarithmic axis, and else exponential, if it is not said. Raises
    `ValueError` unless low < high, and both positive on a logarithmic axis; and for a trend of
    positive coordinates where they are not.
    """

    name: str
    low: float
    high: float
    logarithmic: bool = True
    trend: Trend | None = None
    monotone: Monotone | None = None

    def __post_init__(self) -> None:
        if self.logarithmic:
            ordered(self.low, self.high)
        elif not self.low < self.high:
            raise mistake("low < high", (self.low, self.high), "widen the range")
        elif self.trend is not None and form(self.trend).positive:
            asked = f"positive {self.name} for a trend that is {self.trend}"
            raise mistake(asked, (self.low, self.high), "name another, or constant")

    def scaled(self, x: Array) -> Array:
        """The coordinate, 0 at the low end of the axis and 1 at the high one."""
        if self.logarithmic:
            return np.log(np.asarray(x, float) / self.low) / self.extent
        return (np.asarray(x, float) - self.low) / self.extent

    def unscaled(self, v: Array) -> Array:
        """The inverse of `scaled`."""
        moved = np.asarray(v, float) * self.extent
        return self.low * np.exp(moved) if self.logarithmic else self.low + moved

    def feature(self, v: Array) -> Array:
        """What the trend multiplies, 0 at the middle of the axis: log x of a power."""
        if self.trend == "constant":
            return np.zeros_like(v)
        if self.trend == "exponential" and self.logarithmic:
            x = self.unscaled(v)
            return np.asarray(((x - self.low) / (self.high - self.low) - 0.5) * self.extent)
        return np.asarray((v - 0.5) * (self.extent if self.logarithmic else 1.0))

    @property
    def extent(self) -> float:
        """Its length, in natural logarithms if it is logarithmic."""
        return log(self.high / self.low) if self.logarithmic else self.high - self.low


def axes_of(
    places: Sequence[Mapping[str, float]],
    trend: Trend | Mapping[str, Trend] | None = None,
    monotone: Mapping[str, Monotone] | None = None,
) -> tuple[Axis, ...]:
    """The axes along which places, coordinates by name, differ: logarithmic where positive.

    With the trend of all of them or of some by name, and the way in which n50 is monotone.
    """
    values = {name: [place[name] for place in places] for name in places[0]}
    trends = trend if isinstance(trend, Mapping) else dict.fromkeys(values, trend)
    return tuple(
        Axis(name, min(x), max(x), min(x) > 0, trends.get(name), (monotone or {}).get(name))
        for name, x in values.items()
        if len(set(x)) > 1
    )


@dataclass(frozen=True)
class Kernel:
    """A node of the grid over what is unknown of a process, with its prior weight."""

    amplitude: float
    lengths: tuple[float, ...]  # one an axis, in units of it
    smoothness: float = 2.5
    weight: float = 1.0

    def __call__(self, v: Array, w: Array) -> Array:
        """Covariances (k, m) of places v (k, axes) and w (m, axes)."""
        moved = (v[:, None, :] - w[None, :, :]) / np.asarray(self.lengths)
        r = np.sqrt(2 * self.smoothness * np.sum(moved**2, axis=-1))
        polynomial = 1 + r if self.smoothness == 1.5 else 1 + r + r**2 / 3
        return self.amplitude**2 * polynomial * np.exp(-r)


@dataclass(frozen=True)
class Prior:
    """The prior of log n50, log width and lapse over a plane, `low`..`high` along its scanned axis.

    The lapse l goes by the normal quantile h of its part of the largest: l = 0.3 ndtr(h).
    """

    axes: tuple[Axis, ...]
    low: float
    high: float

    def __post_init__(self) -> None:
        ordered(self.low, self.high)

    @property
    def kernels(self) -> list[Kernel]:
        """The grid over amplitude, lengths and smoothness of log n50."""
        return [
            Kernel(a, lengths, nu, a / (1 + (a / TYPICAL_AMPLITUDE) ** 2))
            for a, nu in product(AMPLITUDES, SMOOTHNESS)
            for lengths in product(*([x * unit for x in LENGTHS] for unit in self._units))
        ]

    def mean(self, v: Array) -> Array:
        """Of (log n50, log width, quantile of the lapse) at places (k, axes): (k, 3)."""
        known = self._features(v) @ [axis.trend == "proportional" for axis in self.axes]
        others = np.full((2, len(v)), [[log(WIDTH_MEDIAN)], [LAPSE_LEVEL[0]]])
        return np.stack([log(self.low * self.high) / 2 + known, *others], axis=1)

    def of_threshold(self, v: Array, w: Array) -> Array:
        """Covariances (kernels, k, m) of log n50 at places v (k, axes) and w (m, axes)."""
        trend = self._level**2 + self._powers(v) @ self._powers(w).T
        return np.stack([trend + kernel(v, w) for kernel in self.kernels])

    def of_others(self, v: Array, w: Array) -> tuple[Array, Array]:
        """Covariances (k, m) of the log width and of the quantile of the lapse."""
        lengths = tuple(self._units)
        width = WIDTH_SPREAD**2 + WIDTH_POWERS**2 * self._features(v) @ self._features(w).T
        lapse = np.full((len(v), len(w)), LAPSE_LEVEL[1] ** 2)
        return (
            width + Kernel(WIDTH_AMPLITUDE, lengths)(v, w),
            lapse + Kernel(LAPSE_AMPLITUDE, lengths)(v, w),
        )

    def variances(self, v: Array) -> tuple[Array, Array, Array]:
        """Of log n50 (kernels, k), log width and quantile of the lapse (k,) at places (k, axes)."""
        trend = self._level**2 + np.sum(self._powers(v) ** 2, axis=1)
        width = WIDTH_SPREAD**2 + WIDTH_POWERS**2 * np.sum(self._features(v) ** 2, axis=1)
        amplitudes = np.array([kernel.amplitude for kernel in self.kernels])
        return (
            trend + amplitudes[:, None] ** 2,
            width + WIDTH_AMPLITUDE**2,
            np.full(len(v), LAPSE_LEVEL[1] ** 2 + LAPSE_AMPLITUDE**2),
        )

    def draw(self, places: ArrayLike, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """n50, width and lapse (k,) at places (k, axes) of a plane drawn from the prior.

        Whether or not it is monotone.
        """
        v = self.scaled(places)
        weights = np.array([kernel.weight for kernel in self.kernels])
        kernel = rng.choice(len(weights), p=weights / weights.sum())
        covariances = self.of_threshold(v, v)[kernel], *self.of_others(v, v)
        drawn = [
            rng.multivariate_normal(mean, C, method="eigh")
            for mean, C in zip(self.mean(v).T, covariances, strict=True)
        ]
        return np.exp(drawn[0]), np.exp(drawn[1]), root_lapse(drawn[2]) ** 2

    def scaled(self, places: ArrayLike) -> Array:
        """Places (k, axes) in the units of their axes."""
        found = np.asarray(places, float).reshape(-1, len(self.axes))
        return np.stack([axis.scaled(x) for axis, x in zip(self.axes, found.T, strict=True)], 1)

    @property
    def _units(self) -> list[float]:
        """What lengths are in, as parts of the axes."""
        return [log(10) / axis.extent if axis.logarithmic else 1.0 for axis in self.axes]

    @property
    def _level(self) -> float:
        """Standard deviation of the level of log n50."""
        return log(self.high / self.low) / 2

    def _features(self, v: Array) -> Array:
        """Those of the trends of all axes at places (k, axes): (k, axes)."""
        return np.stack([axis.feature(x) for axis, x in zip(self.axes, v.T, strict=True)], axis=1)

    def _powers(self, v: Array) -> Array:
        """The features of the trend of log n50 times the spread of their coefficients."""
        unknown = [POWERS * (axis.trend != "proportional") for axis in self.axes]
        return self._features(v) * unknown


def root_lapse(h: Array) -> Array:
    """sqrt(lapse) where its normal quantile is h, in the shape of h."""
    return np.asarray(sqrt(LAPSES[1]) * np.sqrt(ndtr(h)))
