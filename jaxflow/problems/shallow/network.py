"""The shallow network, its loss, and the speed of its gradient flow.

    h(x) = c(p) sum_j a_j sigma(w_j . x),   L = (1/2n) sum_i r_i^2,   r_i = y_i - h(x_i)

with c(p) = 1/p, 1/sqrt(p) or 1, and the flow theta' = -kappa(p) grad L, where kappa = p for the
mean-field scaling 1/p and 1 otherwise (arXiv 2502.16977, section 2; 1810.02054, section 1). The
factor p makes p -> infinity non-degenerate: the flow is then that of the network sum_j over
parameters theta / sqrt(p).

With biases a neuron is sigma(w_j . x + b_j): an input of d + 1 coordinates whose last is 1, and
weights (w_j, b_j). Everything here, |w_j| too, is then of those.

Samples are padded with x = 0, y = 0 and neurons with w = 0, a = 0. A homogeneous activation has
sigma(0) = 0, so that they contribute nothing to h, L or any gradient; for any other the residuals
of the padding, and its velocities, are masked.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxflow.core.errors import mistake
from jaxflow.core.schema import Choice, Schema
from jaxflow.core.values import ByContent
from jaxflow.problems.problem import below
from jaxflow.problems.shallow.activations import (
    ACTIVATIONS,
    Activation,
    ReLU,
    check_activation,
    degree,
    derivative,
)
from jaxflow.problems.shallow.coordinates import Ambient, Inputs, Weights, product


class Parameters(NamedTuple):
    """Hidden weights W, (p, d) in ambient coordinates, and output weights a (p,); or a velocity."""

    W: Weights
    a: Float[Array, " p"]


class Data(NamedTuple):
    """Inputs in some coordinates and labels y (N,), padded with zeros; the true sizes d, n and p.

    The coordinates of the inputs are those of the weights: every function here works in any.
    """

    inputs: Inputs
    y: Float[Array, " n"]
    d: Int[Array, ""]
    n: Int[Array, ""]
    p: Int[Array, ""]

    @property
    def X(self) -> Float[Array, "n d"]:  # noqa: N802
        """The rows of the inputs, in ambient coordinates only."""
        if not isinstance(self.inputs, Ambient):
            got = f"{type(self.inputs).__name__.lower()} ones"
            raise mistake("ambient coordinates", got, "draw the trial in those to have its X")
        return self.inputs.XT.T


Scaling = Literal["1/p", "1/sqrt(p)", "1"]
SCHEMA = Schema({Activation: Choice("name", ACTIVATIONS)})


@dataclass(frozen=True, eq=False)
class Network(ByContent):
    """What is trained: activation, output scaling c(p), which layers move, and biases.

    A bias is the weight of one more input, which is always 1. First ones are `zero`, or `drawn`:
    then the first weights are those that their law has for d + 1 inputs.
    """

    activation: Activation = ReLU()
    scaling: Scaling = "1/p"
    trained: Literal["both", "first"] = "both"
    biases: Literal["none", "zero", "drawn"] = "none"

    def __post_init__(self) -> None:
        where = "problem.network.activation"
        object.__setattr__(self, "activation", SCHEMA.law(Activation, self.activation, where))
        check_activation(self.activation, where)
        if self.scaling not in ("1/p", "1/sqrt(p)", "1"):
            raise mistake("scaling in {1/p, 1/sqrt(p), 1}", self.scaling, "use one of these")
        if self.trained not in ("both", "first"):
            raise mistake("trained in {both, first}", self.trained, "use one of these")
        if self.biases not in ("none", "zero", "drawn"):
            raise mistake("biases in {none, zero, drawn}", self.biases, "use one of these")

    def output_scale(self, p: Array) -> Array:
        """c(p), the factor before the sum over neurons."""
        if self.scaling == "1/p":
            return 1 / p
        return 1 / jnp.sqrt(p) if self.scaling == "1/sqrt(p)" else jnp.ones_like(p)

    def speed(self, p: Array) -> Array:
        """kappa(p), the factor of the gradient in the flow theta' = -kappa grad L."""
        return p if self.scaling == "1/p" else jnp.ones_like(p)


