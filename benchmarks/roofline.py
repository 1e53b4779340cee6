"""A roofline of one field evaluation, in each of three coordinate systems of the same flow.

    ambient     (W, a): Z = X W^T, M_ij = r_i 1[Z_ij > 0], W' = a M^T X / n
    span        (C, Z, a), W = W(0) + C^T X: C' = M a / n, Z' = G C' with the Gram matrix G = X X^T
    orthogonal  (Z, a), X X^T diagonal: Z'_ij = |x_i|^2 a_j M_ij / n

with the mean-field ReLU network of arXiv 2502.16977, r = y - relu(Z) a / p, a' = relu(Z)^T r / n.
An evaluation takes the longer of two times, of its flops at the speed of products and of its
bytes at the speed of memory (Williams, Waterman and Patterson, CACM 2009). Assumed throughout:

- One trial. A batch of b that runs at the same speeds takes b times as long.
- Elementwise operations between two products or reductions are fused, so an array of n p numbers
  is written by the operation that makes it and read by each that needs it, and crosses memory
  each time. Where such arrays stay in a cache, give the bandwidth of that cache.
- Vectors of n, p or d numbers cross memory for nothing.
- The integrator's own combinations of states are not counted. They pass over p (d + 1), 2 n p
  and n p numbers.
"""

from dataclasses import dataclass
from typing import Literal

from jaxflow.problems.shallow.coordinates import Name


@dataclass(frozen=True)
class Work:
    """Floating-point operations and bytes to and from memory."""

    flops: float
    bytes: float


@dataclass(frozen=True)
class Prediction:
    """Work, the seconds it takes at least, and which of the two speeds binds."""

    work: Work
    seconds: float
    binds: Literal["compute", "memory"]


def evaluation(
    coordinates: Name, n: int, d: int, p: int, number: int = 4, cache: float = 0
) -> Work:
    """The work of one field evaluation, numbers being of `number` bytes.

    In flops 1[Z > 0] is two, a comparison and a conversion, as XLA counts it.

    ambient: 2 products, 4 n d p flops; 6 n p for the residuals and M; 3 d p for W' and a', the
    latter as w_j . w_j' / a_j. Reads X for each product, or once if it fits in `cache` bytes;
    reads W twice and writes W'; passes 5 times over n p: Z out, in for r, in for M; M out, in.

    span: 1 product, 2 n^2 p flops; 9 n p for the residuals, M, C' and a'. Reads G; passes 5 times
    over n p: Z in for r, in for M; C' out, in; Z' out.

    orthogonal: 9 n p flops, no product. Passes 3 times over n p: Z in for r, in for M; Z' out.
    """
    if coordinates == "ambient":
        reads = 1 if n * d * number <= cache else 2
        flops, numbers = (
            4 * n * d * p + 6 * n * p + 3 * d * p,
            reads * n * d + 3 * d * p + 5 * n * p,
        )
    elif coordinates == "span":
        flops, numbers = 2 * n**2 * p + 9 * n * p, n**2 + 5 * n * p
    else:
        flops, numbers = 9 * n * p, 3 * n * p
    return Work(float(flops), float(number * numbers))


def model(
    coordinates: Name,
    n: int,
    d: int,
    p: int,
    peak_flops: float,
    bandwidth: float,
    number: int = 4,
    cache: float = 0,
) -> Prediction:
    """The seconds of one evaluation at `peak_flops` flop/s and `bandwidth` bytes/s."""
    work = evaluation(coordinates, n, d, p, number, cache)
    compute, memory = work.flops / peak_flops, work.bytes / bandwidth
    return Prediction(work, max(compute, memory), "compute" if compute >= memory else "memory")
