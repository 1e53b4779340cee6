"""Certificate, crossing time, stall."""

import jax.numpy as jnp
import numpy as np
import pytest
from problems import drawn, keys_of

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.passages import not_finite
from jaxflow.flow.state import Request, Setting
from jaxflow.flow.stopping import LogLoss, Reason, is_stationary
from jaxflow.flow.trial import start
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.network import Parameters
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

PROBLEM = ShallowNetwork()


def test_certificate_is_the_smallest_label_of_the_true_samples():
    data, _ = drawn(n=12, shape=Shape(6, 16, 8))
    y = np.asarray(data.y)[:12]
    np.testing.assert_allclose(PROBLEM.target(data, None), np.min(y**2) / 24, rtol=1e-6)
    np.testing.assert_allclose(PROBLEM.target(data, 1.0), 1 / 24, rtol=1e-6)


@pytest.mark.parametrize(
    ("value", "target", "comparable"),
    [
        (0.5, 0.1, True),
        (0.0, 0.1, True),
        (np.inf, 0.1, False),
        (np.nan, 0.1, False),
        (0.5, np.inf, False),
        (np.inf, np.inf, False),
        (0.0, 0.0, False),
    ],
)
def test_what_is_no_number_is_compared_with_nothing(value, target, comparable):
    setting = Setting(PROBLEM, GradientFlow(), (Certificate(),), Shape(6, 16, 8), "float32")
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in (6, 12, 8)))
    state = start(setting, Request(keys_of(0, 6, 12, 8, 0), sizes, jnp.float32(1)))
    state = state._replace(loss=jnp.float32(value), targets=(jnp.float32(target),))
    failed, reason = not_finite(setting, state)
    assert (bool(failed), reason) == (not comparable, Reason.NOT_FINITE)
    if np.isfinite(value):
        assert bool(PROBLEM.is_comparable(state.data, jnp.float32(target))) is comparable


def test_a_label_of_zero_has_a_target_of_zero():
    data, _ = drawn()
    data = data._replace(y=data.y.at[0].set(0))
    assert PROBLEM.target(data, None) == 0
    assert PROBLEM.is_comparable(data, jnp.float32(0))


@pytest.mark.parametrize("rate", [0.3, 3.0])
def test_crossing_of_an_exponential_is_exact(rate):
    dt, target = jnp.float32(1.7), jnp.float32(0.02)
    values = jnp.float32(0.05), jnp.float32(0.05 * np.exp(-rate * 1.7))
    decays = rate * values[0], rate * values[1]
    expected = np.log(0.05 / 0.02) / rate / 1.7
    if expected <= 1:
        np.testing.assert_allclose(
            LogLoss(dt, values, decays).crossing(target), expected, atol=1e-5
        )


def test_crossing_of_a_smooth_loss_is_of_fourth_order():
    L = lambda t: np.exp(-t - 0.3 * np.sin(t))  # noqa: E731
    slope = lambda t: (1 + 0.3 * np.cos(t)) * L(t)  # noqa: E731
    for h in (0.8, 0.4):
        inside = LogLoss(
            jnp.float32(h),
            (jnp.float32(L(1)), jnp.float32(L(1 + h))),
            (jnp.float32(slope(1)), jnp.float32(slope(1 + h))),
        )
        found = inside.crossing(jnp.float32(L(1 + 0.37 * h)))
        np.testing.assert_allclose(found, 0.37, atol=1e-3 if h == 0.8 else 1e-4)
        np.testing.assert_allclose(inside.at(jnp.float32(0.37)), L(1 + 0.37 * h), rtol=1e-3)


def stationary(theta, velocity, remaining):
    decay = jnp.sum(velocity.W**2) + jnp.sum(velocity.a**2)
    value, rest = jnp.float32(0.25), jnp.float32(remaining)
    return bool(is_stationary(PROBLEM.geometry, drawn()[0], theta, velocity, value, decay, rest))


def test_stationary_means_that_the_rest_changes_nothing():
    theta = Parameters(jnp.ones((3, 2)), jnp.ones(3))
    still = Parameters(jnp.full((3, 2), 1e-7), jnp.zeros(3))
    assert stationary(theta, still, 1e3)
    assert not stationary(theta, still, 1e6)


def test_a_small_neuron_that_grows_is_not_stationary():
    theta = Parameters(jnp.ones((3, 2)).at[0].set(1e-9), jnp.ones(3).at[0].set(1e-9))
    growing = Parameters(jnp.zeros((3, 2)).at[0].set(5e-10), jnp.zeros(3))
    assert not stationary(theta, growing, 1e3)


def test_every_reason_has_its_outcome():
    ended = set(Reason) - {Reason.RUNNING, Reason.IDLE}
    assert {reason.outcome for reason in ended} == set(Outcome)


def test_where_a_step_passes_the_horizon_the_certificate_is_that_of_the_loss_recorded():
    """Of a loss that falls below its target at the horizon, and is above at the end of the step."""
    problem, horizon = ShallowNetwork(), 20.0
    lanes = Lanes("map", width=1, threads=1, coordinates="ambient")
    with LocalRunner(
        problem, {"flow": GradientFlow()}, event=Certificate(1.0), lanes=lanes
    ) as made:
        (row,) = made.run([Trial("flow", Point(4, 8, 16), 4, horizon)])
    assert row.outcome is Outcome.CONVERGED
    assert row.last_loss <= 1 / 16
