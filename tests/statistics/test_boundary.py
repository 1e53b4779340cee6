"""The posterior of a boundary against sampling, against single slices, and at its limits."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import multivariate_normal, multivariate_t
from simulated import proportion

from jaxflow.statistics.boundary import BoundaryPosterior, Counts
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.plane_prior import Axis, Prior
from jaxflow.statistics.posterior import Posterior
from jaxflow.statistics.propagation import FLAT, Joint, Sites, prior_covariance

LOW, HIGH = 10.0, 10000.0
PRIOR = Prior((Axis("d", 10, 100),), LOW, HIGH)


def counts(places, seed=0, trials=3, sizes=12, truth=lambda d: (17 * d**0.9, 0.2, 0.05)):
    """Trials spread over the transition at every d."""
    rng = np.random.default_rng(seed)
    found = []
    for d in places:
        n = np.unique(np.round(truth(d)[0] * np.exp(rng.uniform(-0.3, 0.3, sizes))))
        happened = rng.binomial(trials, proportion(n, truth(d)))
        tallies = [Tally(float(x), int(c), trials) for x, c in zip(n, happened, strict=True)]
        found.append(Counts((float(d),), tallies))
    return found


def log_likelihood(found, theta):
    """Of theta (samples, 3k), in the model's own words: lapse 0.3 ndtr(h), width exp(g)."""
    k = len(found)
    f, g, h = theta[:, :k], theta[:, k : 2 * k], theta[:, 2 * k :]
    total = np.zeros(len(theta))
    for i, (_, tallies) in enumerate(found):
        lapse = 0.3 * ndtr(h[:, i])
        slope = 2 * np.log(9) * np.exp(-g[:, i])
        for n, good, trials in ((t.x, t.converged, t.trials) for t in tallies):
            ratio = (1 - 2 * lapse) * np.exp(np.clip(slope * (np.log(n) - f[:, i]), -600, 600))
            chance = (1 - lapse) / (1 + ratio)
            rest = (lapse + ratio) / (1 + ratio)
            total += good * np.log(chance) + (trials - good) * np.log(rest)
    return total


@pytest.mark.parametrize(("seed", "trials", "off"), [(0, 1, 0.35), (1, 3, 0.12), (2, 10, 0.08)])
def test_it_is_what_importance_sampling_says(seed, trials, off):
    """Two places, 6 numbers: prior times likelihood, weighted over a wide t-distribution.

    Of a dozen trials at a place the posterior is skew, and its ends are off by a third.
    """
    found = counts([10, 40], seed, trials)
    prior = Prior((Axis("d", 10, 40),), LOW, HIGH)
    posterior = BoundaryPosterior(found, prior)
    v = prior.scaled([c.place for c in found])
    mean = prior.mean(v).T.ravel()
    mixture = [multivariate_normal(mean, C) for C in prior_covariance(prior, v)]
    weight = np.array([kernel.weight for kernel in prior.kernels])
    about, spread = posterior._joint.moments
    order = np.arange(6).reshape(2, 3).T.ravel()
    cov = np.zeros((6, 6))
    cov[:3, :3], cov[3:, 3:] = spread
    proposal = multivariate_t(
        about.ravel()[order], 2.0 * cov[np.ix_(order, order)], df=4, seed=np.random.default_rng(9)
    )
    theta = proposal.rvs(200_000)
    log_prior = np.logaddexp.reduce(
        [np.log(w) + one.logpdf(theta) for w, one in zip(weight, mixture, strict=True)]
    )
    log_weight = log_prior + log_likelihood(found, theta) - proposal.logpdf(theta)
    mass = np.exp(log_weight - log_weight.max())
    assert mass.sum() ** 2 / (mass**2).sum() > 2000  # samples that count
    ends = np.array([_quantiles(theta[:, i], mass) for i in range(2)]).T
    ours = np.log(posterior.at([c.place for c in found]).quantile([0.025, 0.5, 0.975]))
    apart = np.abs(ours - ends) / (ends[2] - ends[0])
    print(apart)
    assert np.all(apart < off)
    assert np.all(apart[1] < 0.06)


def _quantiles(x, mass):
    order = np.argsort(x)
    return np.interp([0.025, 0.5, 0.975], np.cumsum(mass[order]) / mass.sum(), x[order])


