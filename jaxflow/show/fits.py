"""The tables of laws: how thresholds grow with size and time, and how convergence slows."""

from collections.abc import Sequence
from dataclasses import replace

from jaxflow.core.errors import mistake
from jaxflow.report.growth import Boundary, boundaries, constants, width_exponent
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import against_time, longest_time, proportion_in_time, slowing_of
from jaxflow.show.text import OPEN, WIDTH, Entry, Table, allowed, between, beyond, number, sought
from jaxflow.statistics.scaling import Fit
from jaxflow.statistics.slowing import Slowing

FRACTIONS = 0.25, 0.5, 1.0  # of the longest horizon
UNDECIDED = "the data do not decide between the forms"


def scaling(found: Sequence[SliceReport]) -> list[Table]:
    """For every boundary its forms and its widths, for a grid of d and p the constants C(p) of d.

    Raises `ValueError` where no boundary has three slices.
    """
    made = [table for along in boundaries(found) for table in (forms(along), widths(along))]
    for (name, horizon), fits in constants(found):
        rows = (
            (f"{p:g}", f"{fit.coefficients[0]:.3g}", between(fit.low[0], fit.high[0]),
             f"{fit.misfit:.1f}")
            for p, fit in fits.items()
        )  # fmt: skip
        headings = ("p", "C", "interval", "chi2/dof")
        made.append(Table(f"N = C(p) d: {name}, {horizon}", headings, tuple(rows), words=()))
    if not made:
        remedy = "give the study more values of d or p"
        raise mistake("three slices along d or p", f"{len(found)} slices", remedy)
    return made


def forms(boundary: Boundary) -> Table:
    """The forms along a boundary, best first, and whether the data decide for one."""
    compared = boundary.compare()
    numbers = (compared.fits, compared.weights, compared.best_in, compared.left_out)
    rows = (
        (
            fit.form.formula.format(x=boundary.along),
            coefficients(fit),
            number(fit.misfit),
            f"{weight:.2f}",
            f"{100 * best:.0f} %",
            f"{100 * left:.1f} %",
        )
        for fit, weight, best, left in zip(*numbers, strict=True)
    )
    return Table(
        f"Thresholds along {boundary.along}: {boundary.title}",
        ("form", "coefficients", "chi2/dof", "weight", "best in", "left out"),
        tuple(rows),
        f"the data decide for: {compared.decided}" if compared.decided else UNDECIDED,
        words=(0, 1),
    )


def coefficients(fit: Fit) -> tuple[str, ...]:
    """Names, values and intervals, a line each."""
    parts = zip(fit.form.coefficients, fit.coefficients, fit.low, fit.high, strict=True)
    return tuple(f"{name} {x:.4g} [{low:.4g}, {high:.4g}]" for name, x, low, high in parts)


def widths(boundary: Boundary) -> Table:
    """The 10-90 % width of the transition at every slice, and its growth as a power of the size."""
    exponent, error = width_exponent(boundary)
    return Table(
        f"Width of the transition along {boundary.along}: {boundary.title}",
        (boundary.along, "N", "interval", "width (10-90 %, in log n)", "interval"),
        tuple(
            _width(x, s, boundary.horizon) for x, s in zip(boundary.x, boundary.slices, strict=True)
        ),
        f"width ~ {boundary.along}^({exponent:.2f} ± {1.96 * error:.2f})",
        words=(),
    )


def _width(x: float, slice: SliceReport, horizon: int) -> tuple[str, ...]:
    posterior = slice.posterior(horizon)
    low, high = posterior.interval()
    narrow, wide = posterior.width_interval()
    return (
        f"{x:g}",
        number(posterior.median),
        between(low, high),
        f"{posterior.width:.3f}",
        between(narrow, wide),
    )


def times(found: Sequence[SliceReport]) -> list[Table]:
    """Thresholds against the flow time allowed; and along n, how convergence slows down.

    Of a slice of a single value it is P(converged) that is told.
    """
    falling = [slice for slice in found if not (slice.is_point or slice.rises)]
    laws = [(slice, law) for slice in falling if (law := slowing_of(slice)) is not None]
    units = dict.fromkeys(slice.unit_of_horizons for slice in found)
    alike = [[slice for slice in found if slice.unit_of_horizons == unit] for unit in units]
    return [*map(_by_time, alike), *([_slowing(laws)] if laws else [])]


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
