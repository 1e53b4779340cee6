"""Many trials: buckets, compiled kernels, and the runner that keeps a machine full."""

from jaxflow.engine.buckets import bucket
from jaxflow.engine.costs import check_coordinates
from jaxflow.engine.kernel import Program
from jaxflow.engine.lanes import Lanes
from jaxflow.engine.numerics import check_numerics
from jaxflow.engine.orders import orders
from jaxflow.engine.recording import Recording
from jaxflow.engine.reference import reference
from jaxflow.engine.runner import Runner
from jaxflow.engine.single import run_trial
from jaxflow.engine.usage import Usage

__all__ = [
    "Lanes",
    "Program",
    "Recording",
    "Runner",
    "Usage",
    "bucket",
    "check_coordinates",
    "check_numerics",
    "orders",
    "reference",
    "run_trial",
]
