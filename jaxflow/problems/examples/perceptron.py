"""The perceptron: can a hyperplane through the origin separate n random labels in d dimensions?

In general position with probability 2^(1-n) sum_{k<d} C(n-1, k), one half at n = 2d: T. M. Cover,
IEEE Trans. Electronic Computers 14 (1965) 326-334. The event is `Above("margin", 0)`; the flow of
the squared hinge finds a separating plane whenever there is one, late where it is narrow.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class Perceptron(Supervised):
    """Gaussian inputs, random signs, a linear classifier without bias; the squared hinge loss.

    Inputs have a length of about 1.
    """

    smooth = True
    loss = "squared_hinge"  # type: ignore[assignment]

    def start(self, key: Array, point: Sizes) -> Float[Array, " d"]:
        """At the origin."""
        return jnp.zeros(point.d)

    def sample(self, key: Array, nature: Any, point: Sizes) -> tuple[Array, Array]:
        """An input, and a label that has nothing to do with it."""
        x, y = jax.random.split(key)
        return jax.random.normal(x, (point.d,)) / point.d**0.5, jax.random.rademacher(y, (), float)

    def predict(self, parameters: Array, x: Array) -> Array:
        """The side of the hyperplane, and how far."""
        return jnp.dot(parameters, x)
