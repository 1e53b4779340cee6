"""What a trial of a study starts from, drawn again from its keys."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jaxflow.core.keys import Uniforms, trial_keys
from jaxflow.core.names import annotation, replaced
from jaxflow.core.types import Trial
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw
from jaxflow.study.study import Study

Array = NDArray[np.float64]


def drawn(study: Study, trial: Trial) -> tuple[Array, Array, Array, Array]:
    """Inputs X (n, d), labels y (n,) and first parameters W (p, d), a (p,) of a trial.

    They are the ones its flow starts from, which are drawn in float32. With biases X has a last
    column of ones and W the biases, d + 1 columns. Raises `ValueError` where the study's problem
    has no trial at that point.
    """
    d, n, p = trial.point.d, trial.point.n, trial.point.p
    keys = jax.tree.map(jnp.asarray, trial_keys(study.seed, trial.point, trial.seed))
    data, theta = draw(problem_of(study, trial), keys, Sizes(d, n, p), Shape(d, n, p), "float32")
    X, y, W, a = (np.asarray(v, np.float64) for v in (data.X, data.y, theta.W, theta.a))
    return X, y, W, a


def inputs_of(study: Study, trial: Trial) -> NDArray[np.float32]:
    """The inputs X (n, d) alone, in float32, without drawing the weights of a wide network."""
    keys = trial_keys(study.seed, trial.point, trial.seed)
    return np.asarray(_inputs(problem_of(study, trial), keys.samples, trial.point.n, trial.point.d))


@partial(jax.jit, static_argnums=(0, 2, 3))  # compiled once a shape, for many trials
def _inputs(problem: ShallowNetwork, key: NDArray[np.uint32], n: int, d: int) -> jax.Array:
    return problem.inputs.draw(Uniforms(key, n, d), Sizes(d, n, p=1)).dense()


def problem_of(study: Study, trial: Trial) -> ShallowNetwork:
    """The law of the trial, with the numbers of its point in it."""
    root: Any = {"problem": study.problem}
    for name, x in trial.point.parameters:
        if name.startswith("problem."):
            root = replaced(root, name, int(x) if annotation(root, name) is int else x)
    problem: ShallowNetwork = root["problem"]
    problem.check(trial.point)
    return problem
