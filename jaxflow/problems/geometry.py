"""How long parameters, their differences and their velocities are, group by group.

A group is what is judged as one by the control of errors and by the test for standing still: a
row of a matrix, the weights into a neuron; or a whole vector, the biases of a layer.
"""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxflow.core.trees import row_sums


@runtime_checkable
class Geometry(Protocol):
    """Lengths in the space of parameters; trees of squared lengths have a leaf of groups a layer.

    `data` are those of the trial: they know the padding, and what its coordinates are.
    """

    def squares(self, data: Any, difference: PyTree) -> PyTree:
        """The squared lengths of a difference of parameters, or of a velocity."""
        ...

    def sizes(self, data: Any, parameters: PyTree) -> PyTree:
        """The squared lengths of the parameters themselves."""
        ...

    def together(self, squares: PyTree) -> PyTree:
        """The squared lengths of what moves as one, where that is more than a group."""
        ...

    def weighed(self, squares: PyTree) -> PyTree:
        """The squares of errors, each by how much it counts."""
        ...

    def root_mean_square(self, data: Any, lengths: PyTree) -> Float[Array, ""]:
        """Of the lengths of groups, of one leaf or of all."""
        ...


class ByRow:
    """The rows of matrices, and vectors whole, every leaf counting alike."""

    def squares(self, data: Any, difference: PyTree) -> PyTree:
        """Sums of squares over all axes but the first; over a vector."""
        return jax.tree.map(_squares, difference)

    def sizes(self, data: Any, parameters: PyTree) -> PyTree:
        """The same."""
        return self.squares(data, parameters)

    def together(self, squares: PyTree) -> PyTree:
        """Each by itself."""
        return squares

    def weighed(self, squares: PyTree) -> PyTree:
        """All alike."""
        return squares

    def root_mean_square(self, data: Any, lengths: PyTree) -> Float[Array, ""]:
        """The root of the sum over leaves of the means over their groups."""
        return jnp.sqrt(sum(jnp.mean(leaf * leaf) for leaf in jax.tree.leaves(lengths)))


def _squares(leaf: Array) -> Array:
    if leaf.ndim < 2:
        return jnp.sum(leaf * leaf)
    return row_sums((leaf * leaf).reshape(len(leaf), -1))


class Lengths:
    """The length of a whole difference, and of whole parameters, by the groups of a geometry."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lengths) and self.geometry == other.geometry

    def __hash__(self) -> int:
        return hash(type(self.geometry))

    def norm(self, difference: PyTree, data: Any) -> Float[Array, ""]:
        """|difference|."""
        return _root_of_sum(self.geometry.squares(data, difference))

    def size(self, parameters: PyTree, data: Any) -> Float[Array, ""]:
        """|parameters|."""
        return _root_of_sum(self.geometry.sizes(data, parameters))


def _root_of_sum(squares: PyTree) -> Float[Array, ""]:
    return jnp.sqrt(sum(jnp.sum(leaf) for leaf in jax.tree.leaves(squares)))
