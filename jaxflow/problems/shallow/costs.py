"""What an evaluation of the field costs in each of the coordinates."""

from jaxflow.problems.problem import FLOPS_PER_ENTRY, Shape
from jaxflow.problems.shallow.coordinates import Name

PASSES = 5  # over the n p pre-activations, in any coordinates
STATE_PASSES = 6  # over the state, in the linear combinations of a stage


def flops(coordinates: Name, shape: Shape) -> float:
    """Floating-point operations of the products in one field evaluation."""
    D, N, P = shape
    return {"ambient": 4.0 * N * D * P, "span": 2.0 * N * N * P, "orthogonal": 0.0}[coordinates]


def entries(coordinates: Name, shape: Shape) -> float:
    """Entries read or written outside products by one field evaluation and its stage."""
    D, N, P = shape
    state = {"ambient": D * P, "span": 2 * N * P, "orthogonal": N * P}[coordinates]
    return float(PASSES * N * P + STATE_PASSES * state)


def cost(coordinates: Name, shape: Shape) -> float:
    """Time of one evaluation, in flops of a product."""
    return flops(coordinates, shape) + FLOPS_PER_ENTRY * entries(coordinates, shape)
