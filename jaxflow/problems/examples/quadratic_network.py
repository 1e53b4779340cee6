"""A wide quadratic network on random labels: it fits n of them whenever n <= d (d + 1) / 2.

f(x) = sum_j a_j (w_j . x)^2 is x . M x, and with 2d neurons or more, half of the a_j positive, M is
any symmetric matrix: d (d + 1) / 2 unknowns, in which the n equations are linear and independent.
Wide enough, no other minima keep the flow from them (S. Du and J. Lee, ICML 2018, of squares of
positive sign and weight decay; M. Soltanolkotabi, A. Javanmard and J. Lee, IEEE Trans. Inf. Theory
65 (2019) 742-769). The event is `Below("loss", ..)`.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class QuadraticNetwork(Supervised):
    """p squares, every other one of negative sign, on Gaussian inputs with Gaussian labels."""

    smooth = True

    def start(self, key: Array, point: Sizes) -> Float[Array, "p d"]:
        """Rows of length about 1/sqrt(p), so that predictions are of the order of labels."""
        return jax.random.normal(key, (point.p, point.d)) / (point.p * point.d) ** 0.5

    def sample(self, key: Array, nature: Any, point: Sizes) -> tuple[Array, Array]:
        """An input, and a label that has nothing to do with it."""
        x, y = jax.random.split(key)
        return jax.random.normal(x, (point.d,)), jax.random.normal(y)

    def predict(self, parameters: Array, x: Array) -> Array:
        """The squares, added and subtracted in turn."""
        squares = (parameters @ x) ** 2
        return jnp.sum(squares[::2]) - jnp.sum(squares[1::2])
