"""One trial under a dynamics, unbatched and pure."""

from jaxflow.flow.chebyshev import RKC1, RKC2
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.dynamics import Dynamics, GradientFlow
from jaxflow.flow.lane import Order, Setting, Summary, finish, start, step
from jaxflow.flow.stopping import Reason, Success

__all__ = [
    "RKC1",
    "RKC2",
    "Dynamics",
    "GradientDescent",
    "GradientFlow",
    "Order",
    "Reason",
    "Setting",
    "Success",
    "Summary",
    "finish",
    "start",
    "step",
]
