"""How thresholds grow: forms fitted along d and p, and the width of the transition with size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from jaxflow._errors import mistake
from jaxflow.report import look
from jaxflow.report.cells import CellReport, cells
from jaxflow.sweep._resamples import Measured
from jaxflow.sweep.scaling import Comparison, Fit, compare, proportionality

FEWEST = 3  # cells that a fit takes
UNDECIDED = "the data do not decide between the forms"


@dataclass(frozen=True)
class Line:
    """Cells of one dynamics that differ in one size, at one horizon."""

    cells: tuple[CellReport, ...]
    along: str  # d or p
    horizon: int

    @property
    def title(self) -> str:
        """Which line it is."""
        first = self.cells[0]
        fixed = {name: x for name, x in first.place.items() if name != self.along}
        places = [f"{name.rpartition('.')[2]} = {x:g}" for name, x in fixed.items()]
        return ", ".join([first.name, *places, first.horizon.labels[self.horizon]])

    @property
    def x(self) -> list[float]:
        """The coordinates of the cells along the line."""
        return [cell.base[self.along] for cell in self.cells]

    @property
    def thresholds(self) -> tuple[list[float], list[float], list[float]]:
        """The thresholds of the cells, in units of the scanned axis, and their 95 % intervals."""
        posteriors = [cell.posterior(self.horizon) for cell in self.cells]
        ends = [p.interval() for p in posteriors]
        return [p.median for p in posteriors], [low for low, _ in ends], [high for _, high in ends]

    @property
    def trials(self) -> int:
        """How many trials the cells have."""
        return sum(len(cell.rows) for cell in self.cells)

    def measured(self) -> list[Measured]:
        """The cells as the fits take them."""
        return [_measured(cell, cell.base[self.along], self.horizon) for cell in self.cells]

    def compare(self) -> Comparison:
        """The forms along the line, fitted and compared."""
        return compare(self.measured(), self.along)


def lines(found: Sequence[CellReport]) -> Iterator[Line]:
    """Every line of at least three cells, along d and along p, at every horizon.

    Cells of a single value, which have no threshold, are passed over.
    """
    scanned = [cell for cell in found if not cell.is_point]
    for along in ("d", "p"):
        if found[0].along == along:
            continue
        groups: dict[tuple[object, ...], list[CellReport]] = {}
        for cell in scanned:
            groups.setdefault((cell.name, cell.base.moved(along, 0)), []).append(cell)
        for group in groups.values():
            inside = tuple(sorted(group, key=lambda cell: cell.base[along]))
            if len(inside) >= FEWEST:
                for h in range(len(inside[0].horizon.labels)):
                    yield Line(inside, along, h)


def tables(folder: Path) -> list[Table]:
    """A table for every line, of fits and of widths; `ValueError` where no line is long enough."""
    found = cells(folder)
    made = [table for line in lines(found) for table in (forms(line), widths(line))]
    for name in dict.fromkeys(cell.name for cell in found):
        made += _constants([cell for cell in found if cell.name == name])
    if not made:
        remedy = "give the study more values of d or p"
        raise mistake("three cells along d or p", f"{len(found)} cells", remedy)
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
    """The 10-90 % width of the transition at every cell, and its growth as a power of the size."""
    made = look.table(f"Width of the transition along {line.along}: {line.title}", _power(line))
    for column in (line.along, "N", "interval", "width (10-90 %, in log n)", "interval"):
        made.add_column(column, justify="right", no_wrap=True)
    for x, cell in zip(line.x, line.cells, strict=True):
        posterior = cell.posterior(line.horizon)
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
    """The exponent b of width ~ x^b and its standard error, each cell weighted by its posterior."""
    posteriors = [cell.posterior(line.horizon) for cell in line.cells]
    log_width = np.log([p.width for p in posteriors])
    ends = np.log([p.width_interval() for p in posteriors])
    error = (ends[:, 1] - ends[:, 0]) / 3.92
    design = np.stack([np.log(line.x), np.ones(len(line.x))], 1) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    slope = covariance @ design.T @ (log_width / error)
    return float(slope[0]), float(np.sqrt(covariance[0, 0]))


def _power(line: Line) -> str:
    exponent, error = width_exponent(line)
    return f"width ~ {line.along}^({exponent:.2f} ± {1.96 * error:.2f})"


def _constants(found: Sequence[CellReport]) -> list[Table]:
    """N = C(p) d for a dynamics that has a grid of d and p."""
    if found[0].along != "n" or len({cell.base.d for cell in found}) < FEWEST:
        return []
    made = []
    for h, label in enumerate(found[0].horizon.labels):
        cells = [_measured(cell, (cell.base.d, cell.base.p), h) for cell in found]
        fits = proportionality(cells)
        table = look.table(f"N = C(p) d: {found[0].name}, {label}")
        for column in ("p", "C", "interval", "chi2/dof"):
            table.add_column(column, justify="right", no_wrap=True)
        for p, fit in fits.items():
            (c,), (low,), (high,) = fit.coefficients, fit.low, fit.high
            table.add_row(f"{p:g}", f"{c:.3g}", f"{low:.3g}-{high:.3g}", f"{fit.misfit:.1f}")
        made.append(table)
    return made


def _measured(cell: CellReport, x: float | tuple[float, float], horizon: int) -> Measured:
    rising = bool(getattr(cell.plan, "rising", False))
    return Measured(x, cell.tallies(horizon), *cell.extent, rising)
