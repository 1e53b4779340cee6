"""Horizons in the unit of the dynamics: flow times, steps, epochs."""

import pytest

from jaxflow.core.types import Outline, Pace, Point
from jaxflow.sampling.axes import Horizon
from jaxflow.study.study import Study

POINT = Point(4, 50, 3)
ADAM = Pace(0.01)
BATCHES = Pace(0.1, 8)


def test_steps_are_so_many_times_their_size():
    horizon = Horizon(steps=(100, 1000))
    assert horizon.times(POINT, "adam", ADAM) == pytest.approx((1.0, 10.0))
    assert (horizon.labels, horizon.unit) == (("100 steps", "1000 steps"), "steps")


def test_an_epoch_is_a_pass_over_the_samples():
    """50 // 8 = 6 batches, the rest of a pass being dropped; without batches it is a step."""
    horizon = Horizon(epochs=(10,))
    assert horizon.times(POINT, "sgd", BATCHES) == pytest.approx((10 * 6 * 0.1,))
    assert horizon.times(POINT, "adam", ADAM) == pytest.approx((0.1,))
    assert horizon.labels == ("10 epochs",)


def test_a_step_that_is_an_axis_is_that_of_the_point():
    point = Point(4, 50, 3, (("dynamics.sgd.step", 0.5),))
    assert Horizon(steps=(10,)).times(point, "sgd", BATCHES) == (5.0,)
    assert Horizon(steps=(10,)).times(point, "other", BATCHES) == (1.0,)


def test_flows_have_flow_time_beside_it():
    horizon = Horizon(time=(7.0,), epochs=(10, 20))
    assert horizon.of("flow", Pace()) == Horizon(time=(7.0,))
    assert horizon.of("sgd", BATCHES) == Horizon(epochs=(10, 20))
    with pytest.raises(ValueError, match=r"in flow time for flow.*'10 steps'.*horizon.time"):
        Horizon(steps=(10,)).of("flow", Pace())
    rule = Horizon(steps=(10,), factor=(2.0,))
    assert rule.of("flow", Pace()) == Horizon(factor=(2.0,))
    assert Horizon().of("sgd", BATCHES) == Horizon()


def test_one_that_says_nothing_of_steps_is_what_it_was():
    """To the letter: it is part of what a design is known by."""
    study = {
        "name": "x", "axes": {"d": 3, "p": 2}, "dynamics": {"it": {"kind": "descent"}},
        "grid": {"values": [4], "repetitions": 1}, "horizon": {"time": [3.0]},
    }  # fmt: skip
    design = Study.from_table(study).design
    assert '"horizon":{"factor":[],"time":[3.0]}' in design.json


def test_mistakes():
    for wrong, said in (
        ({"steps": (1.5,)}, "an integer at steps"),
        ({"steps": (10,), "epochs": (1.0,)}, "in steps, or in epochs"),
        ({"epochs": (-1.0,)}, "epochs of the horizon > 0"),
    ):
        with pytest.raises(ValueError, match=said):
            Horizon(**wrong)


def test_the_outline_of_a_protocol_is_read_from_plain_values():
    table = {
        "dynamics": {"a": {"kind": "flow"}, "b": {"kind": "m:C", "step": 0.5, "batch": 4}},
        "events": {"z": {}, "y": {}},
    }
    assert Outline.of(table) == Outline({"a": Pace(), "b": Pace(0.5, 4)}, ("y", "z"))
    odd = {"dynamics": {"a": {"step": "long", "batch": True}}}
    assert Outline.of(odd) == Outline({"a": Pace()}, ("",))
