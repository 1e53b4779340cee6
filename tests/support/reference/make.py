"""Makes the reference data of the slow tests: the flow by Euler's method in float64 NumPy.

`python tests/support/reference/make.py` integrates experiment 1.2 (arXiv 2502.16977, d = 30,
p = 100) and writes euler.json beside it: 64 trials at n = 800 with step 0.02, and 20 trials at each
of five n about the flow's threshold with step 0.05. Hours on one core; any other implementation of
Euler's method on the same draws, in double precision, gives the same numbers to rounding until
late.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from problems import as_float64, drawn, euler  # noqa: E402

from jaxflow.papers.bounds import published_horizon  # noqa: E402

D, P = 30, 100
TRANSITION = (1340, 1400, 1430, 1460, 1520)


def early(times: np.ndarray, losses: np.ndarray, fraction: float) -> list[float]:
    """A time, as a fraction of the last, and the loss at it."""
    at = fraction * times[-1]
    return [float(at), float(np.exp(np.interp(at, times, np.log(losses))))]


def at_800(seed: int) -> dict[str, object]:
    """Convergence time of one trial, and its loss at a tenth and a hundredth of it."""
    arrays = as_float64(*drawn(d=D, n=800, p=P, seed=seed))
    time, losses = euler(*arrays, step=0.02, horizon=published_horizon(800, P), target=1 / 1600)
    times = 0.02 * np.arange(len(losses))
    return {
        "time": time,
        "tenth": early(times, losses, 0.1),
        "hundredth": early(times, losses, 0.01),
    }


def at_transition(n: int, seed: int) -> float | None:
    """Convergence time of one trial within the published horizon, or None."""
    arrays = as_float64(*drawn(d=D, n=n, p=P, seed=seed))
    horizon = published_horizon(n, P)
    time, _ = euler(*arrays, step=0.05, horizon=horizon, target=1 / (2 * n))
    return time if np.isfinite(time) else None


if __name__ == "__main__":
    made = {
        "n800": [at_800(seed) for seed in range(64)],
        "transition": {str(n): [at_transition(n, s) for s in range(20)] for n in TRANSITION},
    }
    (HERE / "euler.json").write_text(json.dumps(made, indent=1) + "\n")
