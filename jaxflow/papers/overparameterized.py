"""Numbers of arXiv 1810.02054, on over-parameterized ReLU networks.

Its experiment trains n = 1000 inputs in d = 1000 dimensions for 100 epochs; the widths, the step
and the numbers behind its three plots are not published. `ONE_TRIAL` are numbers of that setting
from a run of a single seed that shares no code with this package, with half a unit as the step.
"""

from dataclasses import dataclass

SOURCE = "arXiv 1810.02054"
ONE_TRIAL_SOURCE = f"one trial in the setting of {SOURCE}, step 0.5"

SAMPLES = DIMENSION = 1000
EPOCHS = 100
EXPONENT = 6  # of n in the width that theorem 3.2 asks for, n^6 / lambda_0^4


@dataclass(frozen=True)
class OneTrial:
    """One trial: the paper's loss, (1/2) sum r^2, part of the signs flipped, max |w - w(0)|."""

    p: int
    loss: float  # after 10 steps
    flips: float  # after 100 steps
    distance: float
    remark: str = ""


ONE_TRIAL = (
    OneTrial(1000, 17.2, 0.023, 2.32, "that trial began at a loss of 1047, the mean is 750"),
    OneTrial(4000, 13.6, 0.011, 1.04),
)
LAMBDA_0, LAMBDA_MAX = 0.246, 1.246  # extreme eigenvalues of H of one draw at n = d = 1000
