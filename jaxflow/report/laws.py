"""What `scaling` and `times` find in a store, in numbers: plain values, for JSON.

Intervals are [value, low, high] of 95 %; what is infinite or no number is as it was found.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from math import expm1
from typing import Any

from jaxflow.report.collapse import CollapseReport, collapses, limit_of
from jaxflow.report.growth import Boundary, constants, fitted
from jaxflow.report.plane import Plane, told
from jaxflow.report.slices import SliceReport
from jaxflow.report.times import (
    against_time,
    default_times,
    proportion_in_time,
    slowings,
)
from jaxflow.statistics.fitting import Fit
from jaxflow.statistics.slowing import Slowing

Entries = list[dict[str, Any]]


def scaling(found: Sequence[SliceReport]) -> dict[str, Entries]:
    """Boundaries of planes, laws along axes, constants C(p) of N = C d, and collapses by size."""
    horizons = range(len(found[0].horizon.labels))
    return {
        "boundaries": [_plane(*chosen) for chosen in product(told(found), horizons)],
        "laws": list(map(_laws, fitted(found))),
        "constants": [
            {"name": name, "horizon": horizon, "p": p, **_fit(law)}
            for (name, horizon), by_p in constants(found)
            for p, law in by_p.items()
        ],
        "collapses": list(map(_collapse, collapses(found))),
    }


def times(found: Sequence[SliceReport]) -> dict[str, Entries]:
    """Thresholds, or at points P(converged), by the time allowed; and how convergence slows."""
    return {
        "by_time": [entry for slice in found for entry in _by_time(slice)],
        "slowing": [{**slice.where, **_slowing(law)} for slice, law in slowings(found)],
    }


def _plane(plane: Plane, horizon: int) -> dict[str, Any]:
    posterior, names = plane.posterior(horizon), [axis.name for axis in plane.axes]
    places = plane.landmarks
    bands = _triples(posterior.band(places))
    exponents = [_triples(posterior.exponent(places, k)) for k in range(len(names))]
    return {
        "name": plane.name,
        "horizon": plane.slices[0].horizon.labels[horizon],
        "along": plane.slices[0].along,
        "fixed": plane.fixed,
        "places": [
            {**dict(zip(names, at, strict=True)), "threshold": band,
             "exponents": dict(zip(names, slopes, strict=True))}
            for at, band, *slopes in zip(places, bands, *exponents, strict=True)
        ],
        "predictive_p": posterior.predictive(),
    }  # fmt: skip


def _laws(boundary: Boundary) -> dict[str, Any]:
    compared = boundary.compare()
    ends = sorted(x for x in {min(boundary.x), max(boundary.x)} if x > 0)
    numbers = zip(compared.fits, compared.behind, compared.behind_error, strict=True)
    return {
        "title": boundary.title,
        "along": boundary.along,
        "verdict": compared.verdict,
        "decided": compared.decided or None,
        "standing": compared.standing,
        "forms": [
            {
                **_fit(fit),
                "exponents": dict(zip(map(str, ends), _triples(fit.exponent(ends)), strict=True)),
                "behind": behind,
                "behind_error": error,
            }
            for fit, behind, error in numbers
        ],
    }


def _fit(fit: Fit) -> dict[str, Any]:
    intervals = _triples((fit.coefficients, fit.low, fit.high))
    return {
        "form": fit.form.name,
        "coefficients": dict(zip(fit.form.coefficients, intervals, strict=True)),
        "holds_to": expm1(fit.holds_to),
        "chi2_per_freedom": float(fit.misfit),
    }


def _collapse(report: CollapseReport) -> dict[str, Any]:
    every, inside, found = report.every, report.inside, report.collapse
    limits = ((slice.base[every.along], limit_of(slice)) for slice in inside.slices)
    entry: dict[str, Any] = {
        "title": every.title,
        "along": every.along,
        "left_out": len(every.slices) - len(inside.slices),
        "limits": [
            {"size": size, "limit": [limit.threshold, limit.low, limit.high]}
            for size, limit in limits
            if limit is not None
        ],
    }
    if found is None:
        return entry
    widths = _triples((found.own_width, *found.own_interval))
    columns = zip(found.size, found.threshold, widths, found.lapse, strict=True)
    return {
        **entry,
        "collapses": found.collapses,
        "p": found.p,
        "counts_p": found.counts_p,
        "exponent": [found.exponent, *found.interval],
        "scatter": found.scatter,
        "scattered_interval": list(found.scattered_interval),
        "curve": found.shape.name,
        "sizes": [
            {"size": float(size), "threshold": float(n50), "width": width, "lapse": float(lapse)}
            for size, n50, width, lapse in columns
        ],
    }


def _by_time(slice: SliceReport) -> Iterable[dict[str, Any]]:
    shared = {**slice.where, "unit": slice.unit_of_horizons}
    if slice.is_point:
        for time in default_times(slice):
            if share := proportion_in_time(slice, time):
                yield {**shared, "time": time, "proportion": list(share)}
        return
    by_time = against_time(slice)
    for time, n50, edge in zip(by_time.time, _triples(by_time[1:4]), by_time.at_edge, strict=True):
        yield {**shared, "time": float(time), "threshold": n50, "at_edge": edge}


def _slowing(law: Slowing) -> dict[str, Any]:
    return {
        "trials": law.trials,
        "boundary": [law.boundary, *law.boundary_interval],
        "exponent": [law.exponent, *law.exponent_interval],
        "amplitude": law.amplitude,
        "scatter": law.scatter,
    }


def _triples(columns: Iterable[Iterable[float]]) -> list[list[float]]:
    """[value, low, high] of every place."""
    return [list(map(float, row)) for row in zip(*columns, strict=True)]
