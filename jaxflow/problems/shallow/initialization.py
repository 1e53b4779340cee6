"""Laws of the first parameters W(0) (P, D) and a(0) (P,), zero beyond p and d."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Uniforms, between, exponential, normal, sign
from jaxflow.core.types import Point
from jaxflow.problems.problem import Sizes, below
from jaxflow.problems.shallow.coordinates import product
from jaxflow.problems.shallow.network import Parameters
from jaxflow.problems.shallow.padding import Everywhere, Rows, row_norms


@runtime_checkable
class Initialization(Protocol):
    """A random law of the first parameters, given the data."""

    def check(self, point: Point) -> None:
        """Raise `ValueError` where the law has no sample at this point."""
        ...

    def draw(
        self,
        neuron: Uniforms,
        X: Rows,
        y: Float[Array, " N"],
        sizes: Sizes,
    ) -> Parameters:
        """W and a, with neuron j a function of d, of its numbers and perhaps of the data."""
        ...


def padded(W: Float[Array, "P D"], a: Float[Array, " P"], sizes: Sizes) -> Parameters:
    """Zero beyond p neurons and d coordinates."""
    neuron = below(sizes.p, len(a))
    inside = neuron[:, None] & below(sizes.d, W.shape[1])[None, :]
    return Parameters(jnp.where(inside, W, 0), jnp.where(neuron, a, 0))


def _hidden(neuron: Uniforms, sizes: Sizes) -> Float[Array, "P D"]:
    """Entries ~ U(-1/sqrt(d), 1/sqrt(d)), zero beyond d."""
    W = between(neuron.entries, -1.0, 1.0) / jnp.sqrt(jnp.asarray(sizes.d, jnp.float32))
    return jnp.where(below(sizes.d, W.shape[1])[None, :], W, 0)


@dataclass(frozen=True)
class Dominated(Everywhere):
    """|a_j| = ratio |w_j| + excess e_j, e_j ~ Exp(1), random signs; W then scaled by `shrink`.

    With ratio = excess = 1 the published law: entries of w_j ~ U(+-1/sqrt(d)) and
    |a_j| >= |w_j|, Assumption 1 of arXiv 2502.16977; its experiment 2 has shrink = 0.01.
    """

    ratio: float = 1.0
    excess: float = 1.0
    shrink: float = 1.0

    def __post_init__(self) -> None:
        if not (self.ratio >= 0 and self.excess >= 0 and self.shrink > 0):
            got = (self.ratio, self.excess, self.shrink)
            raise mistake("ratio >= 0, excess >= 0, shrink > 0", got, "fix the negative one")

    def draw(
        self,
        neuron: Uniforms,
        X: Rows,
        y: Float[Array, " N"],
        sizes: Sizes,
    ) -> Parameters:
        """W (P, D), a (P,)."""
        W = _hidden(neuron, sizes)
        size = self.ratio * row_norms(W) + self.excess * exponential(neuron.scalars[:, 1])
        return padded(self.shrink * W, sign(neuron.scalars[:, 0]) * size, sizes)


@dataclass(frozen=True)
class _Scaled:
    """A law whose parameters have a common factor."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise mistake("scale > 0", self.scale, "give the factor of the first parameters")


@dataclass(frozen=True)
class Balanced(_Scaled, Everywhere):
    """|a_j| = |w_j|, random signs, entries of w_j ~ scale U(+-1/sqrt(d))."""

    def draw(
        self,
        neuron: Uniforms,
        X: Rows,
        y: Float[Array, " N"],
        sizes: Sizes,
    ) -> Parameters:
        """W (P, D), a (P,)."""
        W = self.scale * _hidden(neuron, sizes)
        return padded(W, sign(neuron.scalars[:, 0]) * row_norms(W), sizes)


@dataclass(frozen=True)
class Antisymmetric(_Scaled):
    """Neurons in pairs of equal w_j and opposite a_j, so that the network begins at zero.

    |a_j| = |w_j|, entries of w_j ~ scale U(+-1/sqrt(d)). With it the kernel regime is that of large
    scales, however large (arXiv 1812.07956, where outputs are zero at the start; Y. Zhang et al.,
    arXiv 1905.07777).
    """

    def check(self, point: Point) -> None:
        """Raise `ValueError` unless p is even: pairs are of two."""
        if point.p % 2:
            raise mistake("an even width for pairs of neurons", f"p = {point.p}", "add a neuron")

    def draw(
        self,
        neuron: Uniforms,
        X: Rows,
        y: Float[Array, " N"],
        sizes: Sizes,
    ) -> Parameters:
        """W (P, D), a (P,): neurons 2k and 2k + 1 are a pair."""
        W = self.scale * jnp.repeat(_hidden(neuron, sizes)[::2], 2, axis=0)[: neuron.rows]
        signs = jnp.where(jnp.arange(neuron.rows) % 2 == 0, 1.0, -1.0)
        return padded(W, signs * row_norms(W), sizes)


