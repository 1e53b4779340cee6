import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxflow.statistics.counts import Tally
from jaxflow.statistics.fixed_slope import published_estimator
from jaxflow.statistics.posterior import Guess, Posterior, estimate

RISING = [Tally(n, c, 20) for n, c in [(900, 20), (1400, 19), (1600, 11), (1700, 4), (2000, 0)]]
SEPARATED = [Tally(1590, 24, 24), Tally(1630, 0, 24)]
LAPSED = [Tally(1000, 33, 40), Tally(1500, 30, 40), Tally(1600, 12, 40), Tally(1700, 0, 40)]


def brute_force(tallies, low, high, n=None):
    """The docstring's model and prior summed over a plain grid: quantiles of n50, mean curve."""
    span = np.log(high / low)
    x = np.linspace(np.log(1300), np.log(1800), 801)[:, None, None]  # no mass outside
    width = np.geomspace(0.004, 2, 40)[:, None]
    lapse = (np.arange(16) + 0.5) / 16 * 0.3
    slope = 2 * np.log(9) / width

    def proportion(n):
        location = x - np.log(1 - 2 * lapse) / slope  # log N
        with np.errstate(over="ignore"):
            return (1 - lapse) / (1 + np.exp(slope * (np.log(n) - location)))

    beyond = np.maximum(np.maximum(np.log(low) - x, x - np.log(high)), 0)
    logp = -beyond / (0.05 * span) - (np.log(width / 0.3) / 1.5) ** 2 / 2 - lapse / 0.2
    for t in tallies:
        p = np.clip(proportion(t.x), 1e-300, 1 - 1e-16)
        logp = logp + t.converged * np.log(p) + (t.trials - t.converged) * np.log1p(-p)
    mass = np.exp(logp - logp.max())
    mass /= mass.sum()
    marginal = mass.sum((1, 2))
    cumulative = np.cumsum(marginal) - marginal / 2
    quantiles = np.exp(np.interp([0.025, 0.25, 0.5, 0.75, 0.975], cumulative, x.ravel()))
    return quantiles, None if n is None else float((mass * proportion(n)).sum())


@pytest.mark.parametrize("tallies", [RISING, SEPARATED, LAPSED], ids=["rising", "gap", "lapse"])
def test_agrees_with_brute_force(tallies):
    expected, mean = brute_force(tallies, 800, 3000, n=1580)
    posterior = Posterior(tallies, 800, 3000)
    half = (expected[-1] - expected[0]) / 2
    got = posterior.quantile([0.025, 0.25, 0.5, 0.75, 0.975])
    assert np.abs(got - expected).max() < 0.03 * half
    assert posterior.interval() == pytest.approx((got[0], got[-1]))
    assert posterior.relative_half_width == pytest.approx((got[-1] - got[0]) / (2 * got[2]))
    assert posterior.curve(1580)[0] == pytest.approx(mean, abs=0.01)


def test_many_trials_give_the_crossing_with_its_lapse():
    """Closed form: n50 = N (1 - 2 l)^(1/s), and the width that Fisher information allows."""
    N, slope, lapse, trials = 1500, 30, 0.2, 4000
    n = np.arange(1200, 1900, 25)
    proportion = (1 - lapse) / (1 + (n / N) ** slope)
    tallies = [Tally(int(a), round(q * trials), trials) for a, q in zip(n, proportion, strict=True)]
    found = estimate(tallies, 1000, 2000)
    assert found.n50 == pytest.approx(N * (1 - 2 * lapse) ** (1 / slope), rel=5e-4)
    assert found.trials == trials * len(n)
    assert (found.high - found.low) / 2 / found.n50 < 0.0013


