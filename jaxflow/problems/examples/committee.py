"""The soft committee machine: a student of p hidden units learns a teacher of `units` of them.

f(x) = sum_j s(w_j . x) / sqrt(p), with output weights that are fixed (D. Saad and S. Solla, Phys.
Rev. E 52 (1995) 4225-4243, with s = erf(./sqrt 2), online). With few samples all units of the
student see the sum of the teacher's, alike; beyond a number of the order of d they specialize, and
recover it. The event is `Below("test_loss", ..)`.
"""

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised

ACTIVATIONS = {"erf": lambda z: jax.lax.erf(z / 2**0.5), "relu": jax.nn.relu}


@dataclass(frozen=True, eq=False)
class Committee(Supervised):
    """Gaussian inputs, labels of a teacher with Gaussian weights; a student that starts small.

    The teacher has so many `units`, the student p, all of one `activation`; `scale` is about the
    length of the student's first rows.
    """

    activation: Literal["erf", "relu"] = "erf"
    units: int = 2
    scale: float = 0.1

    def nature(self, key: Array, point: Sizes) -> Float[Array, "units d"]:
        """The teacher, rows of length about 1."""
        return jax.random.normal(key, (self.units, point.d)) / point.d**0.5

    def start(self, key: Array, point: Sizes) -> Float[Array, "p d"]:
        """Rows of length about `scale`."""
        return self.scale * jax.random.normal(key, (point.p, point.d)) / point.d**0.5

    def sample(self, key: Array, nature: Array, point: Sizes) -> tuple[Array, Array]:
        """An input, and what the teacher says."""
        x = jax.random.normal(key, (point.d,))
        return x, self.predict(nature, x)

    def predict(self, parameters: Array, x: Array) -> Array:
        """The units' sum, over the root of their number."""
        hidden = ACTIVATIONS[self.activation](parameters @ x)
        return jnp.sum(hidden) / len(parameters) ** 0.5
