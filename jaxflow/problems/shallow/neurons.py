"""The geometry of a shallow network: neurons, in whatever coordinates their weights are kept."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxflow.core.trees import norm
from jaxflow.problems.shallow.network import Data, Parameters

OUTPUT_WEIGHT = 0.1  # of the squared errors of the output weights


class Neurons:
    """A group is w_j, or a_j; the two of a neuron move as one.

    Lengths are taken in the space of W, so that a rotation of the inputs, a scaling of a layer and
    the choice of coordinates change no step. Errors of w_j turn its boundary and are what delays or
    hastens convergence; to hold those of a_j as tightly costs a third more evaluations and changes
    nothing (benchmarks/frontier.py).
    """

    def squares(self, data: Data, difference: Parameters) -> Parameters:
        """|u_j|^2 and a_j^2 of a difference."""
        return Parameters(data.inputs.squares(difference.W), difference.a**2)

    def sizes(self, data: Data, parameters: Parameters) -> Parameters:
        """|w_j|^2 and a_j^2."""
        return Parameters(data.inputs.sizes(parameters.W), parameters.a**2)

    def together(self, squares: Parameters) -> Float[Array, " p"]:
        """|w_j|^2 + a_j^2."""
        return squares.W + squares.a

    def weighed(self, squares: Parameters) -> Parameters:
        """Those of the output weights count less."""
        return Parameters(squares.W, OUTPUT_WEIGHT * squares.a)

    def root_mean_square(self, data: Data, lengths: PyTree) -> Float[Array, ""]:
        """Over the true neurons, of a layer or the sum of both."""
        total = norm(lengths)
        return total / jnp.sqrt(data.p.astype(total.dtype))
