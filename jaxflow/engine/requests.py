"""Trials of a study as what the lanes take in: keys, sizes, horizons, parameters."""

import numpy as np

from jaxflow.core.keys import Keys, trial_keys
from jaxflow.core.types import Trial
from jaxflow.flow.trial import Request
from jaxflow.problems.shallow.padding import Sizes


def requests(
    seed: int, trials: list[Trial], lanes: int, dtype: str, parameters: tuple[str, ...] = ()
) -> Request:
    """The `Request` of a batch of a study's trials in NumPy, filled up with copies of the first.

    `parameters` are the names, as in the study, of those that the lanes take values of.
    """
    padded = trials + trials[:1] * (lanes - len(trials))
    points = np.array([(t.point.d, t.point.n, t.point.p) for t in padded], np.int32)
    keys = [trial_keys(seed, t.point.d, t.point.n, t.point.p, t.seed) for t in padded]
    stacked = Keys(*(np.stack(stream) for stream in zip(*keys, strict=True)))
    horizons = np.array([t.horizon for t in padded], dtype)
    values = np.array([[t.point[name] for name in parameters] for t in padded], dtype)
    return Request(stacked, Sizes(*points.T), horizons, values)
