"""Crossings and rates against trajectories of which they are known."""

import numpy as np
import pytest

from jaxflow.statistics.trajectories import stays_positive, tail_rate


def test_the_last_crossing_is_linear_between_times():
    assert stays_positive([0, 1, 3, 4], [-2, -1, 3, 5]) == 1.5
    assert stays_positive([0, 1, 2, 3], [1, -1, 1, 1]) == 1.5
    assert stays_positive([0, 1], [1, 0]) == np.inf
    assert stays_positive([2, 3], [1, 1]) == 2


def test_the_rate_is_that_of_the_tail_alone():
    """Two exponentials: early on the faster one, in the tail the slower."""
    t = np.linspace(0, 10, 101)
    y = np.exp(-1.5 * t) + 50 * np.exp(-9 * t)
    assert tail_rate(t, y, 1e-2, 1e-6) == pytest.approx(1.5, rel=1e-6)
    assert tail_rate(t, y, 40, 2) > 6
    bumpy = np.where(t < 2, 1e-3, y)  # below `high` before it rises again
    bumpy[20] = 1.0
    assert tail_rate(t, bumpy, 1e-1, 1e-6) == pytest.approx(1.5, rel=1e-6)
    assert np.isnan(tail_rate(t, y, 1e-9, 1e-10))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: stays_positive([0, 1], [1]),
        lambda: tail_rate([0, 1], [1, 1], 1e-3, 1e-2),
    ],
)
def test_mistakes_are_one_line(mistake):
    with pytest.raises(ValueError, match="expected") as caught:
        mistake()
    assert "\n" not in str(caught.value)
