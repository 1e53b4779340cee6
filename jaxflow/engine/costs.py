"""The static shape of a point, what an evaluation of the field costs there, and what a trial may.

Few compiled programs, little padding: samples and neurons are padded to a ladder of multiples of 8
with at most eight rungs an octave, which wastes at most 12.5 % above 64. A study visits many n and
few p: below 64, where a padded step costs little and a compilation seconds, n goes by powers of
two. The dimension d is a static fact of every product and takes few values in a study, so it is
never padded.
"""

from functools import lru_cache
from typing import Literal

from jaxflow.core.errors import mistake
from jaxflow.core.types import Point, Trial
from jaxflow.flow.dynamics import Dynamics
from jaxflow.problems.shallow.coordinates import Name
from jaxflow.problems.shallow.ensemble import Ensemble
from jaxflow.problems.shallow.padding import Shape

FLOPS_PER_ENTRY = 30  # of a product, in the time that an entry of an array takes to pass by
PASSES = 5  # over the n p pre-activations, in any coordinates
STATE_PASSES = 6  # over the state, in the linear combinations of a stage


def rung(size: int) -> int:
    """The least rung of the ladder that holds `size`."""
    step = 8
    while size > 16 * step:
        step *= 2
    return -(-size // step) * step


def bucket(point: Point) -> Shape:
    """The static shape (D, N, P) that holds a point."""
    N = rung(point.n) if point.n > 64 else max(16, 1 << (point.n - 1).bit_length())
    return Shape(D=point.d, N=N, P=rung(point.p))


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


@lru_cache(maxsize=4096)
def evaluation_cost(point: Point) -> float:
    """Time of one evaluation at a point, in the ambient coordinates that every flow can take."""
    return cost("ambient", bucket(point))


def most_work(trial: Trial) -> float:
    """What a trial costs if it runs to its horizon, up to a factor: flow time by evaluations."""
    return trial.horizon * evaluation_cost(trial.point)


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
