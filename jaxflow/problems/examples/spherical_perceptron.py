"""The perceptron with a margin: is there a w on the sphere with y_i w.x_i >= kappa of n samples?

For d to infinity there is up to n = alpha d, with 1/alpha the Gaussian average of (t + kappa)^2
over t > -kappa (E. Gardner, J. Phys. A 21 (1988) 257-270): 2, 1.365, 0.961, 0.520 at kappa = 0,
0.25, 0.5, 1. The event is `Above("margin", 0)`; for kappa < 0 the sphere holds no convex set, and
where the flow still finds a w is open.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class SphericalPerceptron(Supervised):
    """Gaussian inputs, random signs; half the square of what a sample lacks of the margin kappa."""

    smooth = True
    labels = "signs"
    kappa: float = 0.0

    def start(self, key: Array, point: Sizes) -> Float[Array, " d"]:
        """A random direction; the flow keeps its length, 1."""
        w = jax.random.normal(key, (point.d,))
        return w / jnp.linalg.norm(w)

    def sample(self, key: Array, nature: Any, point: Sizes) -> tuple[Array, Array]:
        """An input, and a label that has nothing to do with it."""
        x, y = jax.random.split(key)
        return jax.random.normal(x, (point.d,)), jax.random.rademacher(y, (), float)

    def predict(self, parameters: Array, x: Array) -> Array:
        """How far the input is from the hyperplane, and on which side."""
        return jnp.dot(parameters, x) / jnp.linalg.norm(parameters)

    def loss(self, prediction: Array, y: Array) -> Array:
        """Half of the square of what is lacking."""
        return jnp.maximum(-self.margin(prediction, y), 0.0) ** 2 / 2

    def margin(self, prediction: Array, y: Array) -> Array:
        """What there is beyond kappa."""
        return y * prediction - self.kappa
