"""Least squares on random labels: d unknowns fit n labels whenever n <= d, and never beyond.

n Gaussian inputs are in general position, so that n <= d equations have a solution and n = d + 1
have none, with probability one. The event is `Below("loss", ..)`; of n > d Gaussian labels the
least loss is chi^2 of n - d degrees of freedom over 2n, near zero by accident alone. The flow comes
to it in a time of 1/l, l the least eigenvalue of the covariance, of the order d^2 at n = d.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class LeastSquares(Supervised):
    """Gaussian inputs of length about 1, Gaussian labels, half the squared error."""

    smooth = True

    def start(self, key: Array, point: Sizes) -> Float[Array, " d"]:
        """At the origin."""
        return jnp.zeros(point.d)

    def sample(self, key: Array, nature: Any, point: Sizes) -> tuple[Array, Array]:
        """An input, and a label that has nothing to do with it."""
        x, y = jax.random.split(key)
        return jax.random.normal(x, (point.d,)) / point.d**0.5, jax.random.normal(y)

    def predict(self, parameters: Array, x: Array) -> Array:
        """A linear function."""
        return jnp.dot(parameters, x)
