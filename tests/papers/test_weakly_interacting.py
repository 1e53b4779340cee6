"""The published numbers agree with each other, by the estimator and the forms they are read by."""

import numpy as np
import pytest

from jaxflow.papers.bounds import width_rule
from jaxflow.papers.weakly_interacting import (
    EXPERIMENT_1_0,
    EXPERIMENT_1_2,
    READINGS,
    THRESHOLDS,
    thresholds_along,
)
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.fixed_slope import published_estimator
from jaxflow.statistics.forms import form


@pytest.mark.parametrize(("known", "scale"), [(EXPERIMENT_1_0, 1.0), (EXPERIMENT_1_2, None)])
def test_proportions_have_the_published_threshold(known, scale):
    tallies = [
        Tally(n, round(known.repetitions * proportion), known.repetitions)
        for n, proportion in known.proportions
    ]
    for tally, (_, proportion) in zip(tallies, known.proportions, strict=True):
        assert tally.converged / tally.trials == pytest.approx(proportion, abs=6e-4)
    assert published_estimator(tallies, scale) == pytest.approx(known.threshold, abs=0.5)


def test_the_width_of_experiment_1_0_is_that_of_the_rule_in_the_transition():
    inside = [n for n, proportion in EXPERIMENT_1_0.proportions if 0.03 < proportion < 0.9]
    assert {width_rule(n, 0.05) for n in inside} <= {36, EXPERIMENT_1_0.p}
    assert width_rule(round(EXPERIMENT_1_0.threshold), 0.05) == EXPERIMENT_1_0.p


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.form)
def test_readings_pass_near_the_thresholds_they_are_read_from(reading):
    known = [t for t in thresholds_along("p", d=30) if t.p >= 100]
    assert len(known) == 3
    sizes = np.array([t.p for t in known], float)
    read = form(reading.form).curve(np.array(reading.coefficients), sizes)
    assert read == pytest.approx([t.n50 for t in known], rel=0.05)


def test_thresholds_are_found_along_either_size():
    assert [t.d for t in thresholds_along("d", p=30)] == [30, 60]
    assert [t.p for t in thresholds_along("p", d=30)] == [30, 100, 200, 400]
    assert thresholds_along("p", d=31) == []
    assert len(set(THRESHOLDS)) == len(THRESHOLDS)
