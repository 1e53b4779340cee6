"""The zero of log(t/T), where it is known and where it is not."""

from math import inf, log

import pytest

from jaxflow.sampling.guess import guess_by_times


def excess(n, threshold=400.0, power=3.0):
    """log(t/T) of a law t/T = (n/threshold)^power."""
    return power * log(n / threshold)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_power_law_is_found_exactly_on_either_axis(sign):
    places = [100.0, 250.0, 700.0]
    found = guess_by_times({n**sign: [excess(n)] * 3 for n in places})
    assert found.x**sign == pytest.approx(400)
    assert found.spread < 0.5 * log(700 / 250)


@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_the_horizon_it_is_extrapolated_but_not_past_what_failed(sign):
    known = {n**sign: [excess(n)] for n in (100.0, 250.0)}
    assert guess_by_times({**known, 700.0**sign: [inf]}).x ** sign == pytest.approx(400)
    assert guess_by_times({**known, 300.0**sign: [inf]}).x ** sign == pytest.approx(300)


def test_nothing_is_guessed_where_nothing_is_known():
    assert guess_by_times({}) is None
    assert guess_by_times({100.0: [-1.0], 200.0: [-0.5]}) is None
    assert guess_by_times({100.0: [-1.0], 200.0: [inf]}) is None
    assert guess_by_times({100.0: [inf], 200.0: [inf]}) is None


def test_one_stray_trial_does_not_move_the_median():
    trials = {n: [excess(n)] * 3 for n in (250.0, 700.0)}
    trials[250.0].append(inf)
    assert guess_by_times(trials).x == pytest.approx(400)