def test_given_sites_it_is_the_textbook_regression():
    """Observations of log n50 with normal errors: mean, covariance and evidence by hand."""
    v = np.array([[0.0], [0.3], [0.7], [1.0]])
    y, error = np.array([5.0, 5.5, 6.4, 6.2]), np.array([0.1, 0.2, 0.05, 0.3])
    precision = np.tile(FLAT * np.eye(3), (4, 1, 1))
    precision[:, 0, 0] = error**-2
    shift = np.zeros((4, 3))
    shift[:, 0] = y * error**-2
    joint = Joint(PRIOR, v, prior_covariance(PRIOR, v), Sites(precision, shift))
    w = np.array([[0.15], [0.9]])
    mean, cov = joint.threshold(w)
    level, evidence = np.log(LOW * HIGH) / 2, []
    for i, kernel in enumerate(PRIOR.kernels):
        K, cross, own = (PRIOR.of_threshold(*pair)[i] for pair in ((v, v), (w, v), (w, w)))
        noisy = K + np.diag(error**2)
        gain = cross @ np.linalg.inv(noisy)
        np.testing.assert_allclose(mean[i], level + gain @ (y - level), rtol=1e-8)
        np.testing.assert_allclose(cov[i], own - gain @ cross.T, atol=1e-7)
        evidence.append(
            np.log(kernel.weight) + multivariate_normal(np.full(4, level), noisy).logpdf(y)
        )
    expected = np.exp(np.array(evidence) - np.logaddexp.reduce(evidence))
    np.testing.assert_allclose(joint.weights, expected, rtol=1e-5)


def test_one_place_is_one_slice():
    (one,) = counts([40], trials=8)
    alone = Posterior(one.tallies, LOW, HIGH)
    here = BoundaryPosterior([one], PRIOR).transition(one.place)
    low, high = alone.interval()
    assert here.median == pytest.approx(alone.median, abs=0.15 * (high - low))
    assert here.interval() == pytest.approx((low, high), abs=0.15 * (high - low))
    assert here.width == pytest.approx(alone.width, rel=0.2)


def test_places_tell_each_other():
    """With a neighbour on either side the interval is narrower; far from all, wider."""
    found = counts([10, 30, 100], trials=6)
    grid = [[10.0], [17.0], [30.0], [55.0], [100.0]]
    together, (alone,) = BoundaryPosterior(found, PRIOR), [BoundaryPosterior(found[1:2], PRIOR)]
    widths = [p.at(grid).quantile(0.975) / p.at(grid).quantile(0.025) for p in (together, alone)]
    assert widths[0][2] < widths[1][2]
    assert np.all(widths[0] < widths[1])
    assert alone.transition((100.0,)).relative_half_width > 1


@pytest.mark.parametrize("trials", [100, 10_000, 1_000_000])
def test_however_many_the_trials_the_boundary_is_that_which_made_them(trials):
    """Sites of 10^7 trials are so sure that little but rounding is left of a difference."""
    places = np.arange(12, 92, 2)
    found = BoundaryPosterior(counts(places, trials=trials), PRIOR)
    median, low, high = found.band(places[:, None])
    error = np.log(median / (17 * places**0.9))
    half = np.log(high / low) / 2
    assert np.max(np.abs(error) / half) < 2
    assert 0.02 < np.median(half) * np.sqrt(trials) < 0.08


def test_neither_order_nor_start_matters():
    found = counts([10, 20, 40, 100])
    split = [Counts(c.place, [*c.tallies[1:], c.tallies[0]]) for c in reversed(found)]
    first = BoundaryPosterior(found, PRIOR)
    ends = first.band([[10.0], [30.0], [90.0]])
    for other in (
        BoundaryPosterior(split, PRIOR),
        BoundaryPosterior(found, PRIOR, start=BoundaryPosterior(found[:2], PRIOR)),
    ):
        for x, y in zip(ends, other.band([[10.0], [30.0], [90.0]]), strict=True):
            np.testing.assert_allclose(x, y, rtol=2e-3)


def test_rising_is_falling_in_one_over_x():
    found = counts([10, 40])
    mirrored = [
        Counts(c.place, [Tally(1 / t.x, t.converged, t.trials) for t in c.tallies]) for c in found
    ]
    prior = Prior(PRIOR.axes, 1 / HIGH, 1 / LOW)
    falling = BoundaryPosterior(found, PRIOR).band([[10.0], [25.0]])
    rising = BoundaryPosterior(mirrored, prior, rising=True).band([[10.0], [25.0]])
    np.testing.assert_allclose(falling[0], 1 / rising[0], rtol=1e-3)
    np.testing.assert_allclose(falling[1], 1 / rising[2], rtol=1e-3)


