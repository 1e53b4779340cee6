"""The posterior of a whole boundary, given counts at any places of its plane.

Found by expectation propagation (propagation.py) from the prior of plane_prior.py: log n50 at any
place is a mixture of normals, one for each kernel, weighted by evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.checks import Array, fraction
from jaxflow.core.errors import mistake
from jaxflow.statistics import monotone
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.logistic import Guess
from jaxflow.statistics.plane_likelihood import NUMBERS, Likelihood
from jaxflow.statistics.plane_prior import Monotone, Prior
from jaxflow.statistics.propagation import FLAT, Sites, settled
from jaxflow.statistics.resamples import Interval
from jaxflow.statistics.transitions import Marginals, Transition, quantile_of_mixture

Where: TypeAlias = NDArray[np.bool_]  # of places

LEAST_GAIN = 1e-6  # relative
BAND = 0.025, 0.975
UNBOUNDED = np.array([[-np.inf], [np.inf]])
STEP = 0.01  # of an axis, to either side, over which an exponent is taken


class Counts(NamedTuple):
    """What was counted at a place of the plane, its coordinates in the order of the axes."""

    place: tuple[float, ...]
    tallies: Sequence[Tally]


@final
class BoundaryPosterior:
    """The threshold, width and lapse of transitions anywhere in a plane, given counts at places.

    `rising` says that P grows along the scanned axis. Every place is given once. `guesses` from
    elsewhere are taken for normal of the log threshold, to choose where trials run, never to
    conclude from. From the sites of an earlier posterior, `start`, fewer sweeps lead to the same.
    """

    def __init__(
        self,
        counts: Sequence[Counts],
        prior: Prior,
        *,
        rising: bool = False,
        guesses: Mapping[tuple[float, ...], Guess] | None = None,
        start: "BoundaryPosterior | None" = None,
    ) -> None:
        if len({c.place for c in counts}) < len(counts):
            raise mistake("every place once", [c.place for c in counts], "merge their counts")
        self.prior, self.rising = prior, rising
        self.counts = tuple(Counts(c.place, merged(c.tallies)) for c in counts)
        known = [(guesses or {}).get(c.place) for c in self.counts]
        likelihood = Likelihood([c.tallies for c in self.counts], rising, known)
        v = prior.scaled([c.place for c in counts])
        self._joint = settled(prior, v, likelihood, self._begun(v, start))

    def at(self, places: ArrayLike) -> Marginals:
        """What is known of the transitions at places (m, axes)."""
        return self._bounded(self.prior.scaled(places))[0]

    def contradicted(self, places: ArrayLike) -> Where:
        """Where (m,) the counts contradict that the boundary is monotone, and do without it."""
        return self._bounded(self.prior.scaled(places))[1]

    def transition(self, place: Sequence[float]) -> Transition:
        """What is known of the transition at one place."""
        return Transition(self.at([place]))

    def band(self, places: ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
        """The boundary at places (m, axes): its median, and the ends of its pointwise band."""
        tail = (1 - fraction("level", level)) / 2
        median, low, high = self.at(places).quantile([0.5, tail, 1 - tail])
        return median, low, high

    def exponent(self, places: ArrayLike, axis: int = 0, level: float = 0.95) -> Interval:
        """d log N / d log x along an axis at places (m, axes), with its interval, all (m,).

        Along an axis that is not logarithmic, d log N / d x. Of a boundary that is monotone along
        it, no end has the wrong sign, unless all do.
        """
        tail = (1 - fraction("level", level)) / 2
        v = self.prior.scaled(places)
        step = np.zeros(len(self.prior.axes))
        step[axis] = STEP
        mean, cov = self._joint.threshold(np.concatenate([v - step, v + step]))
        below, above = np.split(np.arange(2 * len(v)), 2)
        var = cov[:, above, above] + cov[:, below, below] - 2 * cov[:, above, below]
        unit = 2 * STEP * self.prior.axes[axis].extent
        slope, sd = (mean[:, above] - mean[:, below]) / unit, np.sqrt(np.maximum(var, 0)) / unit
        wanted = np.array([0.5, tail, 1 - tail])
        found = quantile_of_mixture(self._joint.weights, slope, sd, wanted)
        return Interval(*_of_sign(found, self.prior.axes[axis].monotone))

    def covariance(self, places: ArrayLike) -> Array:
        """Of log n50 at places (m, axes), (m, m)."""
        v = self.prior.scaled(places)
        joint = self._joint
        mean, cov = joint.threshold(v)
        moved = mean - joint.weights @ mean
        between = np.einsum("h,hi,hj->ij", joint.weights, moved, moved)
        return np.asarray(np.einsum("h,hij->ij", joint.weights, cov) + between)

    @property
    def left_out(self) -> Array:
        """How far (k,) log n50 at every place is from what all others say, in standard errors.

        About normal of unit variance, if the boundary is as smooth as the prior takes it for. 0
        where the counts of a place say nothing of it.
        """
        (mean, cov), (rest_mean, rest) = self._joint.moments, self._joint.rest
        gain = rest[:, 0, 0] - cov[:, 0, 0]
        tells = gain > LEAST_GAIN * rest[:, 0, 0]
        moved = mean[:, 0] - rest_mean[:, 0]
        return np.where(tells, moved / np.sqrt(np.where(tells, gain, 1.0)), 0.0)

    def predictive(self, draws: int = 400, seed: int = 0) -> float:
        """How often counts drawn from the posterior are as far from it as those that were made.

        The posterior predictive p-value of chi^2 (A. Gelman, X.-L. Meng, H. Stern, Statistica
        Sinica 6 (1996) 733-807), which is small where no such boundary, or no curve of this kind,
        makes the counts. NaN without counts.
        """
        rng = np.random.default_rng(seed)
        made, drawn = np.zeros(draws), np.zeros(draws)
        told = [c for c in self.counts if c.tallies]
        for place, tallies in told:
            x, good, trials = np.array([(t.x, t.converged, t.trials) for t in tallies]).T
            chance = self.transition(place).draw(x, draws, rng)
            scale = np.sqrt(np.maximum(trials * chance * (1 - chance), LEAST_GAIN))
            made += np.sum(((good - trials * chance) / scale) ** 2, axis=1)
            again = rng.binomial(trials.astype(int), chance)
            drawn += np.sum(((again - trials * chance) / scale) ** 2, axis=1)
        return float(np.mean(drawn >= made)) if told else np.nan

    def _bounded(self, v: Array) -> tuple[Marginals, Where]:
        """The transitions at places v (m, axes) within the bounds of monotone axes.

        And where (m,) they go without, since bounds, or a bound and the band, leave nothing.
        """
        alone = self._alone(v)
        if all(axis.monotone is None for axis in self.prior.axes):
            return alone, np.zeros(len(v), bool)
        ends = (1 - monotone.LEVEL) / 2, (1 + monotone.LEVEL) / 2

        def band(places: Array) -> Array:
            return np.asarray(np.log(self._alone(places).quantile(ends)))

        lower, upper = monotone.bounds(self.prior.axes, v, band)
        low, high = np.log(alone.quantile(BAND))
        free = (lower > np.minimum(upper, high)) | (upper < low)
        kept = np.where(free, UNBOUNDED, [lower, upper])
        return replace(alone, bounds=kept), free

    def _alone(self, v: Array) -> Marginals:
        """The transitions at places v (m, axes), whatever is known of monotone axes."""
        joint = self._joint
        threshold, width, lapse = joint.marginals(v)
        bounds = np.broadcast_to(UNBOUNDED, (2, len(v)))
        return Marginals(self.prior, self.rising, joint.weights, *threshold, *width, *lapse, bounds)

    def _begun(self, v: Array, start: "BoundaryPosterior | None") -> Sites:
        """Flat sites at places v (k, axes), or those that were there."""
        precision = np.tile(FLAT * np.eye(NUMBERS), (len(v), 1, 1))
        shift = FLAT * self.prior.mean(v)
        known = {c.place: i for i, c in enumerate(start.counts)} if start else {}
        for i, c in enumerate(self.counts):
            if start and c.place in known:
                precision[i] = start._joint.sites.precision[known[c.place]]
                shift[i] = start._joint.sites.shift[known[c.place]]
        return Sites(precision, shift)


def _of_sign(ends: Array, way: Monotone | None) -> Array:
    """Quantiles (q, m) of slopes, those of the wrong sign set to 0, but where all (m,) are."""
    if way is None:
        return ends
    sign = 1 if way == "increasing" else -1
    kept = np.maximum(sign * ends, 0)
    return np.where(kept.max(axis=0) > 0, sign * kept, ends) + 0.0  # and -0 is 0
