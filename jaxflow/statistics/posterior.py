"""The posterior of a threshold, on a grid of the parameters of its curve (logistic.py).

The most that m trials can tell, all of them run at n50 of a known transition without lapse, is a
95 % half-width of log n50 of 1.96 * 2/(s sqrt(m)).

The grid resolves the density of any number of trials that several n of the transition share. Of
millions at a single n inside it, the density is a bent ridge thinner than the nodes are apart, and
the interval comes out too narrow by a factor of a few.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Literal, Self, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

from jaxflow.core.checks import Array, fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.logistic import SLOPE_TIMES_WIDTH, Axes, Ends, Model
from jaxflow.statistics.logistic import Guess as Guess

Edge: TypeAlias = Literal["", "below", "above"]

NEGLIGIBLE = 1e-5  # of the highest marginal density
TINY = 1e-30  # keeps the cumulative distribution increasing
COARSE = 33, 13, 7  # nodes in log n50, log width, sqrt(lapse)
FINE = 65, 17, 9
BETWEEN = 16  # points of the cumulative distribution from node to node
RESOLVED = 10_000  # trials whose density the coarse nodes resolve
COOLING = 4.0  # from one temperature to the next, which halves the width of the density


class ThresholdPosterior(ABC):
    """What is known of a transition along an axis, and of its threshold n50 within low..high."""

    @property
    @abstractmethod
    def low(self) -> float:
        """The smallest n at which the threshold is expected."""

    @property
    @abstractmethod
    def high(self) -> float:
        """The largest one."""

    @abstractmethod
    def quantile(self, q: ArrayLike) -> Array:
        """The n50 below which posterior mass q lies, in samples and in the shape of q."""

    @abstractmethod
    def mass_below(self, n: float) -> float:
        """The probability that n50 < n."""

    @property
    @abstractmethod
    def width(self) -> float:
        """The 10-90 % width of the transition in log n: its geometric mean."""

    @abstractmethod
    def width_interval(self, level: float = 0.95) -> tuple[float, float]:
        """The equal-tailed credible interval of the 10-90 % width in log n."""

    @abstractmethod
    def curve(self, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
        """P(converged) at each n: (mean, low, high) of its equal-tailed band, in the shape of n."""

    @cached_property
    def median(self) -> float:
        """The threshold n50, in samples."""
        return float(self.quantile(0.5))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The equal-tailed credible interval of n50, in samples."""
        tail = (1 - fraction("level", level)) / 2
        low, high = self.quantile([tail, 1 - tail])
        return float(low), float(high)

    @cached_property
    def relative_half_width(self) -> float:
        """Half the width of the 95 % interval over the median."""
        low, high = self.interval()
        return (high - low) / (2 * self.median)

    @property
    def mass_at_edges(self) -> tuple[float, float]:
        """The probabilities that the threshold is below `low` and above `high`."""
        return self.mass_below(self.low), 1 - self.mass_below(self.high)

    @property
    def at_edge(self) -> Edge:
        """On which side of low..high most of the posterior lies; nothing if that is within."""
        below, above = self.mass_at_edges
        return "below" if below > 0.5 else "above" if above > 0.5 else ""


