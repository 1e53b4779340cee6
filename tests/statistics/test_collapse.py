"""The collapse of sizes whose truth is known, and of one that theory knows exactly."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import betainc
from scipy.stats import binom, kstest
from simulated import sizes

from jaxflow.papers.perceptron import separable
from jaxflow.statistics.collapse import collapse
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.curves import Sized

SIZES = (10, 20, 40, 80, 160)
DIMENSIONS = (10, 20, 40, 80)


def held(found, truth, name="interval"):
    """In how many of the intervals the truth lies."""
    low, high = np.array([getattr(one, name) for one in found]).T
    return np.mean((low <= truth) & (truth <= high))


def test_the_law_of_very_many_trials_is_found():
    found = collapse(sizes(SIZES, seed=0, trials=20_000, lapse=0.03, exponent=0.4), draws=20)
    assert found.exponent == pytest.approx(0.4, abs=0.01)
    assert found.amplitude == pytest.approx(1.0, rel=0.04)
    np.testing.assert_allclose(found.lapse, 0.03, atol=0.003)
    np.testing.assert_allclose(found.own_width, np.array(SIZES) ** -0.4, rtol=0.03)
    assert found.shape.name == "logistic" and found.knows_shape
    np.testing.assert_allclose(found.curve(found.scaled(2, found.threshold[2])), 0.5)
    ends = found.threshold[1] * np.exp(found.width(20) * np.array([-0.5, 0.5]))
    np.testing.assert_allclose(found.curve(found.scaled(1, ends)), [0.9, 0.1])


def test_a_slope_off_by_two_at_one_size_is_no_collapse():
    found = collapse(sizes(SIZES, seed=1, factors=(1, 1, 2, 1, 1)))
    assert not found.collapses and found.p < 0.01
    assert 40 in found.apart and found.scatter > 0.1
    narrow, wide = (np.diff(ends)[0] for ends in (found.interval, found.scattered_interval))
    assert wide > 2 * narrow
    assert collapse(sizes(SIZES, seed=1)).collapses


def test_what_rises_along_its_axis_has_the_same_law():
    """Mirrored in log x: n to 1/x."""
    falling = sizes(SIZES, seed=2)
    mirrored = [
        Sized(s.x, [Tally(1 / t.x, t.converged, t.trials) for t in s.tallies],
                 1 / s.high, 1 / s.low, rising=True)
        for s in falling
    ]  # fmt: skip
    one, other = collapse(falling, draws=10), collapse(mirrored, draws=10)
    assert other.exponent == pytest.approx(one.exponent, abs=1e-3)
    np.testing.assert_allclose(other.threshold, 1 / one.threshold, rtol=1e-3)
    at = one.threshold[0] * 1.1
    assert other.scaled(0, 1 / at) == pytest.approx(one.scaled(0, at), rel=1e-2)


def perceptrons(trials, seed):
    """Counts of Cover's probabilities at nine n over 2.4 widths."""
    rng = np.random.default_rng(seed)
    made = []
    for d in DIMENSIONS:
        width = cover_width(d)
        n = np.unique(np.round(2 * d * np.exp(np.linspace(-1.2, 1.2, 9) * width)).astype(int))
        happened = rng.binomial(trials, separable(n, d))
        tallies = [Tally(int(x), int(c), trials) for x, c in zip(n, happened, strict=True)]
        made.append(Sized(d, tallies, d, 4 * d))
    return made


def cover_width(d):
    """The exact 10-90 % width in log n, between whole n by the incomplete beta function."""

    def place(level):
        return brentq(lambda n: betainc(n - d, d, 0.5) - level, d + 1e-6, 20 * d)

    return float(np.log(place(0.1) / place(0.9)))


def test_cover_between_whole_numbers_is_cover():
    assert betainc(45 - 20, 20, 0.5) == pytest.approx(float(separable(45, 20)))
    assert betainc(45 - 20, 20, 0.5) == pytest.approx(binom.cdf(19, 44, 0.5))


def test_the_perceptron_collapses_with_one_half():
    """a is 1/2 as d goes to infinity; from d = 10 to 80 the exact widths have .486."""
    exact = np.array([cover_width(d) for d in DIMENSIONS])
    here = -np.polyfit(np.log(DIMENSIONS), np.log(exact), 1)[0]
    assert here == pytest.approx(0.486, abs=0.002)
    found = collapse(perceptrons(400, seed=1))
    assert found.collapses and found.counts_p > 0.05
    assert found.interval[0] < here < found.interval[1]
    assert found.interval[0] < 0.5 < found.interval[1]
    assert np.diff(found.interval)[0] < 0.1
    np.testing.assert_allclose(found.threshold, 2 * np.array(DIMENSIONS), rtol=0.02)
    np.testing.assert_allclose(found.own_width, exact, rtol=0.1)
    assert found.shape.name == "probit"  # by the theorem of de Moivre and Laplace


def test_little_is_refused():
    made = sizes(SIZES, seed=0)
    for wrong in (made[:2], [made[0], made[0], made[1]], [made[0], *made]):
        with pytest.raises(ValueError, match="3 sizes or more, each once"):
            collapse(wrong)


@pytest.mark.slow
def test_level_and_coverage():
    """Of 400 collapses: 5 % are rejected, and 95 % of intervals hold the exponent."""
    found = [collapse(sizes(SIZES, seed), draws=100) for seed in range(400)]
    p, level = [one.p for one in found], np.mean([not one.collapses for one in found])
    print(level, held(found, 0.5), held(found, 0.5, "scattered_interval"))
    assert 0.02 <= level <= 0.08
    assert kstest(p, "uniform").pvalue > 1e-3
    assert 0.93 <= held(found, 0.5) <= 0.97
    assert held(found, 0.5, "scattered_interval") >= 0.95
    assert 0.02 <= np.mean([one.counts_p <= 0.05 for one in found]) <= 0.08


@pytest.mark.slow
def test_power():
    """A slope off by a factor of two at one size is found in nine of ten."""
    found = [collapse(sizes(SIZES, seed, factors=(1, 1, 2, 1, 1)), draws=100) for seed in range(60)]
    assert np.mean([not one.collapses for one in found]) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("scatter", [0.1, 0.3])
def test_intervals_of_widths_that_scatter(scatter):
    """The wider one holds the exponent as often as it says; the other one does not."""
    found = []
    for seed in range(200):
        factors = np.exp(scatter * np.random.default_rng([seed, 1]).standard_normal(len(SIZES)))
        found.append(collapse(sizes(SIZES, seed, factors=factors), draws=50))
    print(scatter, held(found, 0.5), held(found, 0.5, "scattered_interval"))
    assert held(found, 0.5, "scattered_interval") >= 0.92
    if scatter > 0.2:
        assert held(found, 0.5) < 0.8
