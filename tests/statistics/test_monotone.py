"""Bounds of a boundary that is known to be monotone: by hand over all pairs, and simulated."""

from dataclasses import replace

import numpy as np
import pytest
from simulated import proportion

from jaxflow.statistics.boundary import BoundaryPosterior, Counts
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.monotone import bounds
from jaxflow.statistics.plane_prior import Axis, Prior

LOW, HIGH = 10.0, 10000.0
PRIOR = Prior((Axis("d", 10, 100),), LOW, HIGH)
DENSE = np.geomspace(10, 100, 9)[:, None]


def told(monotone):
    return replace(PRIOR, axes=(replace(PRIOR.axes[0], monotone=monotone),))


def counts(threshold, seed=0, places=(10.0, 20.0, 30.0, 45.0, 100.0), trials=2):
    rng = np.random.default_rng(seed)
    found = []
    for d in places:
        n = np.unique(np.round(threshold(d) * np.exp(rng.uniform(-0.3, 0.3, 12))))
        happened = rng.binomial(trials, proportion(n, (threshold(d), 0.3, 0.02)))
        tallies = [Tally(float(x), int(c), trials) for x, c in zip(n, happened, strict=True)]
        found.append(Counts((d,), tallies))
    return found


@pytest.mark.parametrize("way", ["increasing", "decreasing"])
def test_bounds_are_the_extremes_before_and_beyond(way):
    """By a loop over all pairs of places, on a wave along the second of two axes."""
    axes = (Axis("p", 1, 10), Axis("d", 10, 100, monotone=way))

    def ends(v):
        middle = np.sin(9 * v[:, 1]) + v[:, 0]
        return np.stack([middle - 0.1, middle + 0.1])

    v = np.random.default_rng(0).uniform(size=(20, 2))
    low, high = bounds(axes, v, ends)
    for place, a, b in zip(v, low, high, strict=True):
        line = np.stack([np.full(17, place[0]), np.linspace(0, 1, 17)], axis=1)
        lows, highs = ends(line)
        before = line[:, 1] <= place[1] if way == "increasing" else line[:, 1] >= place[1]
        beyond = line[:, 1] >= place[1] if way == "increasing" else line[:, 1] <= place[1]
        assert a == max(x for x, is_before in zip(lows, before, strict=True) if is_before)
        assert b == min(x for x, is_beyond in zip(highs, beyond, strict=True) if is_beyond)
    low, high = bounds(axes[:1], v[:, :1], ends)
    assert np.all(np.isinf([low, high]))


def test_between_two_places_the_band_is_no_wider_than_from_one_to_the_other():
    found = counts(lambda d: 300.0, places=(10.0, 100.0), trials=8)
    posterior = BoundaryPosterior(found, told("increasing"))
    free = BoundaryPosterior(found, PRIOR)
    median, low, high = posterior.band(DENSE)
    _, free_low, free_high = free.band(DENSE)
    (first, last) = (free.band(DENSE[[0, -1]], 0.99)[k] for k in (1, 2))
    assert np.all((low >= free_low) & (high <= free_high))
    assert np.all((low >= first[0] * 0.999) & (high <= last[1] * 1.001))
    assert np.all((low <= median) & (median <= high))
    assert np.any(high / low < 0.7 * free_high / free_low)
    assert posterior.transition((31.0,)).interval() == pytest.approx((low[4], high[4]), rel=0.02)


def test_a_level_boundary_is_covered():
    """Where a prior of rising curves would not: 45 % at the last place."""
    inside, narrower = [], []
    for seed in range(40):
        found = counts(lambda d: 300.0, seed)
        _, low, high = BoundaryPosterior(found, told("increasing")).band(DENSE)
        _, free_low, free_high = BoundaryPosterior(found, PRIOR).band(DENSE)
        inside.append((low < 300) & (high > 300))
        narrower.append(np.log(high / low) / np.log(free_high / free_low))
    assert np.mean(inside) > 0.92
    assert np.mean(inside, axis=0).min() > 0.85
    assert np.mean(narrower) < 0.95


def test_counts_that_contradict_it_are_not_bounded():
    """A boundary that falls by a factor of ten, said to rise."""
    found = counts(lambda d: 3000 / d, trials=20)
    posterior = BoundaryPosterior(found, told("increasing"))
    assert posterior.contradicted(DENSE).all()
    free = BoundaryPosterior(found, PRIOR)
    for end, expected in zip(posterior.band(DENSE), free.band(DENSE), strict=True):
        np.testing.assert_allclose(end, expected)
    exponent = posterior.exponent(DENSE[[4]])
    assert exponent.high[0] < 0  # all of it has the wrong sign, and so it is told
    right = BoundaryPosterior(found, told("decreasing"))
    assert not right.contradicted(DENSE).any()
    assert not free.contradicted(DENSE).any()


def test_exponents_have_the_right_sign():
    found = counts(lambda d: 300.0)
    free = BoundaryPosterior(found, PRIOR).exponent(DENSE)
    assert np.any(free.low < 0)
    rising = BoundaryPosterior(found, told("increasing")).exponent(DENSE)
    falling = BoundaryPosterior(found, told("decreasing")).exponent(DENSE)
    assert np.all(rising.low >= 0)
    assert np.all(falling.high <= 0)
    np.testing.assert_allclose(rising.high[free.high > 0], free.high[free.high > 0])
