"""Thresholds as labelled arrays: each where it belongs, with its interval, unit and source."""

import json
from dataclasses import replace

import numpy as np
import pages
import pytest
from stores import one_line

from jaxflow import report
from jaxflow.report import labelled
from jaxflow.show.result import Result

xarray = pytest.importorskip("xarray")


@pytest.fixture(params=[pages.grid, pages.plane, pages.events])
def result(tmp_path, request):
    return Result(request.param(tmp_path / "store"))


def test_every_threshold_lies_at_its_place(result):
    found = result.to_xarray("thresholds")
    told = result.thresholds()
    assert int((found.trials > 0).sum()) == len(told) == int(found.threshold.notnull().sum())
    multiples = dict(
        zip(dict.fromkeys(one["horizon"] for one in told), found.horizon.values, strict=True)
    )
    for one in told:
        place = {name: one[name] for name in ("dynamics", "event", "d", "p") if name in one}
        here = found.sel(**place, horizon=multiples[one["horizon"]])
        assert one["n50"] == pytest.approx(float(here.threshold), rel=1e-3)
        assert one["low"] == pytest.approx(float(here.low), rel=1e-3)
        assert one["high"] == pytest.approx(float(here.high), rel=1e-3)
        wanted = [float(here[name]) for name in ("width", "width_low", "width_high")]
        assert one["width"] == pytest.approx(wanted, abs=1e-4)
        assert one["outcomes"] == {name: int(here[name.lower()]) for name in one["outcomes"]}
        assert (one["trials"], one["at_edge"]) == (int(here.trials), here.at_edge.item())


def test_numbers_have_names_and_units_and_ends_their_probability(tmp_path):
    found = Result(pages.grid(tmp_path)).to_xarray("thresholds")
    assert found.threshold.dims == ("dynamics", "d", "p", "horizon")
    assert found.threshold.shape == (1, 3, 1, 2)
    for name, variable in found.variables.items():
        assert variable.attrs["long_name"]
        assert ("units" in variable.attrs) == (variable.dtype.kind in "if"), name
        level = 0.95 if name in ("low", "high", "width_low", "width_high") else None
        assert variable.attrs.get("interval_probability") == level
    assert found.threshold.units == "samples" and found.horizon.units == "flow time"
    assert found.along == "n" and json.loads(found.protocol)["seed"] == 0
    assert (found.low < found.threshold).all() and (found.threshold < found.high).all()


def test_where_no_slice_was_run_is_nan_and_no_trial(tmp_path):
    slices = report.slices(pages.grid(tmp_path))
    other = [slice for slice in slices if slice.base.d != 40]
    moved = replace(slices[1], dynamics="other")
    found = labelled.thresholds([*other, moved])
    assert np.isnan(found.threshold.sel(dynamics="other", d=20)).all()
    assert int(found.trials.sel(dynamics="other", d=20).sum()) == 0
    assert int(found.trials.sum()) == 2 * 3 * 200  # two horizons


def test_a_file_of_it_is_read_back_the_same(tmp_path):
    pytest.importorskip("h5netcdf")
    found = Result(pages.plane(tmp_path / "store")).to_xarray("thresholds")
    found.to_netcdf(tmp_path / "thresholds.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "thresholds.nc", engine="h5netcdf") as back:
        assert back.identical(found)


def test_what_has_no_threshold_is_one_line(tmp_path):
    result = Result(pages.point(tmp_path))
    with pytest.raises(ValueError, match="single values") as error:
        result.to_xarray("thresholds")
    assert "proportions" in one_line(error)
    with pytest.raises(ValueError, match="did you mean 'thresholds'"):
        result.to_xarray("threshold")
