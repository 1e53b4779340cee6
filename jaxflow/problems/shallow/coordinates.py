"""One flow in three state spaces: how a trial keeps its inputs, and with them its weights.

The gradient with respect to w_j is a_j (M X)_j, where M holds the residuals times sigma': it lies
in the span of the data. So the weights may be kept

    ambient      as W (p, d); a field costs the products W X^T and M X, 4ndp flops;
    span         as coefficients C (p, n), W = W(0) + C X, beside the pre-activations Z = W X^T
                 that they give: Z' = C' G with the Gram matrix G = X X^T, one product of 2n^2p
                 flops; cheaper when n < 2d;
    orthogonal   when X is diagonal, as V = the n coordinates of W that the data see (p, n);
                 everything is elementwise, O(np).

Samples are the last axis of every array, X is kept as X^T: rows so long fill the registers of a
CPU whatever p is, and an evaluation takes a tenth to a third less than with p last.

In exact arithmetic they are one flow, and its norms are taken in the space of W in all three: for
a difference of weights in span coordinates |u_j|^2 = sum_i C_ij Z_ij, without a product. So the
same trial takes the same steps in any of them, up to rounding.
"""

from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.trees import row_sums

Name = Literal["ambient", "span", "orthogonal"]
Weights: TypeAlias = Any  # what the coordinates keep of W; a PyTree closed under linear combination


def product(left: Array, right: Array) -> Array:
    """A matrix product in full precision of its type, on every backend."""
    return jnp.matmul(left, right, precision=jax.lax.Precision.HIGHEST)


@runtime_checkable
class Inputs(Protocol):
    """The inputs of a trial in some coordinates. Weights are in the same."""

    def preactivations(self, W: Weights) -> Float[Array, "p n"]:
        """Z = W X^T."""
        ...

    def pull(
        self,
        W: Weights,
        Z: Float[Array, "p n"],
        M: Float[Array, "p n"],
        a: Float[Array, " p"],
    ) -> tuple[Weights, Float[Array, " p"]]:
        """With G = M X: the velocity of rows a_j G_j, and the numbers w_j . G_j."""
        ...

    def inner(self, U: Weights, V: Weights) -> Float[Array, " p"]:
        """u_j . v_j of two differences of weights, or velocities."""
        ...

    def squares(self, U: Weights) -> Float[Array, " p"]:
        """|u_j|^2 of a difference of weights, or of a velocity."""
        ...

    def sizes(self, W: Weights) -> Float[Array, " p"]:
        """|w_j|^2."""
        ...

    def gram(self) -> Float[Array, "n n"]:
        """x_i . x_k."""
        ...

    def lengths(self) -> Float[Array, " n"]:
        """|x_i|."""
        ...

    def recover(
        self, W: Weights, X: Float[Array, "n d"], first: Float[Array, "p d"]
    ) -> Float[Array, "p d"]:
        """The weights in ambient coordinates, given the inputs and first weights there."""
        ...


class Ambient(NamedTuple):
    """The inputs as columns; weights are W (p, d)."""

    XT: Float[Array, "d n"]

    def preactivations(self, W: Float[Array, "p d"]) -> Float[Array, "p n"]:
        """Z = W X^T."""
        return product(W, self.XT)

    def pull(
        self,
        W: Float[Array, "p d"],
        Z: Float[Array, "p n"],
        M: Float[Array, "p n"],
        a: Float[Array, " p"],
    ) -> tuple[Float[Array, "p d"], Float[Array, " p"]]:
        """a_j G_j and w_j . G_j, G = M X."""
        G = product(M, self.XT.T)
        return a[:, None] * G, row_sums(W * G)

    def inner(self, U: Float[Array, "p d"], V: Float[Array, "p d"]) -> Float[Array, " p"]:
        """u_j . v_j."""
        return row_sums(U * V)

    def squares(self, U: Float[Array, "p d"]) -> Float[Array, " p"]:
        """|u_j|^2."""
        return self.inner(U, U)

    def sizes(self, W: Float[Array, "p d"]) -> Float[Array, " p"]:
        """|w_j|^2."""
        return self.squares(W)

    def gram(self) -> Float[Array, "n n"]:
        """X X^T."""
        return product(self.XT.T, self.XT)

    def lengths(self) -> Float[Array, " n"]:
        """|x_i|."""
        return jnp.sqrt(jnp.sum(self.XT**2, axis=0))

    def recover(
        self, W: Float[Array, "p d"], X: Float[Array, "n d"], first: Float[Array, "p d"]
    ) -> Float[Array, "p d"]:
        """W itself."""
        return W


class SpanWeights(NamedTuple):
    """Coefficients C of W - W(0) in the samples, and the pre-activations Z; or differences."""

    C: Float[Array, "p n"]
    Z: Float[Array, "p n"]