@dataclass(frozen=True)
class GaussianWeights(Everywhere):
    """w_j ~ N(0, variance I); `outputs` a_j are random signs, standard normal, or one.

    Variance 1 with signs is the law of arXiv 1810.02054; variance 1/d with ones that of the
    quadratic student of arXiv 1907.06594.
    """

    variance: Literal["1", "1/d"] = "1"
    outputs: Literal["signs", "normal", "ones"] = "signs"

    def __post_init__(self) -> None:
        if self.variance not in ("1", "1/d"):
            raise mistake("variance in {1, 1/d}", self.variance, "use one of these")
        if self.outputs not in ("signs", "normal", "ones"):
            raise mistake("outputs in {signs, normal, ones}", self.outputs, "use one of these")

    def draw(
        self,
        neuron: Uniforms,
        X: Rows,
        y: Float[Array, " N"],
        sizes: Sizes,
    ) -> Parameters:
        """W (P, D), a (P,)."""
        W = normal(neuron.entries)
        if self.variance == "1/d":
            W = W / jnp.sqrt(jnp.asarray(sizes.d, W.dtype))
        return padded(W, self._outputs(neuron.scalars[:, 0]), sizes)

    def _outputs(self, u: Float[Array, " P"]) -> Float[Array, " P"]:
        if self.outputs == "ones":
            return jnp.ones_like(u)
        return sign(u) if self.outputs == "signs" else normal(u)


@dataclass(frozen=True)
class Group:
    """Neuron j is active exactly on group j = {i : i mod p = j}, balanced, |w_j| = scale.

    w_j is along sum_{i in G_j} x_i/|x_i| and a_j has the sign of the group's labels: the closed
    form of arXiv 2502.16977 holds when the inputs are orthonormal and labels are `GroupSigns`.
    """

    scale: float = 0.1

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise mistake("scale > 0", self.scale, "give the norm of a first weight")

    def check(self, point: Point) -> None:
        """Raise `ValueError` if p > n: every neuron needs a group."""
        if point.p > point.n:
            got = f"p = {point.p}, n = {point.n}"
            raise mistake("p <= n for the group initialization", got, "lower p or raise n")

    def draw(
        self,
        neuron: Uniforms,
        X: Rows,
        y: Float[Array, " N"],
        sizes: Sizes,
    ) -> Parameters:
        """W (P, D), a (P,)."""
        neurons = jnp.arange(neuron.rows)
        member = jnp.arange(X.shape[0])[None, :] % sizes.p == neurons[:, None]
        member = (member & below(sizes.n, X.shape[0])[None, :]).astype(y.dtype)
        W = X.directions(member)
        size = row_norms(W)
        W = self.scale * W / jnp.where(size > 0, size, 1)[:, None]
        return padded(W, self.scale * jnp.sign(product(member, y)), sizes)


@dataclass(frozen=True)
class ExplicitWeights:
    """The weights given: p rows W of d numbers and p numbers a."""

    W: tuple[tuple[float, ...], ...]
    a: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.W) != len(self.a) or len({len(row) for row in self.W}) != 1:
            got = f"{len(self.W)} rows and {len(self.a)} outputs"
            raise mistake("one row of d weights and one output a neuron", got, "make them match")

    def check(self, point: Point) -> None:
        """Raise `ValueError` unless p and d are those of the weights."""
        if (point.p, point.d) != (len(self.W), len(self.W[0])):
            expected = f"p = {len(self.W)}, d = {len(self.W[0])} as in the explicit weights"
            raise mistake(expected, f"p = {point.p}, d = {point.d}", "make the point match")

    def draw(
        self,
        neuron: Uniforms,
        X: Rows,
        y: Float[Array, " N"],
        sizes: Sizes,
    ) -> Parameters:
        """W (P, D), a (P,)."""
        W = jnp.zeros((neuron.rows, neuron.d), jnp.float32)
        a = jnp.zeros(neuron.rows, jnp.float32)
        return Parameters(
            W.at[: len(self.W), : len(self.W[0])].set(jnp.asarray(self.W, jnp.float32)),
            a.at[: len(self.a)].set(jnp.asarray(self.a, jnp.float32)),
        )


LAWS: dict[str, type[Initialization]] = {
    "dominated": Dominated,
    "balanced": Balanced,
    "antisymmetric": Antisymmetric,
    "gaussian": GaussianWeights,
    "group": Group,
    "explicit": ExplicitWeights,
}
