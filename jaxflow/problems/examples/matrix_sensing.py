"""Matrix sensing: a d x d matrix of rank r from n Gaussian projections <A_i, M>, by U V^T.

The matrices of rank r have r (2d - r) degrees of freedom, so that fewer projections do not tell M.
The flow of factors with p columns each, that starts small, comes near those of least nuclear norm
(S. Gunasekar et al., NeurIPS 2017; Y. Li, T. Ma and H. Zhang, COLT 2018), which need more. The
event is `Below("test_loss", ..)`: what fits the projections is M.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.problems.problem import Sizes
from jaxflow.problems.supervised import Supervised


@dataclass(frozen=True, eq=False)
class MatrixSensing(Supervised):
    """A matrix of `rank`, of Frobenius norm about 1; factors with entries about `scale` large."""

    smooth = True
    rank: int = 1
    scale: float = 1e-3

    def nature(self, key: Array, point: Sizes) -> Float[Array, "d d"]:
        """M, a product of Gaussian factors."""
        left, right = jax.random.normal(key, (2, point.d, self.rank))
        return left @ right.T / (point.d * self.rank**0.5)

    def start(self, key: Array, point: Sizes) -> Float[Array, "2 d p"]:
        """U and V."""
        return self.scale * jax.random.normal(key, (2, point.d, point.p))

    def sample(self, key: Array, nature: Array, point: Sizes) -> tuple[Array, Array]:
        """A projection, and what it gives."""
        A = jax.random.normal(key, (point.d, point.d))
        return A, jnp.sum(A * nature)

    def predict(self, parameters: Array, x: Array) -> Array:
        """<A, U V^T>."""
        U, V = parameters
        return jnp.sum((x @ V) * U)
