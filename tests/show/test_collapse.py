"""The verdict of finite-size scaling, in words and as a figure."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from simulated import base_point, proportion, row, told

from jaxflow.core.types import Trial
from jaxflow.report.collapse import collapses, limit_of
from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.show import collapse
from jaxflow.show.figures import drawn, figure
from jaxflow.show.text import number
from jaxflow.statistics.slowing import Slowing

SIZES = (10, 20, 40, 80)


def slices(values=SIZES, factors=(1, 1, 1, 1), repetitions=40, shift=1.0, slows=False):
    """What a store says of transitions at n = 3 d of width d^-1/2, times a factor each.

    If it `slows`, a trial takes the time (1 - n/N)^-2, of a boundary N of its own.
    """
    rng, made = np.random.default_rng(0), []
    for d, factor in zip(values, factors, strict=False):
        truth = 3.0 * d * shift, factor * d**-0.5, 0.02
        places = np.round(3 * d * np.exp(np.linspace(-1.2, 1.2, 9) * truth[1])).astype(int)
        base, rows = base_point("n", d=d), []
        for n in np.unique(places).tolist():
            chance = rng.random(repetitions)
            happens = chance < proportion(n, truth)
            slope = 2 * np.log(9) / truth[1]
            own = truth[0] * (1 / chance - 1) ** (1 / slope) if slows else np.full_like(chance, n)
            times = np.maximum(1 - n / own, 1e-9) ** -2 if slows else np.full_like(chance, 0.1)
            rows += [
                row(Trial("flow", base.moved("n", n), seed, 100.0), bool(happened), float(time))
                for seed, (happened, time) in enumerate(
                    zip(happens & (times < 100), np.minimum(times, 100), strict=True)
                )
            ]
        plan = GridPlan(tuple(np.unique(places).tolist()), repetitions)
        made.append(told("flow", base, plan, Horizon(time=(100.0,)), rows))
    return made


def test_one_curve_is_said_to_be_one():
    (report,) = collapses(slices())
    low, high = report.collapse.interval
    said = collapse.verdict(report)
    assert said.startswith("collapses (p = .")
    assert f"width ~ d^({-report.collapse.exponent:.2f} [{-high:.2f}, {-low:.2f}])" in said
    assert low < 0.5 < high
    text = str(collapse.tables(slices())[0])
    assert text.startswith("Collapse along d: flow, p = 37")
    assert all(f"{width:.3f}" in text for width in report.collapse.own_width)


def test_two_curves_are_said_to_be_two():
    (report,) = collapses(slices(factors=(1, 1, 2.5, 1)))
    said = collapse.verdict(report)
    first, second = report.collapse.apart
    assert 40 in (first, second) and first < second
    assert said.startswith("does not collapse (p < .001): the slopes at d = ")
    assert f"{first:g} and {second:g} differ" in said
    assert f"scatter by {100 * report.collapse.scatter:.0f} %" in said


def test_too_few_sizes_are_counted():
    (report,) = collapses(slices(SIZES[:2]))
    assert collapse.verdict(report) == "not enough sizes: 2 of 3"
    below = slices(SIZES[:1], shift=3.0)
    (report,) = collapses(below + slices(SIZES)[1:3])
    assert collapse.verdict(report) == "not enough sizes: 2 of 3; 1 left out, out of their ranges"
    assert str(collapse.tables(below + slices(SIZES)[1:3])[0]).endswith("ranges")
    assert not list(collapses(below))
    with pytest.raises(ValueError, match="three sizes"):
        figure(below, "collapse")


def test_the_figure_has_all_counts_and_the_curve():
    found = slices()
    with drawn(lambda: figure(found, "collapse")) as made:
        counted, widths = made.axes
        (report,) = collapses(found)
        assert len(counted.containers) == len(SIZES)
        curve = counted.lines[-2]
        np.testing.assert_allclose(curve.get_ydata(), report.collapse.curve(curve.get_xdata()))
        np.testing.assert_allclose(widths.containers[0][0].get_ydata(), report.collapse.own_width)
        made.canvas.draw()
    assert not plt.get_fignums()


def test_limits_of_long_times_are_told_with_their_truth():
    found = slices(slows=True, repetitions=100)
    limits = [limit_of(slice) for slice in found]
    for d, slice, limit in zip(SIZES, found, limits, strict=True):
        assert limit.low < 3 * d < limit.high
        assert slice.posterior().median < 0.95 * 3 * d
        assert limit.by(100.0) == pytest.approx(3 * d * (1 - 100 ** (-1 / 2)), rel=0.05)
    table = collapse.tables(found)[1]
    assert [row[2] for row in table.rows] == [number(limit.threshold) for limit in limits]
    assert table.caption.startswith(("one z", "no one z"))
    assert limit_of(slices(SIZES[:1])[0]) is None  # where nothing slows


def test_one_exponent_is_told_or_refused():
    def law(z, half):
        return Slowing(100.0, (90.0, 110.0), z, (z - half, z + half), 1.0, 0.5, 100)

    assert collapse.exponents([law(2.0, 0.4), law(2.1, 0.4)]) == "one z: not enough sizes: 2 of 3"
    said = collapse.exponents([law(2.0, 0.4), law(2.1, 0.4), law(1.9, 0.4)])
    assert said.startswith("one z = 2.0") and "(p = .7" in said
    assert collapse.exponents([law(1.0, 0.1), law(2.0, 0.1), law(4.0, 0.1)]).startswith("no one z")
