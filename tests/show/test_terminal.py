"""Tables say what the numbers say, in 80 columns, and nothing that has no meaning."""

import re
from dataclasses import replace

import numpy as np
import pytest
from simulated import base_point, proportion, row, told

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.report.status import Status
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.rules import StepsOfDescent
from jaxflow.show import fits, terminal

PLACES = (100, 150, 200, 250)
OUTCOMES = (Outcome.CONVERGED, Outcome.STALLED, Outcome.UNDECIDED, Outcome.FAILED)


def made(name="flow", places=PLACES, tells=True, p=37, times=(50.0, 200.0), every=True):
    """A slice whose trials converge below n = 180, and end in every way if `every`."""
    base, rows = base_point("n", p=p), []
    for n in places:
        for seed in range(8):
            trial = Trial(name, base.moved("n", n), seed, times[-1])
            ended = OUTCOMES[seed % 4] if every and n > 180 else None
            rows.append(row(trial, n < 180 and seed < 7, outcome=ended))
    plan = GridPlan(places, 8)
    horizon = Horizon(time=times)
    return told(name, base, plan, horizon, rows, name, tells)


def reports(*slices):
    return [slice.as_dict(h) for slice in slices for h in range(len(slice.horizon.labels))]


def test_numbers_are_those_of_the_report():
    slice = made(every=False)
    (first, _) = reports(slice)
    text = str(terminal.thresholds([slice]))
    assert "d = 100, p = 37" in text
    assert f"{first['n50']:.0f}" in text and f"{first['low']:.0f}" in text
    assert re.search(r"time\s+N\s+interval\s+initialized\s+converged\s+undecided", text)


def test_a_threshold_above_every_place_is_told_as_such():
    slice = made(places=(100, 150), every=False)
    (entry, _) = reports(slice)
    assert (entry["at_edge"], entry["range"]) == ("above", [100, 150])
    text = str(terminal.thresholds([slice]))
    assert "> 150" in text and f"[{entry['low']:.0f}, " not in text


def test_well_initialized_is_told_only_where_it_has_a_meaning():
    assert "initialized" in str(terminal.thresholds([made(tells=True)]))
    without = reports(made(tells=False))
    assert not any("conditional" in entry for entry in without)
    assert "initialized" not in str(terminal.thresholds([made(tells=False)]))
    points = [made(places=(150,), tells=False)]
    assert "initialized" not in str(terminal.thresholds(points))


@pytest.mark.parametrize("name", ["flow", "a_rather_long_name_of_a_dynamics", "x" * 200])
def test_tables_fit_a_terminal(name):
    found = [made(name, p=p) for p in (37, 74, 1000)]
    counted = terminal.thresholds([*found])
    said = Status("folder", 3, False, tuple(found))
    for table in (counted, terminal.status(said), *fits.scaling(found), *fits.times(found)):
        lines = str(table).splitlines()
        assert all(len(line) <= 80 for line in lines)
        assert "…" not in str(table)
    for entry in reports(*found):
        assert f"[{entry['low']:.0f}, {entry['high']:.0f}]" in str(counted)


def test_outcomes_that_have_no_room_are_said_in_words():
    wide = [made("a_name_that_takes_room", p=p) for p in (37, 74)]
    text = str(terminal.thresholds([*wide]))
    counts = reports(*wide)[-1]["outcomes"]
    assert f"{counts['CONVERGED']} converged" in text
    assert f"{counts['FAILED']} failed" in " ".join(text.split())
    narrow = str(terminal.thresholds([made()]))
    assert "failed" in narrow and "converged," not in narrow


def test_a_slice_whose_trials_all_failed_is_told_as_such():
    slice = made()
    rows = tuple(replace(one, outcome=Outcome.FAILED, reason="not_finite") for one in slice.rows)
    text = " ".join(str(terminal.thresholds([replace(slice, rows=rows)])).split())
    assert "every trial of flow d=100 p=37 failed: a number was not finite" in text


def test_status_says_where_a_study_stands():
    found = Status("[red]x[/red]", 3, True, (made(every=False), made(places=(150,), p=38)))
    assert str(found).startswith(
        "[red]x[/red]: 3 more trials asked for so far; a run is at work; 40 trials: "
    )
    assert "finished" in str(Status("x", 0, False, ()))
    text = str(terminal.status(found))
    assert re.search(r"flow d=100 p=37 +32 +1\d\d", text)
    assert re.search(r"flow d=100 p=38 +8 +P = 0\.875 ", text)  # a point has no threshold


def test_a_point_has_proportions_in_time():
    text = str(fits.times([made(places=(150,))])[0])
    assert text.startswith("P(converged) against the flow time allowed")
    assert "0.875" in text


def test_a_rule_of_the_horizon_is_said():
    slice = replace(made(every=False), horizon=Horizon())
    for table in (terminal.thresholds([slice]), fits.times([slice])[0]):
        assert (
            str(table).splitlines()[-1] == slice.horizon.formula == f"T0 = {StepsOfDescent.formula}"
        )


def slice_with(width=0.2, outcome=None, versions=("jaxflow 0.1.0",)):
    """Of 40 trials at each of 9 n about 100; every third ends with the outcome, if one is given."""
    rng = np.random.default_rng(5)
    base, places = Point(3, 0, 4), (20, 40, 60, 80, 100, 125, 170, 250, 500)
    rows = []
    for n in places:
        for seed in range(40):
            trial = Trial("flow", base.moved("n", n), seed, 50.0)
            happened = bool(rng.random() < proportion(n, (100, width, 0.0)))
            ended = row(trial, happened, outcome=outcome if seed % 3 == 0 else None)
            rows.append(replace(ended, versions=versions[seed % len(versions)]))
    return told("flow", base, GridPlan(places, 40), Horizon(time=(50.0,)), rows)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (slice_with(), ""),
        (slice_with(width=6.0), "is so wide that its interval is too narrow"),
        (slice_with(outcome=Outcome.FAILED), "126 of 360 trials failed, which counts as no event"),
        (slice_with(versions=("x mine@1a", "x mine@2b")), "run by several codes of mine"),
    ],
)
def test_what_is_to_be_known_of_thresholds_is_remarked(found, said):
    remark = terminal.remark([found])
    assert said in remark if said else remark == ""
    assert terminal.meaningless([found]) == ""
