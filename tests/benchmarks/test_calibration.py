"""Calibration passes a posterior that is exact and sees one that is not; simulated curves."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from benchmarks import calibration
from benchmarks.calibration import SIMULATORS, Simulator, record, study
from benchmarks.simulated import SHAPES, proportion

STUDIES = 2000


def conjugate(rng, narrow=1.0, shift=0.0):
    """A normal mean of known variance, prior normal: its posterior, with a mistake or without."""
    truth = rng.standard_normal()
    seen = truth + 0.7 * rng.standard_normal()
    variance = 1 / (1 + 1 / 0.49)
    mean, sd = variance * seen / 0.49, np.sqrt(variance)
    return {"mean": float(ndtr(narrow * ((truth - mean) / sd - shift)))}


def measured(simulator):
    return record(simulator, [study(simulator, k) for k in range(simulator.studies)])


def test_an_exact_posterior_passes():
    found = measured(Simulator("normal", conjugate, STUDIES))["parameters"]["mean"]
    assert found["uniform"] and found["p_value"] > 0.05
    for level, (share, _, _) in found["coverage"].items():
        nominal = float(level)
        assert abs(share - nominal) < 3 * np.sqrt(nominal * (1 - nominal) / STUDIES)


@pytest.mark.parametrize(("narrow", "shift"), [(1.3, 0.0), (1 / 1.3, 0.0), (1.0, 0.3), (1.0, -0.3)])
def test_a_wrong_posterior_does_not(narrow, shift):
    wrong = Simulator("normal", partial(conjugate, narrow=narrow, shift=shift), STUDIES)
    found = measured(wrong)["parameters"]["mean"]
    assert not found["uniform"] and found["p_value"] < 1e-6
    expected = np.diff(ndtr([shift - 1.96 / narrow, shift + 1.96 / narrow]))[0]
    assert found["coverage"]["0.95"][0] == pytest.approx(expected, abs=0.02)


def test_the_threshold_and_the_width_are_calibrated_on_a_fixed_design():
    found = measured(replace(SIMULATORS[0], studies=300))
    assert found["exact"] and set(found["parameters"]) == {"n50", "width"}
    assert all(told["uniform"] for told in found["parameters"].values())


@pytest.mark.parametrize("simulator", SIMULATORS[1:], ids=lambda s: s.name)
def test_every_simulator_gives_masses(simulator):
    masses = study(simulator, 2)
    assert masses == study(simulator, 2)
    assert all(0 <= mass <= 1 for mass in masses.values())


def test_a_record_is_printed():
    found = record(SIMULATORS[0], [{"n50": 0.2, "width": 0.9}, {"n50": 0.7, "width": 0.1}])
    assert calibration.table([found]).row_count == 2


@pytest.mark.parametrize("rising", [False, True])
def test_curves_cross_one_half_at_the_threshold_and_have_their_width(rising):
    """Closed form of the logistic one; of the others the 10 and 90 % points and SciPy's laws."""
    n50, width, lapse = 1500.0, 0.2, 0.1
    x, slope = np.geomspace(1000, 2200, 9), 2 * np.log(9) / width * (-1 if rising else 1)
    expected = (1 - lapse) / (1 + (1 - 2 * lapse) * (x / n50) ** slope)
    np.testing.assert_allclose(proportion(x, (n50, width, lapse), rising), expected, rtol=1e-9)
    laws = [stats.logistic, stats.norm, stats.gumbel_l, stats.gumbel_r]
    for shape, law in zip(SHAPES, laws, strict=True):
        assert proportion(n50, (n50, width, lapse), rising, shape) == pytest.approx(0.5)
        scale = width / (law.isf(0.1) - law.isf(0.9)) * (-1 if rising else 1)
        z = law.isf(0.5 / (1 - lapse)) + np.log(x / n50) / scale
        np.testing.assert_allclose(
            proportion(x, (n50, width, lapse), rising, shape), (1 - lapse) * law.sf(z), rtol=1e-9
        )
