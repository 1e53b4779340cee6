"""Random features: can p of them fit n random labels? Whenever n <= p, and almost never beyond.

p features sigma(F x) of a Gaussian matrix F that a trial's samples share are in general position,
so that least squares on n labels is n equations for p unknowns (A. Rahimi and B. Recht, NeurIPS
2007, for the features). With `activation` "linear" the features are linear in the d inputs and the
transition is at n = min(d, p). The event is the certificate: a loss below which every sign is right
and which no least-squares fit of n > p labels reaches, but by accident.
"""

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised

ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu, "linear": lambda z: z}


@dataclass(frozen=True, eq=False)
class RandomFeatures(Supervised):
    """Least squares on p random features of d Gaussian inputs, with Gaussian labels.

    The features are the `activation` of p random projections.
    """

    smooth = True
    activation: Literal["tanh", "relu", "linear"] = "tanh"

    def nature(self, key: Array, point: Sizes) -> Float[Array, "p d"]:
        """F, rows of length about 1."""
        return jax.random.normal(key, (point.p, point.d)) / point.d**0.5

    def start(self, key: Array, point: Sizes) -> Float[Array, " p"]:
        """At the origin."""
        return jnp.zeros(point.p)

    def sample(self, key: Array, nature: Array, point: Sizes) -> tuple[Array, Array]:
        """Features of an input, of about the length of one, and a label."""
        x, y = jax.random.split(key)
        features = ACTIVATIONS[self.activation](nature @ jax.random.normal(x, (point.d,)))
        return features / point.p**0.5, jax.random.normal(y)

    def predict(self, parameters: Array, x: Array) -> Array:
        """A linear function of the features."""
        return jnp.dot(parameters, x)
