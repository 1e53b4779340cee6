"""Jamming: can a two-layer ReLU network with p neurons classify n random labels?

The squared hinge is zero up to a number of samples in proportion to that of the parameters, here
p (d + 1): there the network jams, as spheres do that are packed too densely, and a finite part of
the samples stays unsatisfied at once (M. Geiger, S. Spigler et al., Phys. Rev. E 100 (2019) 012115;
S. Spigler, M. Geiger et al., J. Phys. A 52 (2019) 474001). The event is `Above("margin", 0)`.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class Jamming(Supervised):
    """Inputs on the sphere of radius sqrt(d), random signs, both layers trained."""

    loss = "squared_hinge"  # type: ignore[assignment]

    def start(self, key: Array, point: Sizes) -> dict[str, Array]:
        """Weights that keep the length of what passes."""
        first, second = jax.random.split(key)
        return {
            "W": jax.random.normal(first, (point.p, point.d)) / point.d**0.5,
            "a": jax.random.normal(second, (point.p,)) / point.p**0.5,
        }

    def sample(self, key: Array, nature: Any, point: Sizes) -> tuple[Array, Array]:
        """An input, and a label that has nothing to do with it."""
        x, y = jax.random.split(key)
        x = jax.random.normal(x, (point.d,))
        return x * point.d**0.5 / jnp.linalg.norm(x), jax.random.rademacher(y, (), float)

    def predict(self, parameters: dict[str, Array], x: Array) -> Array:
        """a . relu(W x)."""
        return jnp.dot(parameters["a"], jax.nn.relu(parameters["W"] @ x))
