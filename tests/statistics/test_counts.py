import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from jaxflow.statistics.counts import Tally, merged, wilson


@settings(deadline=None)
@given(st.integers(1, 500), st.data(), st.floats(0.5, 0.999))
def test_wilson_is_scipy(trials, data, level):
    converged = data.draw(st.integers(0, trials))
    expected = binomtest(converged, trials).proportion_ci(level, method="wilson")
    assert np.allclose(wilson(converged, trials, level), expected, atol=1e-12)


def test_wilson_without_trials_and_vectorised():
    low, high = wilson([0, 0, 3, 1], [0, 10, 3, 2])
    assert (low[0], high[0]) == (0, 1)
    assert low[1] == 0
    assert high[2] == 1
    assert low.shape == high.shape == (4,)
    assert low[3] + high[3] == pytest.approx(1)


@pytest.mark.parametrize(("converged", "trials"), [(2, 1), (-1, 3), (np.nan, 3), (0, np.inf)])
def test_wilson_refuses(converged, trials):
    with pytest.raises(ValueError, match="expected 0 <= converged <= trials"):
        wilson(converged, trials)


def test_merged():
    tallies = [Tally(20, 1, 2), Tally(10, 0, 1), Tally(20, 2, 3), Tally(5, 0, 0)]
    assert merged(tallies) == (Tally(10, 0, 1), Tally(20, 3, 5))
