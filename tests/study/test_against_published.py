"""The control against the published thresholds of experiments 1.1 and 1.2 (arXiv 2502.16977)."""

import pytest

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.papers.bounds import published_horizon
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.fixed_slope import published_estimator, published_interval
from jaxflow.statistics.posterior import Posterior

pytestmark = pytest.mark.slow

# d, p, the published threshold, the published grid of n and its repetitions.
EXPERIMENT_1_1 = [(d, 30, N, range(d, 30 * d - 199, d), 20) for d, N in ((30, 150), (60, 600))]
EXPERIMENT_1_2 = [
    (30, p, N, range(250, 451, 10), 25) for p, N in ((100, 293), (200, 347), (400, 387))
]


@pytest.mark.parametrize(("d", "p", "threshold", "grid", "count"), EXPERIMENT_1_1 + EXPERIMENT_1_2)
def test_the_control_has_the_published_threshold(d, p, threshold, grid, count):
    """On the published grid, by the published estimator within 3 %, and by our interval."""
    trials = [
        Trial("descent", Point(d, n, p), seed, published_horizon(n, p))
        for n in grid
        for seed in range(count)
    ]
    with LocalRunner(
        ShallowNetwork(), {"descent": GradientDescent(1.0)}, event=Certificate(1.0)
    ) as runner:
        rows = runner.run(trials)
    converged = {n: 0 for n in grid}
    for row in rows:
        converged[row.n] += row.outcome is Outcome.CONVERGED
    tallies = [Tally(n, converged[n], count) for n in grid]
    found, (low, high) = published_estimator(tallies), published_interval(tallies)
    ours = Posterior(tallies, min(grid), max(grid))
    print(f"N({d}, {p}): published {threshold}, ours by the same estimator {found:.1f} "
          f"[{low:.1f}, {high:.1f}], by our posterior {ours.median:.1f} "
          "[{:.1f}, {:.1f}]".format(*ours.interval()))  # fmt: skip
    assert abs(found / threshold - 1) < 0.03
    assert ours.interval()[0] < threshold * 1.03
    assert ours.interval()[1] > threshold * 0.97
