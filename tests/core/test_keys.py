"""Which trials have draws in common: by the sizes and what the point says of the problem."""

import numpy as np
import pytest
from scipy.stats import kstest

from jaxflow.core.keys import Keys, Uniforms, trial_keys
from jaxflow.core.types import Point

HERE = Point(3, 20, 4, (("dynamics.descent.step", 0.5), ("problem.strength", 1.5)))


def words(point: Point, seed: int = 0, study_seed: int = 7) -> tuple[int, ...]:
    return tuple(np.concatenate(trial_keys(study_seed, point, seed)).tolist())


@pytest.mark.parametrize(
    "axis", ["d", "n", "p", "problem.strength", "problem.initialization.scale"]
)
def test_places_of_another_problem_are_of_other_draws(axis):
    assert words(HERE.moved(axis, 9)) != words(HERE)
    assert words(HERE, seed=1) != words(HERE) != words(HERE, study_seed=8)


@pytest.mark.parametrize("axis", ["dynamics.descent.step", "dynamics.edge.least"])
def test_dynamics_start_from_the_same_draws(axis):
    assert words(HERE.moved(axis, 9)) == words(HERE)


def test_draws_along_a_parameter_are_uniform_together():
    """Of one number, at many places: as of one place, with many numbers."""
    places = [HERE.moved("problem.strength", x) for x in np.linspace(0.1, 2, 400)]
    first = [Uniforms(trial_keys(0, place, 0).samples, 1, 1).entries.item() for place in places]
    assert kstest(first, "uniform").pvalue > 1e-3


def test_each_stream_has_a_key_of_its_own():
    keys = trial_keys(0, HERE, 0)
    assert len({tuple(key.tolist()) for key in keys}) == len(Keys._fields)
