"""Boundaries along every axis, and the laws of their thresholds, of trials with a known truth."""

import numpy as np
import pages
import pytest
from simulated import proportion, row, told

from jaxflow.core.types import Point, Trial
from jaxflow.report import growth, laws
from jaxflow.report.growth import boundaries, constants
from jaxflow.report.slices import slices
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.show import fits

SHRINK = "problem.initialization.shrink"


def slice_at(d, p, n50, shrink=1.0):
    """A slice of 9 n with 20 trials each, of a transition of the same width everywhere."""
    rng = np.random.default_rng([d, p, int(100 * shrink)])
    places = tuple(int(n) for n in np.unique(np.round(n50 * np.exp(np.linspace(-0.3, 0.3, 9)))))
    base = Point(d, 0, p, ((SHRINK, shrink),))
    rows = [
        row(trial, bool(rng.random() < proportion(n, (n50, 0.2, 0.0))))
        for n in places
        for seed in range(20)
        for trial in [Trial("flow", base.moved("n", n), seed, 50.0)]
    ]
    return told("flow", base, GridPlan(places, 20), Horizon(time=(50.0,)), rows)


@pytest.fixture(scope="module")
def found():
    return [slice_at(d, p, 3 * p**0.5 * d) for p in (25, 100) for d in (10, 20, 40, 80)]


def test_constants_are_those_of_every_p_with_three_d(found):
    ((name, fits),) = constants([*found, slice_at(10, 400, 600), slice_at(20, 400, 1200)])
    assert name == ("flow", "T = 50")
    assert list(fits) == [25, 100]
    for p, law in fits.items():
        assert law.low[0] < 3 * p**0.5 < law.high[0]
        assert law.holds_to < 0.2


def test_a_boundary_compares_the_posteriors_of_its_slices(found):
    boundary = next(boundaries(found))
    compared = boundary.compare()
    n50, _, _ = boundary.thresholds
    np.testing.assert_allclose(np.exp(compared.thresholds.log_threshold), n50)
    power = compared.of("power")
    assert power.low[1] < 1 < power.high[1]
    assert compared.verdict == "4 sizes are too few to decide; not fitted: offset"


def test_slices_out_of_their_range_are_left_out(found):
    """Of the laws, not of the boundary; and two that are left are too few for any."""
    far = told_out_of_range(160, 25)
    boundary = next(boundaries([*found, far]))
    assert far in boundary.slices
    assert [x for x, _ in boundary.located] == [10, 20, 40, 80]
    assert len(boundary.compare().thresholds.x) == 4
    ((_, constant),) = constants([*found[:4], far])
    assert constant[25].low[0] < 15 < constant[25].high[0]
    assert growth.fitted([*found[:2], far]) == []
    assert list(constants([*found[:2], far])) == []


def told_out_of_range(d, p):
    """A slice where every trial converges."""
    base = Point(d, 0, p, ((SHRINK, 1.0),))
    places = (20, 30, 40)
    trials = [Trial("flow", base.moved("n", n), seed, 50.0) for n in places for seed in range(20)]
    rows = [row(trial, True) for trial in trials]
    return told("flow", base, GridPlan(places, 20), Horizon(time=(50.0,)), rows)


def test_tables_say_what_the_comparison_does(found):
    boundary = next(boundaries(found))
    fit = boundary.compare().fits[0]
    text = str(fits.forms(boundary))
    assert f"C {fit.coefficients[0]:.3g} [{fit.low[0]:.3g}, {fit.high[0]:.3g}]" in text
    assert text.splitlines()[4].split()[:4] == ["N", "=", "C", "d"]
    assert "4 sizes are too few to decide; not fitted: offset" in " ".join(text.split())
    value, low, high = boundary.compare().of("linear").exponent(10.0)
    assert f"{value:.2f} [{low:.2f}, {high:.2f}]" in text


def test_a_parameter_is_an_axis_too():
    places = (0.0, 0.25, 0.5, 0.75, 1.0)
    here = [slice_at(30, 30, 300 * np.exp(-shrink), shrink) for shrink in places]
    assert list(boundaries(here)) == []
    (boundary,) = boundaries(here, [SHRINK])
    assert boundary.x == list(places)
    law = boundary.compare().of("exponential")
    assert law.low[1] < -1 < law.high[1]
    tables = fits.scaling(here)
    assert "N = a exp(b shrink)" in str(tables[0])
    assert "N = C shrink" not in str(tables[0])
    assert all(len(line) <= 80 for table in tables for line in str(table).splitlines())


def test_two_slices_make_no_boundary(found):
    assert fits.scaling(found[:2]) == []


def test_laws_are_told_of_three_slices_that_are_located(tmp_path, monkeypatch):
    """In tables as in numbers; where the slices of a plane have too few trials, of none."""
    of_plane = slices(pages.plane(tmp_path / "plane"))
    monkeypatch.setattr(growth, "LOCATED", 0.0)
    assert fits.scaling(of_plane) == []
    assert laws.scaling(of_plane)["laws"] == []
    assert laws.scaling(of_plane)["boundaries"]
