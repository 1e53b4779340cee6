"""A deep linear network learns a matrix, mode by mode: when it leaves the saddle is known exactly.

With white inputs the loss is |W_L .. W_1 - S|^2 / 2. From balanced layers that are aligned with the
singular vectors of S, every singular value u of the product moves alone, u' = L u^(2 - 2/L) (s - u)
(A. Saxe, J. McClelland and S. Ganguli, ICLR 2014): a plateau whose length is a logarithm of the
scale of the start for L = 2, a power of it beyond, and then a step. Here S is s times a rotation,
so that all modes go at once. The event is `Below("loss", ..)`.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.keys import Keys
from jaxflow.problems.problem import Problem, Sizes


@dataclass(frozen=True, eq=False)
class DeepLinear(Problem):
    """`depth` layers of d x d, whose product begins as `scale` times the rotation to be learnt.

    `strength` is the singular value of that matrix, of which all are equal.
    """

    smooth = True
    nonnegative = True
    depth: int = 2
    strength: float = 1.0  # s, all singular values of the matrix
    scale: float = 1e-3  # u at the start

    def draw(self, keys: Keys, point: Sizes) -> tuple[Float[Array, "d d"], Float[Array, "L d d"]]:
        """The matrix, and layers that go to it by random rotations."""
        turns = jnp.linalg.qr(jax.random.normal(keys.start, (self.depth + 1, point.d, point.d)))[0]
        layers = [turns[i + 1] @ turns[i].T for i in range(self.depth)]
        start = self.scale ** (1 / self.depth) * jnp.stack(layers)
        return self.strength * turns[-1] @ turns[0].T, start

    def loss(self, data: Array, parameters: Array) -> Float[Array, ""]:
        """Half of the squared distance of the product from the matrix."""
        product = jnp.eye(data.shape[0], dtype=data.dtype)
        for layer in parameters:
            product = layer @ product
        return jnp.sum((product - data) ** 2) / 2
