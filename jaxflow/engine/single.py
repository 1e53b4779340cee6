"""One trial by itself, with everything that was recorded of it."""

from dataclasses import replace
from typing import Literal

import numpy as np

from jaxflow.core.types import Recording, Row, Trial
from jaxflow.engine.lanes import Lanes
from jaxflow.engine.runner import Runner
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.stopping import Success
from jaxflow.problems.shallow.coordinates import Name
from jaxflow.problems.shallow.ensemble import Ensemble


def run_trial(
    ensemble: Ensemble,
    dynamics: Dynamics,
    trial: Trial,
    recording: Recording,
    *,
    success: Success = "signs",
    seed: int = 0,
    dtype: str = "float32",
    coordinates: Name | Literal["auto"] = "ambient",
) -> tuple[Row, dict[str, np.ndarray]]:
    """The row of one trial of a study with that seed, and its trajectory by observable.

    The row is the runner's. The arrays have one entry a recorded state, the first of them "time",
    in flow time. The trial is recorded whatever its seed is against `recording.trials`.
    """
    lanes = Lanes("map", width=1, workers=1, coordinates=coordinates)
    recording = replace(recording, trials=trial.seed + 1)
    with Runner(
        ensemble,
        {trial.dynamics: dynamics},
        success=success,
        seed=seed,
        dtype=dtype,
        lanes=lanes,
        recording=recording,
    ) as runner:
        (row,) = runner.run([trial])
        return row, runner.trajectories([row])[trial]
