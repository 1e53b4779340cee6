"""Phase retrieval: from the squares (v.x_i)^2 of n Gaussian projections back to v or -v.

The loss (1/4n) sum ((w.x_i)^2 - (v.x_i)^2)^2 has no local minima but +-v for n of the order of d,
up to logarithms (J. Sun, Q. Qu and J. Wright, Found. Comput. Math. 18 (2018) 1131-1198). The event
is `Below("test_loss", 1e-3)`: what fits the samples is v.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class PhaseRetrieval(Supervised):
    """A teacher of length 1 and a student that begins in a random direction, `scale` long."""

    smooth = True
    scale: float = 1.0

    def nature(self, key: Array, point: Sizes) -> Float[Array, " d"]:
        """The teacher v."""
        return _direction(key, point.d)

    def start(self, key: Array, point: Sizes) -> Float[Array, " d"]:
        """A random direction."""
        return self.scale * _direction(key, point.d)

    def sample(self, key: Array, nature: Array, point: Sizes) -> tuple[Array, Array]:
        """A projection, and its square."""
        x = jax.random.normal(key, (point.d,))
        return x, jnp.dot(nature, x) ** 2

    def predict(self, parameters: Array, x: Array) -> Array:
        """The square that the student sees."""
        return jnp.dot(parameters, x) ** 2

    def loss(self, prediction: Array, y: Array) -> Array:
        """A quarter of the squared error."""
        return (prediction - y) ** 2 / 4


def _direction(key: Array, d: int) -> Float[Array, " d"]:
    v = jax.random.normal(key, (d,))
    return v / jnp.linalg.norm(v)