@pytest.mark.parametrize(
    "tallies",
    [
        [],
        [Tally(100, 1, 1)],
        [Tally(10, 0, 50)],
        [Tally(10000, 50, 50)],
        [Tally(299, 40, 40), Tally(300, 0, 40)],
        [Tally(200, 10**6, 10**6), Tally(250, 5 * 10**5, 10**6), Tally(300, 0, 10**6)],
    ],
)
def test_extreme_counts(tallies):
    """None, one, all of one kind, separated, and a million."""
    found = [Counts((10.0,), tallies), *counts([40, 100])]
    posterior = BoundaryPosterior(found, PRIOR)
    median, low, high = (float(end[0]) for end in posterior.band([[10.0]]))
    assert np.isfinite([low, median, high]).all()
    assert low < median < high
    if tallies and tallies[0].x == 10:
        assert median < 10
    if tallies and tallies[0].x == 10000:
        assert median > 10000
    if len(tallies) == 2:
        assert 299 * 0.97 < low < high < 300 * 1.03
    if len(tallies) == 3:
        assert high / low < 1.01


def test_the_exponent_is_the_slope_of_the_boundary():
    """Of a power, the power; its median, the difference of that of the band."""
    posterior = BoundaryPosterior(counts([10, 20, 40, 70, 100], trials=30), PRIOR)
    value, low, high = posterior.exponent([[15.0], [60.0]])
    assert np.all((low < 0.9) & (high > 0.9))
    wide = posterior.band([[58.0], [62.0]])[0]
    assert value[1] == pytest.approx(np.log(wide[1] / wide[0]) / np.log(62 / 58), abs=0.02)
    flat = Prior((Axis("shift", -1.0, 1.0, logarithmic=False),), LOW, HIGH)
    moved = [Counts((x,), c.tallies) for x, c in zip((-1, 0, 1), counts([10, 10, 10]), strict=True)]
    assert BoundaryPosterior(moved, flat).exponent([[0.0]]).value[0] == pytest.approx(0, abs=0.05)


def test_counts_that_no_boundary_makes_are_surprising():
    """P that rises and falls again; beside it, counts of the model."""
    sound = counts([10, 30, 100], trials=20)
    assert BoundaryPosterior(sound, PRIOR).predictive() > 0.05
    waves = [Tally(float(n), 20 * (k % 2), 20) for k, n in enumerate(np.geomspace(100, 400, 12))]
    assert BoundaryPosterior([Counts((20.0,), waves), *sound], PRIOR).predictive() < 0.01
    assert np.isnan(BoundaryPosterior([], PRIOR).predictive())
    silent = [Counts((50.0,), []), *sound]
    assert BoundaryPosterior(silent, PRIOR).predictive() > 0.05


def test_a_place_that_does_not_go_with_the_others_stands_out():
    """A slice whose threshold is a third of what its neighbours say."""
    places = (10, 20, 30, 45, 65, 100)
    found = counts(places, trials=20)
    odd = [Counts(c.place, [Tally(t.x / 3, t.converged, t.trials) for t in c.tallies])
           if c.place == (45.0,) else c for c in found]  # fmt: skip
    scores = BoundaryPosterior(odd, PRIOR).left_out
    assert np.argmax(np.abs(scores)) == 3
    assert scores[3] < -2
    many = [
        BoundaryPosterior(counts(places, seed, trials=20), PRIOR).left_out for seed in range(30)
    ]
    assert 0.6 < np.std(many) < 1.4


def test_a_curve_has_its_band():
    """At the threshold one half, beside it what a slice alone says of many trials."""
    (one,) = counts([40], trials=100)
    here = BoundaryPosterior([one], PRIOR).transition(one.place)
    n = here.median * np.array([0.85, 1.0, 1.15])
    mean, low, high = here.curve(n)
    alone, _, _ = Posterior(one.tallies, LOW, HIGH).curve(n)
    np.testing.assert_allclose(mean, alone, atol=0.03)
    assert np.all((low < mean) & (mean < high))
    assert mean[1] == pytest.approx(0.5, abs=0.02)


def test_without_counts_it_is_the_prior():
    posterior = BoundaryPosterior([], PRIOR)
    here = posterior.transition((10**1.5,))
    assert here.median == pytest.approx((LOW * HIGH) ** 0.5, rel=1e-3)
    assert here.width == pytest.approx(0.3)


def test_mistakes():
    (one,) = counts([40])
    with pytest.raises(ValueError, match="every place once"):
        BoundaryPosterior([one, one], PRIOR)
    with pytest.raises(ValueError, match="low < high"):
        Axis("d", 5, 5)
    with pytest.raises(ValueError, match="level"):
        BoundaryPosterior([one], PRIOR).band([[10.0]], level=1.5)
