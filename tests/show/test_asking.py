"""One threshold, one transition, one trial, from Python."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxflow as jf
from jaxflow.report.slices import slices
from jaxflow.study.direction import usual

EVENT = jf.Above("margin", 0.0)


class Noisy(jf.Perceptron):
    """A class of this module, whose labels follow the inputs but for noise."""

    def sample(self, key, nature, point):
        x = jax.random.normal(key, (point.d,))
        return x, jnp.sign(x[0])


class Saddle(jf.Problem):
    """A loss that falls through zero: x^4 / 4 - x^2 / 2 from near 0, with minima of -1/4."""

    def draw(self, keys, point):
        return (), 0.01 * jax.random.normal(keys.start, (point.d,))

    def loss(self, data, parameters):
        return jnp.sum(parameters**4 / 4 - parameters**2 / 2)


@dataclass(frozen=True, eq=False)
class Slope(jf.Problem):
    """steepness x^2 / 2 from x = 1."""

    steepness: float = 1.0

    def draw(self, keys, point):
        return jnp.asarray(self.steepness), jnp.ones(())

    def loss(self, data, parameters):
        return data * parameters**2 / 2


def test_a_threshold_in_memory(tmp_path):
    found = jf.threshold(
        Noisy(), event=EVENT, d=3, low=17, high=32, label_noise=0.1, time=200, quiet=True,
        relative_half_width=0.3,
    )  # fmt: skip
    assert "label_noise = 0.1" in repr(found)
    assert len(found.rows()) > 4
    found.plot(tmp_path / "first.png")
    found.plot(path=tmp_path / "second.png")
    assert {path.name for path in tmp_path.iterdir()} == {"first.png", "second.png"}


def test_a_transition_and_its_proportions():
    options = {"event": EVENT, "d": 3, "quiet": True}
    found = jf.transition(Noisy(), values=[20, 30], trials=8, time=200, **options)
    shares = found.proportions()
    assert [(entry["n"], entry["trials"]) for entry in shares] == [(20, 8), (30, 8)]
    for entry in shares:
        assert entry["low"] <= entry["proportion"] <= entry["high"]
    with pytest.raises(ValueError, match="list each once"):
        jf.transition(Noisy(), values=[20, 20], **options)


def test_a_trial_has_the_parameters_it_is_given(tmp_path):
    plain = jf.trial(Noisy(), event=EVENT, d=3, n=20, time=50)
    noisy = jf.trial(Noisy(), event=EVENT, d=3, n=20, time=50, label_noise=0.3)
    assert noisy.row.parameters == (("problem.label_noise", 0.3),)
    assert noisy.row.last_loss != plain.row.last_loss
    assert "CONVERGED" in repr(plain)
    noisy.plot(tmp_path / "trial.png")
    assert (tmp_path / "trial.png").stat().st_size > 10_000


def test_a_parameter_given_is_the_field_of_its_name():
    """Where nothing is drawn, for another point is of other draws."""
    event = jf.Below("loss", 1e-3)
    given = jf.trial(Slope(), event=event, time=50, steepness=0.3)
    field = jf.trial(Slope(steepness=0.3), event=event, time=50)
    assert (
        given.row.flow_time
        == field.row.flow_time
        > jf.trial(Slope(), event=event, time=50).row.flow_time
    )


def test_sizes_that_a_problem_uses_must_be_said():
    with pytest.raises(ValueError, match="values of d, got 'none'"):
        jf.threshold(Noisy(), event=EVENT, low=10, high=20)
    with pytest.raises(ValueError, match="a number of samples n"):
        jf.trial(Noisy(), event=EVENT, d=3)
    with pytest.raises(ValueError, match="n >= 16, the batch of descent, got 10"):
        jf.threshold(Noisy(), jf.GradientDescent(0.1, batch=16), event=EVENT, d=3, low=10, high=20)


def test_a_class_of_a_script_is_not_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(Noisy, "__module__", "__main__")
    with pytest.raises(ValueError, match=r"a name to import problem by.*run without a folder"):
        jf.threshold(Noisy(), event=EVENT, d=3, low=17, high=32, out=tmp_path, quiet=True)


def test_a_loss_may_fall_through_zero():
    found = jf.trial(Saddle(), event=jf.Below("loss", -0.4), d=2, time=100)
    assert found.row.outcome == "CONVERGED" and found.row.steps < 100
    rest = jf.trial(Saddle(), event=jf.Below("loss", -0.6), d=2, time=1000)
    assert rest.row.outcome in ("STALLED", "UNDECIDED")
    assert rest.row.last_loss == pytest.approx(-0.5, abs=1e-3)


def test_the_usual_directions():
    learnt, fitted = jf.Below("test_error", 0.1), jf.Certificate()
    assert [usual(axis, learnt) for axis in "ndp"] == [True, False, True]
    assert [usual(axis, fitted) for axis in "ndp"] == [False, True, True]
    assert usual("problem.label_noise", learnt) is False


def test_a_wrong_direction_is_remarked(tmp_path):
    """Learning grows likelier with n; a plan that takes it to grow rarer is told so."""
    event = jf.Below("test_error", 0.2)
    options = {"d": 4, "values": [17, 31], "trials": 25, "time": 50, "quiet": True}
    noisy = Noisy(label_noise=0.2, test_samples=300)
    wrong = jf.transition(noisy, event=event, rising=False, out=tmp_path / "wrong", **options)
    (slice,) = slices(tmp_path / "wrong")
    shares = [entry["proportion"] for entry in wrong.proportions()]
    plainly = np.diff(shares)[0] > 4 * np.sqrt(2 * np.mean(shares) * (1 - np.mean(shares)) / 25)
    assert slice.runs_against_plan is bool(plainly)
    assert ("set rising = true" in repr(wrong)) is bool(plainly)
    assert ("set rising = true" in str(wrong.table())) is bool(plainly)