class Span(NamedTuple):
    """The Gram matrix G = X X^T; weights are `SpanWeights`."""

    G: Float[Array, "n n"]
    first_images: Float[Array, "p n"]
    first_sizes: Float[Array, " p"]  # |w_j(0)|^2

    def preactivations(self, W: SpanWeights) -> Float[Array, "p n"]:
        """Z, which the state carries."""
        return W.Z

    def pull(
        self,
        W: SpanWeights,
        Z: Float[Array, "p n"],
        M: Float[Array, "p n"],
        a: Float[Array, " p"],
    ) -> tuple[SpanWeights, Float[Array, " p"]]:
        """C' = diag(a) M, Z' = C' G; and w_j . G_j = sum_i Z_ji M_ji."""
        C = a[:, None] * M
        return SpanWeights(C, product(C, self.G)), row_sums(Z * M)

    def inner(self, U: SpanWeights, V: SpanWeights) -> Float[Array, " p"]:
        """u_j . v_j = (C_u G C_v^T)_jj."""
        return row_sums(U.C * V.Z)

    def squares(self, U: SpanWeights) -> Float[Array, " p"]:
        """|u_j|^2; rounding may leave a vanishing one negative."""
        return jnp.maximum(self.inner(U, U), 0)

    def sizes(self, W: SpanWeights) -> Float[Array, " p"]:
        """|w_j(0)|^2 + 2 w_j(0) . u_j + |u_j|^2, u = W - W(0)."""
        return self.first_sizes + row_sums(W.C * (W.Z + self.first_images))

    def gram(self) -> Float[Array, "n n"]:
        """G."""
        return self.G

    def lengths(self) -> Float[Array, " n"]:
        """|x_i|."""
        return jnp.sqrt(jnp.diagonal(self.G))

    def recover(
        self, W: SpanWeights, X: Float[Array, "n d"], first: Float[Array, "p d"]
    ) -> Float[Array, "p d"]:
        """W(0) + C X."""
        return first + product(W.C, X)


class Diagonal(NamedTuple):
    """The norms of inputs x_i = |x_i| e_i; weights are V (p, n), V_ji = (w_j)_i."""

    radii: Float[Array, " n"]
    unseen: Float[Array, " p"]  # |.|^2 of the coordinates of w_j beyond n, which never move

    def preactivations(self, V: Float[Array, "p n"]) -> Float[Array, "p n"]:
        """Z = V diag(radii)."""
        return V * self.radii

    def pull(
        self,
        V: Float[Array, "p n"],
        Z: Float[Array, "p n"],
        M: Float[Array, "p n"],
        a: Float[Array, " p"],
    ) -> tuple[Float[Array, "p n"], Float[Array, " p"]]:
        """a_j G_j and w_j . G_j, G = M diag(radii) here."""
        G = M * self.radii
        return a[:, None] * G, row_sums(V * G)

    def inner(self, U: Float[Array, "p n"], V: Float[Array, "p n"]) -> Float[Array, " p"]:
        """u_j . v_j."""
        return row_sums(U * V)

    def squares(self, U: Float[Array, "p n"]) -> Float[Array, " p"]:
        """|u_j|^2."""
        return self.inner(U, U)

    def sizes(self, V: Float[Array, "p n"]) -> Float[Array, " p"]:
        """|w_j|^2, the unseen coordinates included."""
        return self.squares(V) + self.unseen

    def gram(self) -> Float[Array, "n n"]:
        """diag(radii^2)."""
        return jnp.diag(self.radii**2)

    def lengths(self) -> Float[Array, " n"]:
        """The radii."""
        return self.radii

    def recover(
        self, V: Float[Array, "p n"], X: Float[Array, "n d"], first: Float[Array, "p d"]
    ) -> Float[Array, "p d"]:
        """V, and the first weights beyond."""
        seen = min(V.shape[1], first.shape[1])
        return first.at[:, :seen].set(V[:, :seen])


def in_span(X: Float[Array, "n d"], W: Float[Array, "p d"]) -> tuple[Span, SpanWeights]:
    """Inputs and weights in span coordinates, from ambient ones at the start of a trial."""
    Z = product(W, X.T)
    inputs = Span(product(X, X.T), Z, jnp.sum(W * W, axis=1))
    return inputs, SpanWeights(jnp.zeros_like(Z), Z)


def in_diagonal(
    radii: Float[Array, " n"], W: Float[Array, "p d"]
) -> tuple[Diagonal, Float[Array, "p n"]]:
    """Inputs and weights in orthogonal coordinates, from ambient ones."""
    n, d = len(radii), W.shape[1]
    seen = jnp.pad(W[:, :n], ((0, 0), (0, max(0, n - d))))
    return Diagonal(radii, jnp.sum(W[:, n:] ** 2, axis=1)), seen