def residuals(network: Network, data: Data, theta: Parameters) -> Float[Array, " n"]:
    """r = y - h(X), zero on padded samples."""
    return _residuals(network, data, theta, data.inputs.preactivations(theta.W))


def loss_of(data: Data, r: Float[Array, " n"]) -> Float[Array, ""]:
    """L = |r|^2 / 2n."""
    return jnp.sum(r * r) / (2 * data.n.astype(r.dtype))


def loss(network: Network, data: Data, theta: Parameters) -> Float[Array, ""]:
    """L = (1/2n) sum_i (y_i - h(x_i))^2."""
    return loss_of(data, residuals(network, data, theta))


def field(network: Network, data: Data, theta: Parameters) -> Parameters:
    """The velocity theta' = -kappa grad L.

    With M_ji = (kappa c / n) r_i sigma'(w_j.x_i) and G = M X the flow is w_j' = a_j G_j and
    a_j' = (kappa c / n) sum_i r_i sigma(w_j.x_i). Of a homogeneous sigma the last is w_j.G_j /
    degree, which spares a pass over the n p activations (arXiv 2502.16977, equation of the flow).
    """
    Z = data.inputs.preactivations(theta.W)
    r = _residuals(network, data, theta, Z)
    p = data.p.astype(r.dtype)
    rate = network.speed(p) * network.output_scale(p) / data.n.astype(r.dtype)
    M = rate * r * derivative(network.activation, Z)
    W_velocity, along = data.inputs.pull(theta.W, Z, M, theta.a)
    k = degree(network.activation)
    if k is None:
        a_velocity = product(network.activation(Z), rate * r)
        a_velocity = jnp.where(below(data.p, len(theta.a)), a_velocity, 0)
    else:
        a_velocity = along / k
    if network.trained == "first":
        a_velocity = jnp.zeros_like(a_velocity)
    return Parameters(W_velocity, a_velocity)


def precondition(network: Network, data: Data, gradient: Parameters) -> Parameters:
    """kappa times a gradient in ambient coordinates, of the layers that are trained."""
    kappa = network.speed(data.p.astype(gradient.a.dtype))
    moves = below(data.p, len(gradient.a)) & (network.trained == "both")
    return Parameters(kappa * gradient.W, jnp.where(moves, kappa * gradient.a, 0))


def _residuals(network: Network, data: Data, theta: Parameters, Z: Array) -> Array:
    scale = network.output_scale(data.p.astype(Z.dtype))
    r = data.y - scale * jnp.sum(theta.a[:, None] * network.activation(Z), axis=0)
    if degree(network.activation) is None:
        r = jnp.where(below(data.n, len(r)), r, 0)
    return r


def curvature(
    network: Network, data: Data, velocity: Parameters, value: Float[Array, ""]
) -> Float[Array, ""]:
    """Local PL curvature mu = -L'/L = |theta'|^2 / (kappa L), in inverse flow time."""
    return decay(network, data, velocity) / value


def decay(network: Network, data: Data, velocity: Parameters) -> Float[Array, ""]:
    """-L' = |theta'|^2 / kappa along the flow."""
    squared = jnp.sum(data.inputs.squares(velocity.W)) + jnp.sum(velocity.a**2)
    return squared / network.speed(data.p.astype(squared.dtype))


def balance(network: Network, data: Data, theta: Parameters) -> Float[Array, " p"]:
    """a_j^2 - |w_j|^2 / degree, conserved by the flow when both layers are trained.

    NaN for an activation that is not homogeneous, whose flow conserves no such thing.
    """
    k = degree(network.activation)
    if k is None:
        return jnp.full_like(theta.a, jnp.nan)
    return theta.a**2 - data.inputs.sizes(theta.W) / k


def distances(data: Data, theta: Parameters, first: Parameters) -> Float[Array, " p"]:
    """|w_j - w_j(0)| of every neuron; `first` are the parameters at the start of the trial."""
    moved = jax.tree.map(jnp.subtract, theta.W, first.W)
    return jnp.sqrt(data.inputs.squares(moved))
