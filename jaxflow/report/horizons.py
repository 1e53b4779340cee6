"""The boundary at every horizon of a ladder below the longest, all from one set of trials.

A row decided by T says what it was at every shorter time.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jaxflow.report.plane import Plane
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import AgainstTime, against_time
from jaxflow.statistics.boundary import BoundaryPosterior

OCTAVES, PER_OCTAVE = 5, 3  # of the ladder, down from the longest
DIGITS = 6  # to which fractions of the longest are told apart
MOST_COUNTS = 150  # of slices sampled one by one, whose boundary is estimated at every horizon


class Frame(NamedTuple):
    """What is known by a time, in the unit of the horizons.

    The threshold with its interval of every slice, and the boundary of their plane, if they are one
    whose counts are not too many.
    """

    time: float
    thresholds: AgainstTime | None  # (slices,); None of points
    boundary: BoundaryPosterior | None


def ladder(found: Sequence[SliceReport]) -> list[float]:
    """Fractions of the longest horizon, ascending: thirds of octaves, and those asked for."""
    steps = 2.0 ** (-np.arange(OCTAVES * PER_OCTAVE + 1) / PER_OCTAVE)
    asked = [x / s.horizon.multiples[-1] for s in found for x in s.horizon.multiples]
    return sorted({round(x, DIGITS) for x in (*steps.tolist(), *asked)})


def frames(
    slices: Sequence[SliceReport],
    fractions: Sequence[float],
    plane: Plane | None = None,
    boundaries: Sequence[BoundaryPosterior | None] = (),
) -> Iterator[Frame]:
    """A frame for every fraction of the longest horizon of slices that have one dynamics.

    `boundaries` are those of their `plane` at each. Slices of a plane that was sampled as one have
    the thresholds of its boundary, others their own.
    """
    known = boundaries or [None] * len(fractions)
    for fraction, boundary in zip(fractions, known, strict=True):
        time = time_of(slices[0], fraction)
        if slices[0].is_point:
            yield Frame(time, None, None)
        elif slices[0].together is not None and plane is not None and boundary is not None:
            yield Frame(time, _by_boundary(slices, plane, boundary, time), boundary)
        else:
            yield Frame(time, _by_slice(slices, fraction), boundary)


def time_of(slice: SliceReport, fraction: float) -> float:
    """That fraction of the longest horizon, or the horizon asked for that it stands for."""
    multiples = slice.horizon.multiples
    return next(
        (x for x in multiples if round(x / multiples[-1], DIGITS) == fraction),
        fraction * multiples[-1],
    )


def boundaries(plane: Plane, fractions: Sequence[float]) -> Iterator[BoundaryPosterior | None]:
    """The boundary at each, begun with that at the one before; of too many counts at none."""
    last: BoundaryPosterior | None = None
    for fraction in fractions:
        time = time_of(plane.slices[0], fraction)
        tallies = [slice.tallies_within(time) for slice in plane.slices]
        if plane.slices[0].together is None and sum(map(len, tallies)) > MOST_COUNTS:
            yield None
            continue
        multiples = plane.slices[0].horizon.multiples
        if time in multiples:
            last = plane.posterior(multiples.index(time))
        else:
            last = plane.given(tallies, last)
        yield last


def _by_slice(slices: Sequence[SliceReport], fraction: float) -> AgainstTime:
    found = [against_time(slice, [time_of(slice, fraction)]) for slice in slices]
    time, n50, low, high = (np.concatenate([one[k] for one in found]) for k in range(4))
    return AgainstTime(time, n50, low, high, tuple(edge for one in found for edge in one.at_edge))


def _by_boundary(
    slices: Sequence[SliceReport], plane: Plane, boundary: BoundaryPosterior, time: float
) -> AgainstTime:
    known = [boundary.transition(plane.at(slice)) for slice in slices]
    low, high = np.array([one.interval() for one in known]).T
    median = np.array([one.median for one in known])
    edges = tuple(one.at_edge for one in known)
    return AgainstTime(np.full(len(slices), time), median, low, high, edges)
