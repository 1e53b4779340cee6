"""A deep network: p neurons in each of two hidden layers, with biases, on labels of a teacher.

With `label_noise`, the probability of a wrong label, as an axis it asks how many samples hide the
teacher; with a `Below("test_error", ..)` how many it takes to learn it.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class DeepNetwork(Supervised):
    """Three layers of tanh, logistic loss, the signs of a linear teacher; weights `gain` large."""

    smooth = True
    gain: float = 1.0

    loss = "logistic"  # type: ignore[assignment]

    def nature(self, key: Array, point: Sizes) -> Float[Array, " d"]:
        """The teacher, a direction."""
        v = jax.random.normal(key, (point.d,))
        return v / jnp.linalg.norm(v)

    def start(self, key: Array, point: Sizes) -> dict[str, Array]:
        """Gaussian weights that keep the length of what passes, and no biases."""
        d, p = point.d, point.p
        first, second, last = jax.random.split(key, 3)
        return {
            "U": self.gain * jax.random.normal(first, (p, d)) / d**0.5,
            "b": jnp.zeros(p),
            "V": self.gain * jax.random.normal(second, (p, p)) / p**0.5,
            "c": jnp.zeros(p),
            "a": self.gain * jax.random.normal(last, (p,)) / p**0.5,
        }

    def sample(self, key: Array, nature: Array, point: Sizes) -> tuple[Array, Array]:
        """A Gaussian input and the side of the teacher's plane that it lies on."""
        x = jax.random.normal(key, (point.d,))
        return x, jnp.where(jnp.dot(nature, x) > 0, 1.0, -1.0)

    def predict(self, parameters: dict[str, Array], x: Array) -> Array:
        """a . tanh(V tanh(U x + b) + c)."""
        hidden = jnp.tanh(parameters["U"] @ x + parameters["b"])
        return jnp.dot(parameters["a"], jnp.tanh(parameters["V"] @ hidden + parameters["c"]))