@final
class Posterior(ThresholdPosterior):
    """The posterior of (log n50, slope, lapse) given tallies, and what follows from it.

    `low` and `high` bound the n at which the threshold is expected; `rising` says that P grows
    along the axis. A `guess` from elsewhere bends the prior: to choose where trials run, never
    to conclude from. The order of the tallies and how an n's trials are split among them do not
    matter. Raises `ValueError` unless 0 < low < high.
    """

    def __init__(
        self,
        tallies: Sequence[Tally],
        low: float,
        high: float,
        *,
        rising: bool = False,
        guess: Guess | None = None,
    ) -> None:
        self._model = Model(low, high, rising, guess)
        self._tallies = merged(tallies)
        self._axes = self._zoom()
        self._weights = self._density(self._axes)
        self._location = _Marginal.of(self._axes[0], self._weights.sum((1, 2)))

    @property
    def low(self) -> float:
        """The smallest n at which the threshold is expected."""
        return self._model.low

    @property
    def high(self) -> float:
        """The largest one."""
        return self._model.high

    def quantile(self, q: ArrayLike) -> Array:
        """The n50 below which posterior mass q lies, in samples and in the shape of q."""
        return np.asarray(np.exp(self._location.quantile(q)))

    def mass_below(self, n: float) -> float:
        """The probability that n50 < n."""
        return self._location.mass_below(np.log(n))

    @property
    def width(self) -> float:
        """The 10-90 % width of the transition in log n: its geometric mean."""
        weights = self._weights.sum((0, 2))
        return float(np.exp(weights @ self._axes[1] / weights.sum()))

    def width_interval(self, level: float = 0.95) -> tuple[float, float]:
        """The equal-tailed credible interval of the 10-90 % width in log n."""
        tail = (1 - fraction("level", level)) / 2
        low, high = np.exp(self._log_width().quantile([tail, 1 - tail]))
        return float(low), float(high)

    def width_mass_below(self, width: float) -> float:
        """The probability that the 10-90 % width in log n is less than this."""
        return self._log_width().mass_below(np.log(width))

    def trials_to(self, relative_half_width: float) -> int:
        """The least number of further trials that narrow the 95 % interval to this.

        It takes them to tell the most that trials can; module docstring.
        """
        most = (1.96 * 2 * self.width / SLOPE_TIMES_WIDTH) ** 2
        lacking = fraction("relative_half_width", relative_half_width) ** -2
        return max(0, ceil(most * (lacking - self.relative_half_width**-2)))

    def curve(self, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
        """P(converged) at each n: (mean, low, high) of its equal-tailed band, in the shape of n.

        Raises `ValueError` unless n > 0.
        """
        tail = (1 - fraction("level", level)) / 2
        points = np.asarray(n, float)
        if not np.all(points > 0):
            raise mistake("n > 0", n, "ask for the curve at positive n")
        bands = np.array([self._proportion(point, tail) for point in points.ravel()])
        mean, lower, upper = bands.reshape(-1, 3).T.reshape(3, *points.shape)
        return mean, lower, upper

    def _proportion(self, n: float, tail: float) -> tuple[float, float, float]:
        proportion = self._model.chance(n, self._axes).ravel()
        weights = self._weights.ravel() / self._weights.sum()
        order = np.argsort(proportion)
        low, high = np.interp(
            [tail, 1 - tail], np.cumsum(weights[order]) - weights[order] / 2, proportion[order]
        )
        return float(weights @ proportion), float(low), float(high)

    def _log_width(self) -> "_Marginal":
        """Between its few nodes the logarithm of the density is nearer to a polynomial."""
        nodes = self._axes[1]
        density = self._weights.sum((0, 2))
        density[[0, -1]] *= 2  # without the weights of the ends
        log_density = np.log(np.maximum(density, TINY))
        finer = np.linspace(nodes[0], nodes[-1], BETWEEN * len(nodes))
        between = Akima1DInterpolator(nodes, log_density, method="makima")(finer)
        return _Marginal.of(finer, np.exp(between))

    def _zoom(self) -> Axes:
        """Axes around the mass.

        log n50 comes first, with a node between every two neighbouring n: on coarser nodes, steep
        transitions fall between two of them and look impossible. It is looked at again when finer
        nodes of width and lapse have moved its mass.

        Of very many trials the density is so narrow that one coarse node has all of it, and not the
        one nearest to its summit. So it is looked for at a temperature at which it is as wide as
        that of `RESOLVED` trials, which moves no summit, and followed as that is lowered to 1.
        """
        tried = np.log([tally.x for tally in self._tallies])
        between = (tried[1:] + tried[:-1]) / 2
        limits = self._model.limits
        ends = list(limits)
        temperature = max(1.0, sum(tally.trials for tally in self._tallies) / RESOLVED)
        while True:
            location, width, root = _axes(ends, COARSE)
            inside = between[(between > location[0]) & (between < location[-1])]
            axes = np.union1d(location, inside), width, root
            density = self._density(axes, temperature)
            supports = [_support(density, axes, axis) for axis in range(3)]
            if _halved(supports[0], ends[0]):
                ends[0] = supports[0]
            elif any(map(_halved, supports[1:], ends[1:])):
                ends = [_widened(ends[0]), *supports[1:]]
            elif temperature > 1:
                temperature = max(temperature / COOLING, 1.0)
                wide = list(map(_widened, supports))
                ends = [wide[0], *map(_within, wide[1:], limits[1:])]
            else:
                return _axes(ends, FINE)

    def _density(self, axes: Axes, temperature: float = 1.0) -> Array:
        """The density on the grid, times the trapezoidal weights of width and lapse; highest 1."""
        x = [tally.x for tally in self._tallies]
        trials = [tally.trials for tally in self._tallies]
        converged = [tally.converged for tally in self._tallies]
        log_density = self._model.log_posterior(axes, x, trials, converged)
        density = np.exp((log_density - log_density.max()) / temperature)
        density *= axes[2]  # d lapse = 2 root d root
        density[:, [0, -1]] /= 2
        density[:, :, [0, -1]] /= 2
        return np.asarray(density)


@dataclass(frozen=True, eq=False)
class _Marginal:
    """The cumulative distribution along one axis."""

    x: Array
    cumulative: Array

    @classmethod
    def of(cls, nodes: Array, density: Array) -> Self:
        """That of a density (k,) at nodes (k,)."""
        x = np.linspace(nodes[0], nodes[-1], BETWEEN * len(nodes))
        mass = PchipInterpolator(nodes, np.maximum(density, TINY)).antiderivative()(x)
        return cls(x, np.asarray(mass / mass[-1], float))

    def quantile(self, q: ArrayLike) -> Array:
        """Where mass q lies below, in the shape of q."""
        return np.asarray(np.interp(np.asarray(q, float), self.cumulative, self.x))

    def mass_below(self, x: float) -> float:
        """The mass below x."""
        return float(np.interp(x, self.x, self.cumulative, left=0.0, right=1.0))


def _axes(ends: Sequence[Ends], nodes: tuple[int, int, int]) -> Axes:
    location, width, root = (np.linspace(*end, num) for end, num in zip(ends, nodes, strict=True))
    return location, width, root


def _support(density: Array, axes: Axes, axis: int) -> Ends:
    """The ends of what is not negligible along one axis, with a slice to spare."""
    marginal = density.sum(tuple({0, 1, 2} - {axis}))
    inside = np.flatnonzero(marginal > NEGLIGIBLE * marginal.max())
    nodes = axes[axis]
    return float(nodes[max(inside[0] - 1, 0)]), float(nodes[min(inside[-1] + 1, len(nodes) - 1)])


def _widened(ends: Ends) -> Ends:
    margin = (ends[1] - ends[0]) / 2
    return ends[0] - margin, ends[1] + margin


def _within(ends: Ends, limits: Ends) -> Ends:
    return max(ends[0], limits[0]), min(ends[1], limits[1])


def _halved(new: Ends, old: Ends) -> bool:
    return new[1] - new[0] <= (old[1] - old[0]) / 2


@dataclass(frozen=True)
class Threshold:
    """Where P(converged) crosses one half: median and 95 % interval of n50, in samples.

    `at_edge` says that most of the posterior lies outside the range of n; the numbers then only
    continue the prior and the range must be moved.
    """

    n50: float
    low: float
    high: float
    trials: int
    at_edge: Edge
    width: float  # 10-90 % of the transition, in log n
    width_low: float
    width_high: float


def estimate(
    tallies: Sequence[Tally], low: float, high: float, *, rising: bool = False
) -> Threshold:
    """The threshold within low..high. Raises `ValueError` unless 0 < low < high."""
    posterior = Posterior(tallies, low, high, rising=rising)
    trials = sum(tally.trials for tally in tallies)
    return Threshold(
        posterior.median,
        *posterior.interval(),
        trials,
        posterior.at_edge,
        posterior.width,
        *posterior.width_interval(),
    )
