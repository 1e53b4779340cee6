"""Scores and their axes say what they are given."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from jaxflow import plot

mpl.use("Agg")


@pytest.fixture
def ax():
    with plot.style():
        figure, ax = plt.subplots()
        yield ax
        figure.canvas.draw()
        plt.close(figure)


def test_scores_stand_on_the_line_of_0(ax):
    plot.scores([10, 40], [-1.0, 3.5], ax=ax, series=plot.FLOW, label="one")
    stems, marks = ax.collections
    np.testing.assert_allclose(marks.get_offsets(), [[10, -1], [40, 3.5]])
    np.testing.assert_allclose([s[:, 1] for s in stems.get_segments()], [[0, -1], [0, 3.5]])


@pytest.mark.parametrize("sizes", [(10, 40), (10,), (10, 10, 11, 500)])
def test_the_axes_hold_the_band_of_chance_and_every_score(ax, sizes):
    plot.scores(sizes, np.full(len(sizes), 7.0), ax=ax, series=plot.FLOW)
    plot.score_axes(ax, sizes, "d")
    (band,) = ax.patches
    low, high = band.get_y(), band.get_y() + band.get_height()
    assert stats.norm.cdf(high) - stats.norm.cdf(low) == pytest.approx(0.95, abs=1e-4)
    assert ax.get_ylim()[0] < low and ax.get_ylim()[1] > 7
    left, right = ax.get_xlim()
    assert left < min(sizes) and right > max(sizes)
    assert ax.get_xlabel() == "input dimension $d$"
