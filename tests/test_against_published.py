"""The control against the published transition of experiment 1.2 (arXiv 2502.16977)."""

import pytest

from jaxflow._types import Outcome, Point, Trial
from jaxflow.engine import Runner
from jaxflow.ensemble import Ensemble
from jaxflow.flow import GradientDescent
from jaxflow.published import EXPERIMENT_1_2 as PUBLISHED
from jaxflow.sweep import Posterior, Tally, published_estimator
from jaxflow.theory import published_horizon

pytestmark = pytest.mark.slow


def test_the_control_has_the_published_threshold():
    """On the published grid, by the published estimator within 3 %, and by our interval."""
    d, p, count = PUBLISHED.d, PUBLISHED.p, PUBLISHED.repetitions
    grid = [n for n, _ in PUBLISHED.proportions]
    trials = [
        Trial("descent", Point(d, n, p), seed, published_horizon(n, p))
        for n in grid
        for seed in range(count)
    ]
    control = {"descent": GradientDescent(PUBLISHED.step)}
    with Runner(Ensemble(), control, success=PUBLISHED.success) as runner:
        rows = runner.run(trials)
    converged = {n: 0 for n in grid}
    for row in rows:
        converged[row.n] += row.outcome is Outcome.CONVERGED
    tallies = [Tally(n, converged[n], count) for n in grid]
    low, high = Posterior(tallies, 100, 1000).interval()
    estimated = published_estimator(tallies)
    print("published", estimated, low, high)
    assert abs(estimated / PUBLISHED.threshold - 1) < 0.03
    assert low < PUBLISHED.threshold * 1.03
    assert high > PUBLISHED.threshold * 0.97
