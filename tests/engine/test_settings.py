"""Parameters of laws as axes: an input of one program, or compiled in where they must be."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from jaxflow.core.keys import trial_keys
from jaxflow.core.names import annotation, replaced, with_traced
from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine import batches
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.settings import Lanes, Settings
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.shallow.activations import LeakyReLU
from jaxflow.problems.shallow.initialization import Dominated, ExplicitWeights
from jaxflow.problems.shallow.labels import Teacher
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

SHRINK, LEAK = "problem.initialization.shrink", "problem.network.activation.leak"
STEP, RANK = "dynamics.descent.step", "problem.labels.rank"


def ended(problem, dynamics, points, horizon=40.0):
    with LocalRunner(problem, dynamics, event=Certificate(1.0)) as runner:
        name = next(iter(dynamics))
        rows = runner.run([Trial(name, point, 0, horizon) for point in points])
        return rows, len(runner.programs)


def at(**values):
    return Point(5, 16, 16, tuple(sorted(values.items())))


@pytest.fixture
def drawn_by_sizes(monkeypatch):
    """Trials of any parameters from the same draws."""
    keys = lambda seed, point, number: trial_keys(seed, replace(point, parameters=()), number)  # noqa: E731
    monkeypatch.setattr(batches, "trial_keys", keys)


def test_a_number_is_an_input_and_says_what_the_law_with_it_says(drawn_by_sizes):
    points = [at(**{SHRINK: s, LEAK: k}) for s in (0.3, 1.0) for k in (0.0, 0.2)]
    rows, programs = ended(
        ShallowNetwork(network=Network(LeakyReLU(0.5))), {"flow": GradientFlow()}, points
    )
    assert programs == 1
    for row in rows:
        values = dict(row.parameters)
        law = ShallowNetwork(
            network=Network(LeakyReLU(values[LEAK])),
            initialization=Dominated(shrink=values[SHRINK]),
        )
        ((alone,), _) = ended(law, {"flow": GradientFlow()}, [Point(5, 16, 16)])
        assert row.first_loss == pytest.approx(alone.first_loss, rel=1e-5)
        assert row.outcome is alone.outcome
        if row.outcome is Outcome.CONVERGED:
            assert row.flow_time == pytest.approx(alone.flow_time, rel=0.02)


def test_the_step_of_a_descent_is_an_input():
    points = [at(**{STEP: step}) for step in (0.25, 0.5)]
    rows, programs = ended(ShallowNetwork(), {"descent": GradientDescent()}, points)
    assert programs == 1
    for row, step in zip(rows, (0.25, 0.5), strict=True):
        ((alone,), _) = ended(
            ShallowNetwork(), {"descent": GradientDescent(step)}, [Point(5, 16, 16)]
        )
        assert (row.steps, row.outcome) == (alone.steps, alone.outcome)
        assert row.last_loss == pytest.approx(alone.last_loss, rel=1e-3)


def test_an_integer_is_compiled_in():
    points = [at(**{RANK: float(rank)}) for rank in (1, 3)]
    rows, programs = ended(ShallowNetwork(labels=Teacher()), {"flow": GradientFlow()}, points, 1.0)
    assert programs == 2
    assert rows[0].first_loss != rows[1].first_loss


@pytest.mark.parametrize("name", [SHRINK, LEAK])
def test_a_traced_number_leaves_the_root_as_it_was(name):
    root = {"problem": ShallowNetwork(network=Network(LeakyReLU(0.5)))}
    assert annotation(root, name) is float
    made = replaced(root, name, 0.25)
    assert root["problem"] != made["problem"]
    path = name.removeprefix("problem.")
    traced = jax.jit(
        lambda x: getattr(
            with_traced(root["problem"], path, x).initialization
            if name == SHRINK
            else with_traced(root["problem"], path, x).network.activation,
            path.rpartition(".")[2],
        )
    )(0.125)
    np.testing.assert_allclose(traced, 0.125)
    assert root == {"problem": ShallowNetwork(network=Network(LeakyReLU(0.5)))}


def test_replaced_values_are_checked():
    with pytest.raises(ValueError, match="0 <= leak < 1"):
        replaced({"problem": ShallowNetwork(network=Network(LeakyReLU()))}, LEAK, 2.0)


def test_entries_of_lists_are_fields():
    root = {
        "problem": ShallowNetwork(
            initialization=ExplicitWeights(((1.0, 2.0), (3.0, 4.0)), (5.0, 6.0))
        )
    }
    for name in ("W.1.0", "a.1"):
        assert annotation(root, f"problem.initialization.{name}") is float
    made = replaced(root, "problem.initialization.W.1.0", 7.0)["problem"].initialization
    assert made.W == ((1.0, 2.0), (7.0, 4.0))
    traced = with_traced(root["problem"], "initialization.a.1", 8.0).initialization
    assert traced == ExplicitWeights(((1.0, 2.0), (3.0, 4.0)), (5.0, 8.0))
    assert root["problem"].initialization.a == (5.0, 6.0)
    assert annotation(root, "problem.initialization.W.0") == tuple[float, ...]  # no number
    for name in ("a.2", "a.x", "a.1.0"):
        with pytest.raises(ValueError, match="expected"):
            annotation(root, f"problem.initialization.{name}")


@pytest.mark.parametrize(
    "mistake", [lambda: Lanes("lanes"), lambda: Lanes(width=-1), lambda: Lanes(threads=-2)]
)
def test_lanes_refuse_what_is_none(mistake):
    with pytest.raises(ValueError, match="expected"):
        mistake()


def test_a_lane_advances_by_evaluations_where_it_would_wait_for_others():
    trial = Trial("flow", Point(5, 16, 16), 0, 1.0)
    found = {}
    for transform in ("map", "vmap"):
        dynamics = {"flow": GradientFlow()}
        names = ShallowNetwork(), dynamics, {"": Certificate(1.0)}, "float32"
        settings = Settings(*names, Lanes(transform))
        for recorded in (False, True):
            key = settings.key(trial, recorded)
            found[transform, recorded] = settings.setting(key).advance_by
    alone = {("map", False), ("map", True), ("vmap", True)}
    assert {place for place, by in found.items() if by == "step"} == alone
    assert found["vmap", False] == "evaluation"
