"""Ask and tell, with outcomes from anywhere."""

import numpy as np
import pytest

from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.show.black_box import BlackBox


def outcomes(seed, threshold=200.0, width=0.1):
    random = np.random.default_rng(seed)
    chance = lambda x: 1 / (1 + (x / threshold) ** (4 / width))  # noqa: E731
    return lambda x: random.random() < chance(x)


def run(seed, **options):
    box, happens = BlackBox(20, 2000, 0.05, **options), outcomes(seed)
    while trials := box.ask():
        assert trials == box.ask()
        for x in trials:
            box.tell(x, happens(x))
    return box


def test_a_threshold_is_found_and_covered():
    covered = 0
    for seed in range(20):
        box = run(seed)
        low, high = box.posterior.interval()
        assert (high - low) / 2 <= 0.05 * box.posterior.median
        covered += low <= 200 <= high
    assert covered >= 17


def test_the_posterior_is_that_of_a_study(tmp_path):
    box = run(3)
    plan = ThresholdPlan(20, 2000, 0.05, rising=False)
    assert box.posterior.median == plan.posterior(box.counts).median
    again = BlackBox(20, 2000, 0.05, counts={t.x: (t.converged, t.trials) for t in box.counts})
    assert again.ask() == [] and repr(again) == repr(box)
    assert "crosses 1/2 at" in repr(box) and "after" in repr(box)
    box.plot(tmp_path / "box.png")
    assert (tmp_path / "box.png").stat().st_size > 10_000


def test_a_threshold_of_a_real_number_may_rise():
    box = BlackBox(0.01, 10.0, 0.2, along="noise", rising=True)
    for x in box.ask():
        assert 0.01 <= x <= 10
        box.tell(x, x > 0.5)
    while trials := box.ask():
        for x in trials:
            box.tell(x, x > 0.5)
    assert box.posterior.median == pytest.approx(0.5, rel=0.3)


def test_what_cannot_have_happened():
    box = BlackBox(10, 100)
    assert "nothing told yet" in repr(box)
    with pytest.raises(ValueError, match="x from 10 to 100, got 101"):
        box.tell(101, True)
    with pytest.raises(ValueError, match="happened <= 2 trials, got 3"):
        box.tell(50, 3, 2)
    box.tell(50, 0, 400)
    box.tell(11, 0, 400)
    assert "at < 10" in repr(box)