def test_half_width_is_not_better_than_fisher_information():
    slope, trials = 30, 3000
    side = round(trials * 0.1)
    tallies = [Tally(1500, trials // 2, trials)]
    tallies += [
        Tally(n, round(side / (1 + (n / 1500) ** slope)), side) for n in (1350, 1450, 1550, 1650)
    ]
    information = sum(
        t.trials * slope**2 * (q := t.converged / t.trials) * (1 - q) for t in tallies
    )
    bound = 1.96 / information**0.5
    posterior = Posterior(tallies, 1000, 2000)
    assert 0.99 * bound < posterior.relative_half_width < 1.15 * bound
    assert posterior.width == pytest.approx(2 * np.log(9) / slope, rel=0.05)


def test_trials_to_is_the_most_that_trials_can_tell():
    posterior = Posterior(RISING, 800, 3000)
    slope = 2 * np.log(9) / posterior.width
    gained = slope / (1.96 * 2) * np.sqrt(posterior.trials_to(0.005))
    assert np.hypot(gained, 1 / posterior.relative_half_width) == pytest.approx(200, rel=0.001)
    assert posterior.trials_to(0.5) == 0


def test_published_data_agree_with_the_published_estimator():
    proportions = [1, 0.988, 1, 1, 0.963, 0.85, 0.85, 0.675, 0.25, 0.038] + 7 * [0]
    tallies = [
        Tally(n, round(80 * q), 80) for n, q in zip(range(1300, 2101, 50), proportions, strict=True)
    ]
    found = estimate(tallies, 1300, 2100)
    assert found.low < published_estimator(tallies, scale=1) < found.high
    assert 1640 < found.n50 < 1675
    assert found.at_edge == ""
    assert estimate(tallies, 800, 3000).n50 == pytest.approx(found.n50, rel=1e-3)


def test_separated_data_stay_between():
    low, high = Posterior(SEPARATED, 800, 3000).interval()
    assert 1585 < low < high < 1635


def test_a_threshold_out_of_range_is_said():
    failing = [Tally(800, 0, 24), Tally(1000, 0, 24)]
    fitting = [Tally(2000, 24, 24), Tally(3000, 24, 24)]
    assert estimate(failing, 800, 3000).at_edge == "below"
    assert estimate(fitting, 800, 3000).at_edge == "above"
    assert estimate([], 800, 3000).at_edge == ""
    assert sum(Posterior([], 800, 3000).mass_at_edges) == pytest.approx(0.09, abs=0.01)


def test_curve_falls_and_covers_its_mean():
    n = np.arange(1000, 2300, 100).reshape(13, 1)
    mean, low, high = Posterior(RISING, 800, 3000).curve(n)
    assert mean.shape == low.shape == high.shape == n.shape
    assert np.all((low <= mean) & (mean <= high))
    assert np.all(np.diff(mean[:, 0]) < 0)
    with pytest.raises(ValueError, match="expected n > 0"):
        Posterior(RISING, 800, 3000).curve(0)


def test_order_and_splitting_do_not_matter():
    split = [Tally(t.x, c, m) for t in RISING for c, m in [(t.converged, t.converged), (0, 0)]]
    split += [Tally(t.x, 0, t.trials - t.converged) for t in RISING]
    expected = estimate(RISING, 800, 3000)
    assert estimate(split, 800, 3000) == expected
    for order in itertools.islice(itertools.permutations(RISING), 0, 120, 17):
        assert estimate(order, 800, 3000) == expected


@pytest.mark.parametrize("tallies", [RISING, SEPARATED, LAPSED], ids=["rising", "gap", "lapse"])
def test_a_rising_axis_is_the_mirror_image(tallies):
    """In 1/x a probability that rises falls: n50, its quantiles and the curve follow."""
    turned = [Tally(1e6 / t.x, t.converged, t.trials) for t in tallies]
    falling = Posterior(tallies, 800, 3000)
    rising = Posterior(turned, 1e6 / 3000, 1e6 / 800, rising=True)
    q = np.array([0.025, 0.3, 0.5, 0.975])
    half = 1e6 * falling.relative_half_width / falling.median
    assert np.abs(rising.quantile(q) - 1e6 / falling.quantile(1 - q)).max() < 0.01 * half
    assert rising.width == pytest.approx(falling.width, rel=0.01)
    assert rising.width_interval() == pytest.approx(falling.width_interval(), rel=0.02)
    assert rising.mass_at_edges == pytest.approx(falling.mass_at_edges[::-1], abs=1e-6)
    n = np.array([1400, 1580, 1700])
    assert rising.curve(1e6 / n)[0] == pytest.approx(falling.curve(n)[0], abs=0.005)


def test_width_has_an_interval_of_its_own():
    found = estimate(RISING, 800, 3000)
    assert found.width_low < found.width < found.width_high
    more = [Tally(t.x, 50 * t.converged, 50 * t.trials) for t in RISING]
    assert np.log(found.width_high / found.width_low) > 4 * np.log(
        (many := estimate(more, 800, 3000)).width_high / many.width_low
    )


def test_a_guess_bends_the_prior_and_data_straighten_it():
    guess = Guess(1000, 0.1)
    assert Posterior([], 800, 3000, guess=guess).median == pytest.approx(1000, rel=0.05)
    many = [Tally(t.x, 20 * t.converged, 20 * t.trials) for t in RISING]
    free, bent = Posterior(many, 800, 3000), Posterior(many, 800, 3000, guess=guess)
    assert abs(bent.median / free.median - 1) < 0.3 * free.relative_half_width


MILLIONS = [10**4, 10**5, 260_000, 10**6, 10**7]


@pytest.mark.parametrize("trials", MILLIONS)
@pytest.mark.parametrize(("width", "lapse"), [(0.011, 0.0), (0.15, 0.0), (0.15, 0.1), (1.46, 0.07)])
def test_very_many_trials_tell_the_curve_they_are_from(trials, width, lapse):
    """Closed form, to a fraction of an interval that shrinks as trials^(-1/2)."""
    n50, slope = 301.3, 2 * np.log(9) / width
    n = np.unique(np.round(n50 * np.exp(width * np.linspace(-1.5, 1.5, 21))))
    chance = (1 - lapse) / (1 + (1 - 2 * lapse) * (n / n50) ** slope)
    tallies = [Tally(x, round(trials * q), trials) for x, q in zip(n, chance, strict=True)]
    posterior = Posterior(tallies, 100, 900)
    half = posterior.relative_half_width
    assert posterior.median == pytest.approx(n50, rel=0.6 * half)
    assert posterior.width == pytest.approx(width, rel=0.02)
    information = slope**2 * trials * np.sum(chance * (1 - chance))
    assert 1.9 / information**0.5 < half < 6 / information**0.5


@pytest.mark.parametrize("trials", [1, 100, 130_000, *MILLIONS])
@pytest.mark.parametrize(
    ("first", "second", "third"),
    [
        (1, 0, 1),
        (0, 1, 1),
        (0, 1, 0),
        (0.5, 1, 0),
        (0.5, 0.5, 0.5),
        (0.6, 0.6, 0.6),
        (1, 1, 1),
        (0, 0, 0),
        (1, 1, 0),
    ],
)
def test_counts_that_no_curve_fits_give_finite_ordered_numbers(trials, first, second, third):
    shares = {200: first, 300: second, 400: third}
    tallies = [Tally(n, round(share * trials), trials) for n, share in shares.items()]
    for rising in (False, True):
        found = estimate(tallies, 100, 900, rising=rising)
        assert 0 < found.low < found.n50 < found.high < np.inf
        assert 0.0039 < found.width_low < found.width_high < 2.01
        assert found.width_low / 1.01 < found.width < 1.01 * found.width_high


def test_separated_millions_stay_between():
    found = estimate([Tally(290, 10**7, 10**7), Tally(310, 0, 10**7)], 100, 900)
    assert 290 < found.low < found.high < 310


counts = st.tuples(
    st.integers(1, 5000), st.integers(0, 200), st.integers(0, 200), st.sampled_from([1, 1, 50_000])
)


@settings(deadline=None, max_examples=60)
@given(st.lists(counts, max_size=8), st.integers(1, 3000), st.integers(1, 10**6))
def test_any_data_give_finite_ordered_numbers(data, low, length):
    tallies = [Tally(n, k * min(a, b), k * max(a, b)) for n, a, b, k in data]
    found = estimate(tallies, low, low + length)
    assert 0 < found.low < found.n50 < found.high < np.inf


def test_fast():
    tallies = [Tally(n, int(20 / (1 + (n / 1600) ** 30)), 20) for n in range(1000, 2200, 40)]
    seconds = []
    for _ in range(5):
        start = time.process_time()
        Posterior(tallies, 800, 3000)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1  # about 0.02 on one core
