"""The tables of laws: how thresholds grow with size and time, and how convergence slows."""

from collections.abc import Sequence
from dataclasses import replace
from math import expm1

from jaxflow.report.growth import Boundary, constants, fitted
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import against_time, longest_time, proportion_in_time, slowings
from jaxflow.show.text import (
    OPEN,
    WIDTH,
    Entry,
    Table,
    allowed,
    between,
    beyond,
    number,
    sought,
    symbol,
)
from jaxflow.statistics.fitting import Fit
from jaxflow.statistics.slowing import Slowing

FRACTIONS = 0.25, 0.5, 1.0  # of the longest horizon
JUDGED = (
    "scatter: of N about the form, 95 % upper bound; log density: of slices left out, less the best"
)


def scaling(found: Sequence[SliceReport]) -> list[Table]:
    """The forms of boundaries of three slices; for a grid of d and p the constants C(p) of d."""
    made = [forms(along) for along in fitted(found)]
    for (name, horizon), fits in constants(found):
        rows = (
            (f"{p:g}", f"{fit.coefficients[0]:.3g}", between(fit.low[0], fit.high[0]),
             held(fit), f"{fit.misfit:.1f}")
            for p, fit in fits.items()
        )  # fmt: skip
        headings = ("p", "C", "interval", "scatter", "chi2/dof")
        made.append(Table(f"N = C(p) d: {name}, {horizon}", headings, tuple(rows), words=()))
    return made


def forms(boundary: Boundary) -> Table:
    """The forms along a boundary, best first, and whether the data decide for one."""
    compared, x = boundary.compare(), symbol(boundary.along)
    numbers = (compared.fits, compared.behind, compared.behind_error)
    rows = (
        (
            fit.form.formula.format(x=x),
            coefficients(fit),
            exponents(fit, boundary.x),
            held(fit),
            f"-{behind:.1f} ± {error:.1f}" if behind else "0",
        )
        for fit, behind, error in zip(*numbers, strict=True)
    )
    return Table(
        f"Thresholds along {x}: {boundary.title}",
        ("form", "coefficients", "exponent at ends", "scatter", "log density"),
        tuple(rows),
        f"{compared.verdict}; {JUDGED}",
        words=(0, 1),
    )


def coefficients(fit: Fit) -> tuple[str, ...]:
    """Names, values and intervals, a line each."""
    parts = zip(fit.form.coefficients, fit.coefficients, fit.low, fit.high, strict=True)
    return tuple(f"{name} {x:.3g} [{low:.3g}, {high:.3g}]" for name, x, low, high in parts)


def exponents(fit: Fit, x: Sequence[float]) -> Entry:
    """d log N / d log x at the smallest and the largest x, where they are positive."""
    ends = sorted({min(x), max(x)})
    if ends[0] <= 0:
        return ""
    found = zip(*fit.exponent(ends), strict=True)
    return tuple(f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in found)


def held(fit: Fit) -> str:
    """The relative scatter of N about the form, which is below this with 95 %."""
    share = 100 * expm1(fit.holds_to)
    return f"{share:.0f} %" if share >= 10 else f"{share:.1f} %"


def times(found: Sequence[SliceReport]) -> list[Table]:
    """Thresholds against the flow time allowed; and along n, how convergence slows down.

    Of a slice of a single value it is P(converged) that is told.
    """
    units = dict.fromkeys(slice.unit_of_horizons for slice in found)
    alike = [[slice for slice in found if slice.unit_of_horizons == unit] for unit in units]
    return [*map(_by_time, alike), *slowing(found)]


def slowing(found: Sequence[SliceReport]) -> list[Table]:
    """How convergence slows down towards the threshold along n, where trials tell of it."""
    laws = slowings(found)
    return [_slowing(laws)] if laws else []


def _by_time(found: Sequence[SliceReport]) -> Table:
    longest = min(longest_time(slice) for slice in found)
    times = [fraction * longest for fraction in FRACTIONS]
    points = all(slice.is_point for slice in found)
    what = "P(converged)" if points else sought(found[0].along)
    title = f"{what} against the {allowed(found[0].unit_of_horizons)}"
    headings = ("slice", *(f"{time:.3g}" for time in times))
    told = [(slice.title, [_told(slice, time) for time in times]) for slice in found]
    caption = found[0].horizon.formula
    rows = tuple((name, *map(" ".join, row)) for name, row in told)
    beside = Table(title, headings, rows, caption)
    if beside.width <= WIDTH:
        return beside
    return replace(beside, rows=tuple((name, *row) for name, row in told))


def _told(slice: SliceReport, time: float) -> tuple[str, ...]:
    """The threshold and its interval by a time, or on which side of the range it is."""
    if slice.is_point:
        share = proportion_in_time(slice, time)
        return (number(share[0]), between(*share[1:])) if share else ("",)
    found = against_time(slice, [time])
    (n50,), (low,), (high,), (edge,) = found[1:]
    if edge:
        return (beyond(edge, slice.extent),)
    return number(n50), between(low, high)


def _slowing(laws: Sequence[tuple[SliceReport, Slowing]]) -> Table:
    rows: list[tuple[Entry, ...]] = [
        (
            slice.title,
            str(law.trials),
            number(float(law.predict(slice.posterior().median / 2))),
            number(law.boundary) if law.diverges else "",
            between(*law.boundary_interval),
            f"{law.exponent:.2g}" if law.diverges else "",
            between(*law.exponent_interval),
        )
        for slice, law in laws
    ]
    return Table(
        "Convergence time T = A (1 - n/N)^-z of trials below the threshold",
        ("slice", "trials", "T at N/2", "boundary N", "interval", "z", "interval"),
        tuple(rows),
        f"{OPEN}: as well exp(n), which has no boundary",
    )
