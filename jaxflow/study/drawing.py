"""What a trial of a study starts from."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jaxflow._keys import trial_keys
from jaxflow._paths import annotation, replaced
from jaxflow._types import Trial
from jaxflow.ensemble import Shape, Sizes, draw
from jaxflow.study.definition import Study

Array = NDArray[np.float64]


def drawn(study: Study, trial: Trial) -> tuple[Array, Array, Array, Array]:
    """Inputs X (n, d), labels y (n,) and first parameters W (p, d), a (p,) of a trial.

    They are the ones its flow starts from, which are drawn in float32. Raises `ValueError` where
    the study's ensemble has no trial at that point.
    """
    root: Any = {"ensemble": study.ensemble}
    for name, x in trial.point.parameters:
        if name.startswith("ensemble."):
            root = replaced(root, name, int(x) if annotation(root, name) is int else x)
    d, n, p = trial.point.d, trial.point.n, trial.point.p
    root["ensemble"].check(trial.point)
    keys = jax.tree.map(jnp.asarray, trial_keys(study.seed, d, n, p, trial.seed))
    data, theta = draw(root["ensemble"], keys, Sizes(d, n, p), Shape(d, n, p), "float32")
    X, y, W, a = (np.asarray(v, np.float64) for v in (data.X, data.y, theta.W, theta.a))
    return X, y, W, a
