"""Inputs drawn again are those that a trial starts with in its lane."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxflow.core.types import Point, Trial
from jaxflow.engine.batches import requests
from jaxflow.flow.events import Certificate
from jaxflow.flow.state import Setting
from jaxflow.flow.trial import start
from jaxflow.study.drawing import inputs_of
from jaxflow.study.study import Study

SCALE = "problem.inputs.scale"


def a_study(inputs, parameters):
    return Study.from_table(
        {
            "name": "study",
            "axes": {"d": [9], "n": [5], "parameters": parameters},
            "grid": {"values": [16], "repetitions": 1, "along": "p"},
            "dynamics": {"descent": {"kind": "descent"}},
            "seed": 3,
            "problem": {"inputs": inputs},
        }
    )


@pytest.mark.parametrize(
    ("inputs", "values"),
    [({"law": "sphere", "low": 1.0, "high": 1.0}, ()), ({"law": "gaussian"}, ((SCALE, 0.25),))],
)
def test_inputs_are_those_of_the_lane(inputs, values):
    study = a_study(inputs, {name: [x] for name, x in values})
    names = tuple(name for name, _ in values)
    trial = Trial("descent", Point(9, 5, 16, values), 2, 1.0)
    dynamics = study.dynamics["descent"]
    problem, shape = study.problem, study.problem.shape(trial.point)
    setting = Setting(problem, dynamics, (Certificate(1.0),), shape, "float32", parameters=names)
    request = jax.tree.map(
        lambda leaf: jnp.asarray(leaf[0]), requests(study.seed, [trial], 1, "float32", names)
    )
    X = inputs_of(study, trial)
    assert X.shape == (5, 9)
    np.testing.assert_allclose(X, start(setting, request).data.X[:5], rtol=1e-6)
    other = Trial("descent", trial.point, 3, 1.0)
    assert np.all(inputs_of(study, other) != X)


def test_a_point_that_has_no_trial_is_refused():
    study = a_study({"law": "orthogonal"}, {})
    with pytest.raises(ValueError, match="n <= d"):
        inputs_of(study, Trial("descent", Point(9, 10, 16), 0, 1.0))
