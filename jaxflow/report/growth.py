"""How thresholds grow: forms fitted along d and p, and the width of the transition with size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jaxflow.report.slices import SliceReport
from jaxflow.statistics.powers import slope, slope_error
from jaxflow.statistics.resamples import Measured
from jaxflow.statistics.scaling import Comparison, Fit, compare, proportionality

FEWEST = 3  # slices that a fit takes


@dataclass(frozen=True)
class Boundary:
    """The thresholds of slices of one dynamics that differ in one size, at one horizon."""

    slices: tuple[SliceReport, ...]
    along: str  # d or p
    horizon: int

    @property
    def title(self) -> str:
        """Which boundary it is."""
        first = self.slices[0]
        fixed = {name: x for name, x in first.place.items() if name != self.along}
        places = [f"{name.rpartition('.')[2]} = {x:g}" for name, x in fixed.items()]
        return ", ".join([first.name, *places, first.horizon.labels[self.horizon]])

    @property
    def x(self) -> list[float]:
        """The size along the boundary, at every slice."""
        return [slice.base[self.along] for slice in self.slices]

    @property
    def thresholds(self) -> tuple[list[float], list[float], list[float]]:
        """The thresholds of the slices, in units of the scanned axis, and their 95 % intervals."""
        posteriors = [slice.posterior(self.horizon) for slice in self.slices]
        ends = [p.interval() for p in posteriors]
        return [p.median for p in posteriors], [low for low, _ in ends], [high for _, high in ends]

    @property
    def trials(self) -> int:
        """How many trials the slices have."""
        return sum(len(slice.rows) for slice in self.slices)

    def measured(self) -> list[Measured]:
        """The slices as the fits take them."""
        return [_measured(slice, slice.base[self.along], self.horizon) for slice in self.slices]

    def compare(self) -> Comparison:
        """The forms along the boundary, fitted and compared."""
        return compare(self.measured(), self.along)


def boundaries(found: Sequence[SliceReport]) -> Iterator[Boundary]:
    """Every boundary of at least three slices, along d and along p, at every horizon.

    Slices of a single value, which have no threshold, are passed over.
    """
    scanned = [slice for slice in found if not slice.is_point]
    for along in ("d", "p"):
        if found[0].along == along:
            continue
        groups: dict[tuple[object, ...], list[SliceReport]] = {}
        for slice in scanned:
            groups.setdefault((slice.name, slice.base.moved(along, 0)), []).append(slice)
        for group in groups.values():
            inside = tuple(sorted(group, key=lambda slice: slice.base[along]))
            if len(inside) >= FEWEST:
                for h in range(len(inside[0].horizon.labels)):
                    yield Boundary(inside, along, h)


def width_exponent(boundary: Boundary) -> tuple[float, float]:
    """The exponent b of width ~ x^b and its standard error, slices weighted by posteriors."""
    posteriors = [slice.posterior(boundary.horizon) for slice in boundary.slices]
    log_width = np.log([p.width for p in posteriors])
    ends = np.log([p.width_interval() for p in posteriors])
    error = (ends[:, 1] - ends[:, 0]) / 3.92
    x = np.log(boundary.x)
    return float(slope(x, log_width, error)), slope_error(x, error)


def constants(
    found: Sequence[SliceReport],
) -> Iterator[tuple[tuple[str, str], dict[float, Fit]]]:
    """N = C(p) d by p, of every dynamics that has three d, at every horizon: both by name."""
    for name in dict.fromkeys(slice.name for slice in found):
        here = [slice for slice in found if slice.name == name and not slice.is_point]
        if found[0].along != "n" or len({slice.base.d for slice in here}) < FEWEST:
            continue
        for h, label in enumerate(here[0].horizon.labels):
            measured = [_measured(slice, (slice.base.d, slice.base.p), h) for slice in here]
            yield (name, label), proportionality(measured)


def _measured(slice: SliceReport, x: float | tuple[float, float], horizon: int) -> Measured:
    return Measured(x, slice.tallies(horizon), *slice.extent, slice.rises)
