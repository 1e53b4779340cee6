"""Laws of the inputs x_1..x_n in R^d: rows of X (N, D), zero beyond n and d.

Student's t of nu degrees of freedom is drawn from two uniform numbers u and v in the plane,

    t = sqrt(nu (u^(-2/nu) - 1)) cos(2 pi v):

R. W. Bailey, "Polar generation of random variates with the t-distribution", Mathematics of
Computation 62 (1994) 779-781.
"""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Number, Uniforms, between, normal, sign
from jaxflow.core.types import Point
from jaxflow.problems.problem import Sizes, below
from jaxflow.problems.shallow.padding import Basis, Dense, Everywhere, Rows, row_norms

Ends = tuple[Number, Number]


@runtime_checkable
class InputLaw(Protocol):
    """A random law of n inputs in R^d; one that draws a `Basis` says `orthogonal = True`."""

    def check(self, point: Point) -> None:
        """Raise `ValueError` where the law has no sample at this point."""
        ...

    def draw(self, sample: Uniforms, sizes: Sizes) -> Rows:
        """The rows of X, with row i a function of d and of the sample's numbers only."""
        ...


def _check_radii(low: float, high: float) -> None:
    if not 0 < low <= high:
        raise mistake("radii 0 < low <= high", (low, high), "give the smaller radius first")


def _gaussian(sample: Uniforms, sizes: Sizes) -> Float[Array, "N D"]:
    return jnp.where(below(sizes.d, sample.d)[None, :], normal(sample.entries), 0)


def _student(sample: Uniforms, nu: Number) -> Float[Array, "N D"]:
    """Student's t of nu degrees of freedom; the numbers of an entry are those of its place."""
    twice = replace(sample, d=2 * sample.d).entries
    u, v = twice[:, ::2], twice[:, 1::2]
    return jnp.sqrt(nu * jnp.expm1(-2 / nu * jnp.log1p(-u))) * jnp.cos(2 * jnp.pi * v)


def _along(G: Float[Array, "N D"], sample: Uniforms, sizes: Sizes, radii: Ends) -> Dense:
    """Rows in the directions of those of G, with norms uniform between the radii."""
    radius = between(sample.scalars[:, 0], *radii)
    X = G * (radius / row_norms(G))[:, None]
    return Dense(jnp.where(below(sizes.n, len(X))[:, None], X, 0))


@dataclass(frozen=True)
class Sphere(Everywhere):
    """x/|x| uniform on S^{d-1}, |x| ~ U[low, high] (arXiv 2502.16977, experiment 1)."""

    low: float = 1.0
    high: float = 2.0

    def __post_init__(self) -> None:
        _check_radii(self.low, self.high)

    def draw(self, sample: Uniforms, sizes: Sizes) -> Dense:
        """X (N, D)."""
        return _along(_gaussian(sample, sizes), sample, sizes, (self.low, self.high))


@dataclass(frozen=True)
class Rademacher(Everywhere):
    """x/|x| uniform on {-1/sqrt(d), 1/sqrt(d)}^d, |x| ~ U[low, high].

    Two inputs share a direction with probability 2^-d. With labels of other signs no network that
    is positively homogeneous fits both: of random signs, half of all draws have such a pair at
    n = 2 sqrt(log 2) 2^(d/2), whatever the width.
    """

    low: float = 1.0
    high: float = 2.0

    def __post_init__(self) -> None:
        _check_radii(self.low, self.high)

    def draw(self, sample: Uniforms, sizes: Sizes) -> Dense:
        """X (N, D)."""
        G = jnp.where(below(sizes.d, sample.d)[None, :], sign(sample.entries), 0)
        return _along(G, sample, sizes, (self.low, self.high))


@dataclass(frozen=True)
class Student(Everywhere):
    """x = |x| t/|t|, the d entries of t independent Student's t of nu > 2, |x| ~ U[low, high].

    The tails are those of the direction: the smaller nu, the oftener one entry is most of x. An
    entry is cut off where it would be larger once in 2^23.
    """

    nu: float = 3.0
    low: float = 1.0
    high: float = 2.0

    def __post_init__(self) -> None:
        if not self.nu > 2:
            remedy = "give the degrees of freedom; entries have a variance above 2"
            raise mistake("nu > 2", self.nu, remedy)
        _check_radii(self.low, self.high)

    def draw(self, sample: Uniforms, sizes: Sizes) -> Dense:
        """X (N, D)."""
        G = jnp.where(below(sizes.d, sample.d)[None, :], _student(sample, self.nu), 0)
        return _along(G, sample, sizes, (self.low, self.high))


@dataclass(frozen=True)
class Gaussian(Everywhere):
    """x ~ N(0, scale^2 I_d)."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise mistake("scale > 0", self.scale, "give the standard deviation of an entry")

    def draw(self, sample: Uniforms, sizes: Sizes) -> Dense:
        """X (N, D)."""
        X = self.scale * _gaussian(sample, sizes)
        return Dense(jnp.where(below(sizes.n, len(X))[:, None], X, 0))


@dataclass(frozen=True)
class Orthogonal:
    """x_i = |x_i| e_i, |x_i| ~ U[low, high], n <= d (arXiv 2502.16977, experiment 2)."""

    low: float = 1.0
    high: float = 2.0
    orthogonal = True

    def __post_init__(self) -> None:
        _check_radii(self.low, self.high)

    def check(self, point: Point) -> None:
        """Raise `ValueError` if n > d: at most d orthogonal inputs fit in R^d."""
        if point.n > point.d:
            got = f"n = {point.n}, d = {point.d}"
            raise mistake("n <= d for orthogonal inputs", got, "lower n or raise d")

    def draw(self, sample: Uniforms, sizes: Sizes) -> Basis:
        """The radii of X (N, D), which is diagonal."""
        radius = between(sample.scalars[:, 0], self.low, self.high)
        return Basis(jnp.where(below(sizes.n, len(radius)), radius, 0), sample.d)


@dataclass(frozen=True)
class ExplicitInputs:
    """The rows given."""

    rows: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        rows = [np.asarray(row) for row in self.rows]
        if not rows or rows[0].ndim != 1 or len({row.shape for row in rows}) != 1:
            raise mistake("rows of equal length", self.rows, "give one row of d numbers a sample")
        object.__setattr__(self, "rows", tuple(tuple(row.tolist()) for row in rows))

    def check(self, point: Point) -> None:
        """Raise `ValueError` unless n and d are those of the rows."""
        if (point.n, point.d) != (len(self.rows), len(self.rows[0])):
            expected = f"n = {len(self.rows)}, d = {len(self.rows[0])} as in the explicit inputs"
            raise mistake(expected, f"n = {point.n}, d = {point.d}", "make the point match")

    def draw(self, sample: Uniforms, sizes: Sizes) -> Dense:
        """X (N, D)."""
        del sizes
        X = np.zeros((sample.rows, sample.d), np.float32)
        X[: len(self.rows), : len(self.rows[0])] = self.rows
        return Dense(jnp.asarray(X))


LAWS: dict[str, type[InputLaw]] = {
    "sphere": Sphere,
    "gaussian": Gaussian,
    "rademacher": Rademacher,
    "student": Student,
    "orthogonal": Orthogonal,
    "explicit": ExplicitInputs,
}
