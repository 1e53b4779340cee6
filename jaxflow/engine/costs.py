"""What an evaluation of the field costs in each coordinates, and which are the cheapest."""

from typing import Literal

from jaxflow.core.errors import mistake
from jaxflow.flow.flow import Dynamics
from jaxflow.problems.shallow.coordinates import Name
from jaxflow.problems.shallow.ensemble import Ensemble
from jaxflow.problems.shallow.padding import Shape

FLOPS_PER_ENTRY = 30  # of a product, in the time that an entry of an array takes to pass by
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


def check_coordinates(
    ensemble: Ensemble, dynamics: Dynamics, wanted: Name | Literal["auto"]
) -> None:
    """Raise `ValueError` for coordinates that are wanted but impossible."""
    names = ensemble.coordinates(dynamics.equivariant)
    if wanted not in ("auto", *names):
        raise mistake(f"coordinates in {['auto', *names]}", wanted, "use one of these here")


def cheapest(
    ensemble: Ensemble,
    dynamics: Dynamics,
    shape: Shape,
    wanted: Name | Literal["auto"] = "auto",
) -> Name:
    """The coordinates wanted, or the cheapest possible; `ValueError` for impossible ones."""
    check_coordinates(ensemble, dynamics, wanted)
    if wanted != "auto":
        return wanted
    names = ensemble.coordinates(dynamics.equivariant)
    return min(names, key=lambda name: cost(name, shape))
