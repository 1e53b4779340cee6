"""How thresholds grow: forms fitted along d and p, and the width of the transition with size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from jaxflow.core.errors import mistake
from jaxflow.report import look
from jaxflow.report.slices import SliceReport, slices
from jaxflow.statistics.powers import slope, slope_error
from jaxflow.statistics.resamples import Measured
from jaxflow.statistics.scaling import Comparison, Fit, compare, proportionality

FEWEST = 3  # slices that a fit takes
UNDECIDED = "the data do not decide between the forms"


@dataclass(frozen=True)
class Line:
    """Slices of one dynamics that differ in one size, at one horizon."""

    slices: tuple[SliceReport, ...]
    along: str  # d or p
    horizon: int

    @property
    def title(self) -> str:
        """Which line it is."""
        first = self.slices[0]
        fixed = {name: x for name, x in first.place.items() if name != self.along}
        places = [f"{name.rpartition('.')[2]} = {x:g}" for name, x in fixed.items()]
        return ", ".join([first.name, *places, first.horizon.labels[self.horizon]])

    @property
    def x(self) -> list[float]:
        """The coordinates of the slices along the line."""
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
        """The forms along the line, fitted and compared."""
        return compare(self.measured(), self.along)


def lines(found: Sequence[SliceReport]) -> Iterator[Line]:
    """Every line of at least three slices, along d and along p, at every horizon.

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
                    yield Line(inside, along, h)


def tables(folder: Path) -> list[Table]:
    """A table for every line, of fits and of widths; `ValueError` where no line is long enough."""
    found = slices(folder)
    made = [table for line in lines(found) for table in (forms(line), widths(line))]
    for name in dict.fromkeys(slice.name for slice in found):
        made += _constants([slice for slice in found if slice.name == name])
    if not made:
        remedy = "give the study more values of d or p"
        raise mistake("three slices along d or p", f"{len(found)} slices", remedy)
    return made


def forms(line: Line) -> Table:
    """The forms along a line, best first, and whether the data decide for one."""
    compared = line.compare()
    verdict = f"the data decide for: {compared.decided}" if compared.decided else UNDECIDED
    made = look.table(f"Thresholds along {line.along}: {line.title}", verdict)
    made.add_column("form", no_wrap=True)
    made.add_column("coefficients", no_wrap=True)
    for column in ("chi2/dof", "weight", "best in", "left out"):
        made.add_column(column, justify="right", no_wrap=True)
    numbers = (compared.fits, compared.weights, compared.best_in, compared.left_out)
    for fit, weight, best, left in zip(*numbers, strict=True):
        made.add_row(
            fit.form.formula.format(x=line.along),
            coefficients(fit),
            look.number(fit.misfit),
            f"{weight:.2f}",
            f"{100 * best:.0f} %",
            f"{100 * left:.1f} %",
        )
    return made


def coefficients(fit: Fit) -> str:
    """Names, values and intervals, a line each."""
    parts = zip(fit.form.coefficients, fit.coefficients, fit.low, fit.high, strict=True)
    return "\n".join(f"{name} {x:.4g} [{low:.4g}, {high:.4g}]" for name, x, low, high in parts)


def widths(line: Line) -> Table:
    """The 10-90 % width of the transition at every slice, and its growth as a power of the size."""
    made = look.table(f"Width of the transition along {line.along}: {line.title}", _power(line))
    for column in (line.along, "N", "interval", "width (10-90 %, in log n)", "interval"):
        made.add_column(column, justify="right", no_wrap=True)
    for x, slice in zip(line.x, line.slices, strict=True):
        posterior = slice.posterior(line.horizon)
        low, high = posterior.interval()
        narrow, wide = posterior.width_interval()
        made.add_row(
            f"{x:g}",
            f"{posterior.median:.0f}",
            f"{low:.0f}-{high:.0f}",
            f"{posterior.width:.3f}",
            f"{narrow:.3f}-{wide:.3f}",
        )
    return made


def width_exponent(line: Line) -> tuple[float, float]:
    """The exponent b of width ~ x^b and its standard error, by those of the slices' widths."""
    posteriors = [slice.posterior(line.horizon) for slice in line.slices]
    log_width = np.log([p.width for p in posteriors])
    ends = np.log([p.width_interval() for p in posteriors])
    error = (ends[:, 1] - ends[:, 0]) / 3.92
    return float(slope(np.log(line.x), log_width, error)), slope_error(np.log(line.x), error)


def _power(line: Line) -> str:
    exponent, error = width_exponent(line)
    return f"width ~ {line.along}^({exponent:.2f} ± {1.96 * error:.2f})"


def _constants(found: Sequence[SliceReport]) -> list[Table]:
    """N = C(p) d for a dynamics that has a grid of d and p."""
    if found[0].along != "n" or len({slice.base.d for slice in found}) < FEWEST:
        return []
    made = []
    for h, label in enumerate(found[0].horizon.labels):
        slices = [_measured(slice, (slice.base.d, slice.base.p), h) for slice in found]
        fits = proportionality(slices)
        table = look.table(f"N = C(p) d: {found[0].name}, {label}")
        for column in ("p", "C", "interval", "chi2/dof"):
            table.add_column(column, justify="right", no_wrap=True)
        for p, fit in fits.items():
            (c,), (low,), (high,) = fit.coefficients, fit.low, fit.high
            table.add_row(f"{p:g}", f"{c:.3g}", f"{low:.3g}-{high:.3g}", f"{fit.misfit:.1f}")
        made.append(table)
    return made


def _measured(slice: SliceReport, x: float | tuple[float, float], horizon: int) -> Measured:
    rising = bool(getattr(slice.plan, "rising", False))
    return Measured(x, slice.tallies(horizon), *slice.extent, rising)
