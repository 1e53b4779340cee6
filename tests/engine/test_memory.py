"""The memory that a recorded trial takes, by what the compiler plans for it; nothing is run."""

import jax
import pytest

from jaxflow.core.types import Point, Trial
from jaxflow.engine.program import Program
from jaxflow.engine.settings import Settings
from jaxflow.study.study import Study

GIB = 2**30


@pytest.mark.parametrize("dynamics", ["descent", "flow"])
def test_the_widest_trial_of_wide_networks_takes_a_few_states(dynamics):
    """n = d = 1000, p = 2^14: far below 8 GiB, and more than the state, its start and its step."""
    study = Study.load("overparameterized")
    point = Point(study.axes.d[0], study.axes.n[0], int(study.plan.high))
    assert (point.d, point.n, point.p) == (1000, 1000, 2**14)
    names = study.ensemble, study.dynamics, study.success, study.precision
    settings = Settings(*names, "auto", "step")
    key = settings.key(Trial(dynamics, point, 0, 1.0), recorded=True)
    setting = settings.setting(key)
    program = Program(setting, "map", 1, jax.devices()[0], study.record)
    kernel = program.kernels()["record"]
    planned = jax.jit(kernel.function).lower(*kernel.shapes).compile().memory_analysis()
    state = 4 * 2 * setting.shape.N * setting.shape.P  # span coordinates: C and Z
    assert setting.coordinates == "span"
    assert 3 * state < planned.temp_size_in_bytes < 2 * GIB
