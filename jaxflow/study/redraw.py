"""The data of a trial that has been run, drawn again from its keys."""

import numpy as np
from numpy.typing import NDArray

from jaxflow._keys import Uniforms, trial_keys
from jaxflow._paths import replaced
from jaxflow._types import Trial
from jaxflow.ensemble import Sizes
from jaxflow.study.definition import Study


def inputs_of(study: Study, trial: Trial) -> NDArray[np.float32]:
    """The inputs X (n, d) of a trial of the study, as they were when it ran.

    They are those of the study's seed, the point and the trial's seed, in float32. Raises
    `ValueError` where the ensemble has no trial at that point.
    """
    d, n, p = trial.point.d, trial.point.n, trial.point.p
    laws = {"ensemble": study.ensemble}
    for name, x in trial.point.parameters:
        if name.startswith("ensemble.inputs."):
            laws = replaced(laws, name, x)
    laws["ensemble"].check(trial.point)
    keys = trial_keys(study.seed, d, n, p, trial.seed)
    rows = laws["ensemble"].inputs.draw(Uniforms(keys.samples, n, d), Sizes(d, n, p))
    return np.asarray(rows.dense())
