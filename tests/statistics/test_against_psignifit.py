"""The posterior of a slice against psignifit, on sixty data sets (support/reference/thresholds.py).

Differences are in widths of the 95 % interval.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Posterior

FILE = Path(__file__).parents[1] / "support" / "reference" / "thresholds.json"
TAILS = 0.025, 0.5, 0.975


@pytest.fixture(scope="module")
def compared():
    """Every data set and what we say of it."""
    sets = json.loads(FILE.read_text())
    return [(known, Posterior([Tally(*c) for c in known["counts"]], 600, 3600)) for known in sets]


def away(found, expected) -> float:
    return float(np.max(np.abs(np.subtract(found, expected))) / (expected[2] - expected[0]))


def test_with_the_same_priors_it_is_the_same_threshold(compared):
    """Two grids, two parametrizations: medians and ends are one to a fiftieth of the interval."""
    assert len(compared) == 60
    found = [away(p.quantile(TAILS), known["same_priors"]["n50"]) for known, p in compared]
    print(max(found))
    assert max(found) < 0.02


def test_and_the_same_width(compared):
    """In posterior mass below psignifit's quantiles."""
    masses = [
        [posterior.width_mass_below(x) for x in known["same_priors"]["width"]]
        for known, posterior in compared
    ]
    found = np.abs(np.subtract(masses, TAILS)).max(0)
    print(found)
    assert np.all(found < [0.003, 0.015, 0.003])


def test_with_its_own_priors_it_is_about_a_tenth_where_the_design_sees_the_width(compared):
    """psignifit expects fewer lapses, Beta(1, 10), and widths from the distance of two n on.

    That leaves out the steepest of these curves.
    """
    seen = [(known, p) for known, p in compared if known["width"] > 0.05]
    found = [away(p.quantile(TAILS), known["own_priors"]) for known, p in seen]
    print(np.sort(found)[-6:])
    assert np.mean(np.less(found, 0.1)) >= 0.9
    assert max(found) < 0.3
