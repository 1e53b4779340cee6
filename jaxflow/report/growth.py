"""How thresholds grow along an axis: forms fitted to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from jaxflow.report.plane import Plane, plane_of
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.fitting import Fit, fit
from jaxflow.statistics.forms import PROPORTIONAL
from jaxflow.statistics.posterior import Posterior
from jaxflow.statistics.scaling import SPARE, Comparison, compare, thresholds

FEWEST = 3  # slices that a fit takes
LOCATED = 0.25  # relative half-width of a threshold that is fitted, of those of a plane


@dataclass(frozen=True)
class Boundary:
    """The thresholds of slices of one dynamics that differ along one axis, at one horizon."""

    slices: tuple[SliceReport, ...]
    along: str  # a size or a parameter
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
        """The place along the boundary of every slice."""
        return [slice.base[self.along] for slice in self.slices]

    @property
    def thresholds(self) -> tuple[list[float], list[float], list[float]]:
        """The thresholds of the slices, in units of the scanned axis, and their 95 % intervals."""
        posteriors = [slice.estimated(self.horizon) for slice in self.slices]
        ends = [p.interval() for p in posteriors]
        return [p.median for p in posteriors], [low for low, _ in ends], [high for _, high in ends]

    @cached_property
    def plane(self) -> Plane:
        """The slices as a plane of one axis, whose boundary is estimated from all of them."""
        return plane_of(self.slices)

    @property
    def trials(self) -> int:
        """How many trials the slices have."""
        return sum(len(slice.rows) for slice in self.slices)

    @cached_property
    def located(self) -> list[tuple[float, Posterior]]:
        """The places and thresholds of slices, each by its own trials alone.

        Slices are left out whose threshold is out of their range, and of a plane those whose own
        trials are too few to locate it.
        """
        found = [
            (x, known)
            for x, slice in zip(self.x, self.slices, strict=True)
            if not (known := slice.posterior(self.horizon)).at_edge
        ]
        if self.slices[0].together:
            found = [(x, p) for x, p in found if p.relative_half_width <= LOCATED]
        return found

    def compare(self) -> Comparison:
        """The forms along the boundary, fitted to the thresholds that are located and compared."""
        return compare(thresholds([x for x, _ in self.located], [p for _, p in self.located]))


def boundaries(
    found: Sequence[SliceReport], axes: Sequence[str] = ("d", "p")
) -> Iterator[Boundary]:
    """Every boundary of at least three slices, along each of the axes, at every horizon.

    Slices of a single value, which have no threshold, are passed over.
    """
    scanned = [slice for slice in found if not slice.is_point]
    for along in axes:
        if found[0].along == along:
            continue
        groups: dict[tuple[object, ...], list[SliceReport]] = {}
        for slice in (slice for slice in scanned if along in slice.place):
            groups.setdefault((slice.name, slice.base.moved(along, 0)), []).append(slice)
        for group in groups.values():
            inside = tuple(sorted(group, key=lambda slice: slice.base[along]))
            if len(inside) >= FEWEST:
                for h in range(len(inside[0].horizon.labels)):
                    yield Boundary(inside, along, h)


def fitted(found: Sequence[SliceReport]) -> list[Boundary]:
    """The boundaries along any axis that forms can be fitted to: of three slices located."""
    axes = list({name: None for slice in found for name in slice.place})
    return [along for along in boundaries(found, axes) if len(along.located) >= FEWEST]


def constants(
    found: Sequence[SliceReport],
) -> Iterator[tuple[tuple[str, str], dict[float, Fit]]]:
    """N = C(p) d at every p with three d, of every dynamics, at every horizon: both by name."""
    for name in dict.fromkeys(slice.name for slice in found):
        here = [slice for slice in found if slice.name == name and not slice.is_point]
        if found[0].along != "n" or not here:
            continue
        by_p: dict[float, list[SliceReport]] = {}
        for slice in here:
            by_p.setdefault(slice.base.p, []).append(slice)
        for h, label in enumerate(here[0].horizon.labels):
            located = {p: Boundary(tuple(at), "d", h).located for p, at in sorted(by_p.items())}
            enough = {p: at for p, at in located.items() if len({d for d, _ in at}) > SPARE}
            if enough:
                yield (name, label), {p: _constant(at) for p, at in enough.items()}


def _constant(located: Sequence[tuple[float, Posterior]]) -> Fit:
    return fit(PROPORTIONAL, thresholds([d for d, _ in located], [known for _, known in located]))
