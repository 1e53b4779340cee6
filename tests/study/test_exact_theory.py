"""Thresholds that theory knows exactly, through the whole chain: draw, flow, event, statistics."""

import numpy as np
import pytest
from scipy.stats import binom

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.flow.events import Above, Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.papers.perceptron import separable
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.examples.random_features import RandomFeatures
from jaxflow.problems.shallow.activations import Quadratic
from jaxflow.problems.shallow.initialization import GaussianWeights
from jaxflow.problems.shallow.inputs import Gaussian
from jaxflow.problems.shallow.labels import GaussianLabels
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import estimate

pytestmark = pytest.mark.slow


def counts(problem, event, places, d, p, time, trials):
    """How many of the trials at each n have the event."""
    asked = [Trial("it", Point(d, n, p), seed, time) for n in places for seed in range(trials)]
    with LocalRunner(problem, {"it": GradientFlow()}, event=event) as runner:
        rows = runner.run(asked)
    return [sum(row.outcome is Outcome.CONVERGED for row in rows if row.n == n) for n in places]


@pytest.mark.parametrize("d", [20, 30, 60])
def test_the_perceptron_is_as_separable_as_cover_says(d):
    """Within the 95 % binomial interval of the formula, at all but one of seven n."""
    places = [round(d * x) for x in (1.5, 1.7, 1.85, 2.0, 2.15, 2.3, 2.6)]
    found = counts(Perceptron(), Above("margin", 0.0), places, d, 1, 1e7, 250)
    exact = separable(np.array(places), d)
    low, high = binom.interval(0.95, 250, exact)
    inside = (low <= found) & (found <= high)
    assert inside.sum() >= 6, list(zip(places, found, exact, strict=True))
    tallies = [Tally(n, count, 250) for n, count in zip(places, found, strict=True)]
    threshold = estimate(tallies, places[0], places[-1])
    assert threshold.low <= 2 * d <= threshold.high
    assert abs(threshold.n50 - 2 * d) <= 0.03 * 2 * d


CASES = {
    "least squares, n = d": (RandomFeatures("linear"), 20, 400, 20, 1e7),
    "random features, n = p": (RandomFeatures("tanh"), 60, 20, 20, 1e7),
    "quadratic network, n = d (d + 1) / 2": (
        ShallowNetwork(
            Gaussian(),
            GaussianLabels(),
            Network(Quadratic(), "1/sqrt(p)", "first"),
            GaussianWeights("1/d", "signs"),
        ),
        6,
        48,
        21,
        1e4,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_as_many_labels_are_fitted_as_there_are_unknowns(name):
    """All of one less, hardly any of two more: the flow in between is slow, and never short."""
    problem, d, p, exact, time = CASES[name]
    places = [exact - 2, exact - 1, exact, exact + 1, exact + 2, exact + 4]
    found = np.array(counts(problem, Certificate(), places, d, p, time, 100))
    tallies = [Tally(n, int(count), 100) for n, count in zip(places, found, strict=True)]
    threshold = estimate(tallies, places[0], places[-1])
    assert found[0] >= 95 and found[-1] <= 5, list(zip(places, found, strict=True))
    assert exact - 0.5 <= threshold.n50 <= exact + 1.5, threshold
