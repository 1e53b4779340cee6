"""What is drawn is what was given, on the axes given."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from jaxflow import plot

mpl.use("Agg")

SERIES = plot.FLOW


@pytest.fixture
def ax():
    with plot.style():
        figure, ax = plt.subplots()
        yield ax
        figure.canvas.draw()  # warnings are errors
        plt.close(figure)


def test_a_heat_map_covers_every_row_by_its_own_slices(ax):
    x, y = [100, 200, 400, 150, 300], [20, 20, 20, 50, 50]
    values = [1.0, 0.5, 0.0, 1.0, 0.25]
    assert plot.heat_map(x, y, values, ax=ax, label="P(converged)") is ax
    (made,) = ax.collections
    np.testing.assert_array_equal(made.get_array(), values)
    boxes = [path.get_extents() for path in made.get_paths()]
    for box, n, p in zip(boxes, x, y, strict=True):
        assert box.x0 < n < box.x1
        assert box.y0 < p < box.y1
    np.testing.assert_allclose(boxes[0].x1, np.sqrt(100 * 200))
    np.testing.assert_allclose(boxes[0].y1, np.sqrt(20 * 50))
    assert made.get_clim() == (0, 1)


def test_times_that_are_not_reached_are_hatched(ax):
    plot.heat_map(
        [1, 2, 3], [1, 1, 1], [10.0, 100.0, np.inf], ax=ax, label="time", scale="logarithmic"
    )
    reached, beyond = ax.collections
    assert len(reached.get_paths()) == 2
    assert len(beyond.get_paths()) == 1
    assert ax.get_legend().get_texts()[0].get_text() == "not reached"


def test_a_heat_map_of_ragged_data_is_refused(ax):
    with pytest.raises(ValueError, match="one length"):
        plot.heat_map([1, 2], [1], [1, 2], ax=ax, label="x")


@pytest.mark.parametrize("vertical", [True, False])
def test_a_boundary_has_its_intervals(ax, vertical):
    plot.boundary(
        [50, 20], [300, 100], [280, 90], [330, 120], ax=ax, series=SERIES, vertical=vertical
    )
    line = ax.lines[0]
    n = line.get_ydata() if vertical else line.get_xdata()
    np.testing.assert_array_equal(n, [100, 300])  # sorted by size
    bars = ax.containers[0][2][0].get_segments()
    ends = np.array(bars)[:, :, 1 if vertical else 0]
    np.testing.assert_allclose(ends, [[90, 120], [280, 330]])


def test_survival_is_steps_with_a_band(ax):
    plot.survival(
        [0, 2, 5], [1, 0.5, 0.2], [1, 0.3, 0.1], [1, 0.7, 0.4], ax=ax, series=SERIES, since=1.0
    )
    assert len(ax.collections) == 1
    steps = ax.lines[-1]
    assert steps.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(steps.get_ydata(), [1, 0.5, 0.2, 0.2])
    np.testing.assert_array_equal(steps.get_xdata(), [1, 2, 5, 5])


def test_open_medians_and_thresholds_out_of_range_have_arrows(ax):
    inf = np.inf
    plot.medians([1, 2, 3], [5.0, 9.0, inf], [4, 7, 8], [6, inf, inf], ax=ax, series=SERIES)
    closed, open_, arrows, points = ax.collections
    assert [len(lines.get_segments()) for lines in (closed, open_)] == [1, 1]
    assert len(arrows.get_offsets()) == 1
    assert len(points.get_offsets()) == 2
    edges = ["below", "", "above"]
    plot.against_time(
        [1, 2, 4], [9, 20, 90], [8, 18, 80], [10, 22, 99], ax=ax, series=SERIES, at_edge=edges
    )
    down, up = ax.collections[-2:]
    np.testing.assert_allclose(down.get_offsets(), [[1, 9]])
    np.testing.assert_allclose(up.get_offsets(), [[4, 90]])


@pytest.mark.parametrize("ends", [(10, 3000), (0.9, 1.6), (1e-12, 1.0), (95, 105)])
def test_ticks_of_a_logarithmic_axis_are_few_and_inside(ax, ends):
    plot.log_ticks(ax.xaxis, *ends)
    ax.set_xlim(*ends)
    ticks = ax.get_xticks()
    assert 1 <= len(ticks) <= 7
    assert np.all((ticks >= ends[0]) & (ticks <= ends[1]))


def test_a_trajectory_has_a_panel_for_each_but_bounds():
    t = np.geomspace(0.01, 100, 20)
    found = {
        "time": np.append(0, t),
        "loss": np.exp(-np.append(0, t) / 30),
        "curvature": np.append(0, t) ** 0.1 + 0.1,
        "curvature_low": np.full(21, 0.01),
        "curvature_high": np.full(21, 9.0),
        "sharpness": np.linspace(0, 2, 21),
    }
    with plot.style():
        figure = plot.trajectory(found, step=1.0, title="one")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == 3
    sharp = next(ax for ax in shown if ax.get_ylabel() == "sharpness")
    assert any(np.allclose(line.get_ydata(), 2.0) for line in sharp.lines)
    figure.canvas.draw()
    plt.close(figure)


def test_endings_are_spread_about_their_x_and_marked_by_what_they_reached(ax):
    x, values, reached = [1, 1, 1, 10], [1e-5, 1e-6, 1.0, 2.0], [True, True, False, False]
    assert plot.endings(x, values, reached, ax=ax, labels=("yes", "no")) is ax
    full, open_ = (made.get_offsets() for made in ax.collections)
    np.testing.assert_array_equal(full[:, 1], [1e-5, 1e-6])
    np.testing.assert_array_equal(open_[:, 1], [1.0, 2.0])
    places = np.concatenate([full[:, 0], open_[:1, 0]])
    assert len(set(places)) == 3
    np.testing.assert_allclose(places, 1, rtol=0.05)
    assert [text.get_text() for text in ax.legend().get_texts()] == ["yes", "no"]
    with pytest.raises(ValueError, match="one length"):
        plot.endings([1], values, reached, ax=ax, labels=("yes", "no"))


def test_a_fan_is_the_median_between_quantiles_of_those_under_way(ax):
    curves = np.arange(1.0, 22.0)[:, None] * [1.0, 2.0]
    curves[:7, 1] = np.nan
    assert plot.fan([0, 1], curves, ax=ax, series=SERIES) is ax
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [11, 2 * 14.5])
    band = ax.collections[0].get_paths()[0].get_extents()
    np.testing.assert_allclose((band.y0, band.y1), (2, 2 * np.quantile(np.arange(8, 22), 0.95)))
    with pytest.raises(ValueError, match="transpose"):
        plot.fan([0, 1], curves.T, ax=ax, series=SERIES)


def test_powers_are_points_with_intervals_and_lines_inside_their_axes(ax):
    x, y = [100, 1000, 10000], [0.3, 0.1, 0.03]
    plot.points(x, y, [0.2, 0.09, 0.03], [0.4, 0.12, 0.03], ax=ax, series=SERIES, label="y")
    plot.line(x, y, ax=ax, series=SERIES)
    assert plot.power_axes(ax, x, y, along="n", label="rate") is ax
    ends = np.array(ax.containers[0][2][0].get_segments())[:, :, 1]
    np.testing.assert_allclose(ends, [[0.2, 0.4], [0.09, 0.12], [0.03, 0.03]])
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), y)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    for (low, high), values in ((ax.get_xlim(), x), (ax.get_ylim(), y)):
        assert low < min(values) and max(values) < high


def test_the_largest_size_is_the_darkest_and_neighbours_differ():
    looks = [plot.by_size(i, 4) for i in range(4)]
    assert looks[-1] == plot.by_size(4, 5) == plot.by_size(0, 1)
    for part in ("color", "marker", "line"):
        assert len({getattr(look, part) for look in looks}) == 4


def test_published_points_and_guides_are_where_they_were_given(ax):
    plot.published_points(
        [30, 60], [150, 600], ax=ax, low=[135, 570], high=[165, 630], label="published"
    )
    (made,) = ax.containers
    np.testing.assert_array_equal(made[0].get_xydata(), [[30, 150], [60, 600]])
    ends = np.array(made[2][0].get_segments())[:, :, 1]
    np.testing.assert_array_equal(ends, [[135, 165], [570, 630]])
    plot.published_points([10], [5.0], ax=ax)
    assert not ax.containers[1][2]  # no interval, no bars
    assert plot.guide([1, 2], [3, 4], ax=ax) is ax
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), [[1, 3], [2, 4]])


def test_a_level_is_a_line_in_its_band(ax):
    plot.level(5.0, 4.0, 7.0, ax=ax, series=SERIES, label="flow")
    (band,) = ax.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == (4, 7)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [5, 5])


def test_a_family_keeps_its_order_in_grey():
    looks = plot.family(6)
    greys = [mpl.colors.to_rgb(look.color) @ np.array([0.299, 0.587, 0.114]) for look in looks]
    assert np.all(np.diff(greys) > 0.05)
    assert len({look.marker for look in looks}) == 6
    assert plot.family(1)[0].color == looks[0].color


def test_bands_and_joined_points_have_their_intervals(ax):
    assert plot.band([1, 2], [3, 4], [2, 3], [4, 6], ax=ax, series=SERIES, marks=1) is ax
    band = ax.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (2, 6)
    assert plot.points([1, 2], [3, 4], [2, 3], [4, 6], ax=ax, series=SERIES, joined=True) is ax
    bars = np.array(ax.collections[1].get_segments())[:, :, 1]
    np.testing.assert_allclose(bars, [[2, 4], [3, 6]])
    assert [line.get_ydata().tolist() for line in ax.lines[:2]] == [[3, 4], [3, 4]]


def test_every_dynamics_of_a_figure_looks_unlike_the_others():
    kinds = ["descent", "flow", "descent", "mine", "flow", "other", "descent", "x"]
    made = plot.by_dynamics(kinds)
    assert made[:2] == [plot.DESCENT, plot.FLOW]
    assert len(set(made)) == len(kinds)
    assert len({(one.marker, one.line) for one in made}) == len(kinds)  # without colours too
    assert plot.by_dynamics(["mine"]) == [plot.OTHERS[0]]


def test_a_name_is_drawn_as_it_is(ax):
    for name in ("$x$", "a$b", r"\frac", "_adam", "a\nb", "x^{2"):
        ax.plot([1, 2], [1, 2], label=f"{plot.plain(name)}, $n = 3$")
    shown = [text.get_text() for text in ax.legend().get_texts()]
    assert len(shown) == 6
    assert shown[4].startswith(r"a\nb")


def test_labels_of_thresholds_stand_above_each_other(ax):
    plot.threshold(5, 4, 6, ax=ax, series=SERIES, label="5")
    plot.threshold(5, 4, 6, ax=ax, series=SERIES, label="5", level=1)
    ax.figure.canvas.draw()
    low, high = (text.get_window_extent() for text in ax.texts)
    assert low.y1 < high.y0


def test_a_threshold_out_of_range_is_a_label_inside(ax):
    plot.phase_axes(ax, (10, 100))
    plot.beyond(100, above=True, ax=ax, series=SERIES, label="> 100")
    plot.beyond(10, above=False, ax=ax, series=SERIES, label="< 10")
    ax.figure.canvas.draw()
    high, low = (text.get_window_extent() for text in ax.texts)
    inside = ax.get_window_extent()
    assert high.x1 <= inside.x1 + 1 and low.x0 >= inside.x0 - 1
    assert len(ax.lines) == 1  # P = 1/2


def test_a_collapse_has_the_points_of_every_size_and_the_curve(ax):
    sizes = [
        plot.Counted("one", [-1.0, 1.0], [0.9, 0.1], [0.8, 0.05], [1.0, 0.2]),
        plot.Counted("two", [0.0], [0.5], [0.4], [0.7]),
    ]
    assert plot.collapse(sizes, [-1, 0, 1], [0.9, 0.5, 0.1], ax=ax, label="t") is ax
    one, two = ax.containers
    np.testing.assert_array_equal(one[0].get_xydata(), [[-1, 0.9], [1, 0.1]])
    np.testing.assert_allclose(np.array(two[2][0].get_segments())[:, :, 1], [[0.4, 0.7]])
    np.testing.assert_array_equal(ax.lines[-2].get_ydata(), [0.9, 0.5, 0.1])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]


def test_a_map_of_probabilities_has_its_boundary_and_marks(ax):
    n, p = np.geomspace(50, 800, 30), np.geomspace(20, 200, 10)
    chance = 1 / (1 + (n / (5 * p[:, None])) ** 4)
    assert plot.probability_map(n, p, chance, ax=ax, label="P(converged)") is ax
    (made,) = ax.collections
    assert made.get_clim() == (0, 1)
    np.testing.assert_allclose(np.ravel(made.get_array()), chance.ravel())
    series = plot.Series("white", "", "--")
    plot.boundary_band(p, 5 * p, 4.5 * p, 5.5 * p, ax=ax, series=series, label="T0")
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), 5 * p)
    plot.tried([100, 200], [20, 50], [1, 100], ax=ax)
    small, large = ax.collections[-1].get_sizes()
    assert small < large
    with pytest.raises(ValueError, match="a row for every y"):
        plot.probability_map(n, p, chance.T, ax=ax, label="")


def test_contours_say_their_thresholds(ax):
    x, y = np.geomspace(20, 200, 20), np.geomspace(10, 40, 15)
    plot.contour_map(x, y, x * y[:, None], ax=ax, label="threshold $N$")
    assert ax.texts
    assert all(200 < float(text.get_text()) < 8000 for text in ax.texts)
