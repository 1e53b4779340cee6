"""The shallow network, its loss, and the speed of its gradient flow.

    h(x) = c(p) sum_j a_j sigma(w_j . x),   L = (1/2n) sum_i r_i^2,   r_i = y_i - h(x_i)

with c(p) = 1/p, 1/sqrt(p) or 1, and the flow theta' = -kappa(p) grad L, where kappa = p for the
mean-field scaling 1/p and 1 otherwise (arXiv 2502.16977, section 2; 1810.02054, section 1). The
factor p makes p -> infinity non-degenerate: the flow is then that of the network sum_j over
parameters theta / sqrt(p).

Every activation here has sigma(0) = 0, so a sample padded with x = 0, y = 0 and a neuron padded
with w = 0, a = 0 contribute nothing to h, L or any gradient: padding needs no mask.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxflow.core.errors import mistake
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
        return self.inputs.X


@runtime_checkable
class Activation(Protocol):
    """An activation sigma with sigma(0) = 0, homogeneous of `degree` on each half line."""

    @property
    def degree(self) -> float:
        """The k in sigma(s z) = s^k sigma(z), s > 0: a_j^2 - |w_j|^2 / k is conserved."""
        ...

    def __call__(self, z: Array) -> Array:
        """sigma(z), elementwise."""
        ...

    def derivative(self, z: Array) -> Array:
        """sigma'(z), elementwise; zero at a kink's left side and at the kink."""
        ...


@dataclass(frozen=True)
class ReLU:
    """sigma(z) = max(z, 0)."""

    degree = 1.0

    def __call__(self, z: Array) -> Array:
        return jnp.maximum(z, 0)

    def derivative(self, z: Array) -> Array:
        return (z > 0).astype(z.dtype)


@dataclass(frozen=True)
class LeakyReLU:
    """sigma(z) = max(z, leak z), 0 <= leak < 1."""

    leak: float = 0.01
    degree = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.leak, int | float) and not 0 <= self.leak < 1:
            raise mistake("0 <= leak < 1", self.leak, "choose a slope below that of the other side")

    def __call__(self, z: Array) -> Array:
        return jnp.where(z > 0, z, self.leak * z)

    def derivative(self, z: Array) -> Array:
        return jnp.where(z > 0, jnp.ones_like(z), self.leak)


@dataclass(frozen=True)
class Quadratic:
    """sigma(z) = z^2."""

    degree = 2.0

    def __call__(self, z: Array) -> Array:
        return z * z

    def derivative(self, z: Array) -> Array:
        return 2 * z


@dataclass(frozen=True)
class Monomial:
    """sigma(z) = alpha max(z, 0)^beta, beta >= 1 (arXiv 2502.16977, discussion)."""

    alpha: float = 1.0
    beta: float = 2.0

    def __post_init__(self) -> None:
        if isinstance(self.beta, int | float) and self.beta < 1:
            raise mistake(
                "beta >= 1", self.beta, "choose a monomial with a bounded derivative at 0"
            )

    @property
    def degree(self) -> float:
        """The exponent beta."""
        return self.beta

    def __call__(self, z: Array) -> Array:
        return jnp.where(z > 0, self.alpha * self._power(z, self.beta), 0)

    def derivative(self, z: Array) -> Array:
        return jnp.where(z > 0, self.alpha * self.beta * self._power(z, self.beta - 1), 0)

    def _power(self, z: Array, exponent: float) -> Array:
        return jnp.where(z > 0, z, 1) ** exponent


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "quadratic": Quadratic,
    "monomial": Monomial,
}

Scaling = Literal["1/p", "1/sqrt(p)", "1"]


@dataclass(frozen=True)
class Network:
    """What is trained: activation, output scaling c(p), and which layers move."""

    activation: Activation = ReLU()
    scaling: Scaling = "1/p"
    trained: Literal["both", "first"] = "both"

    def __post_init__(self) -> None:
        if self.scaling not in ("1/p", "1/sqrt(p)", "1"):
            raise mistake("scaling in {1/p, 1/sqrt(p), 1}", self.scaling, "use one of these")
        if self.trained not in ("both", "first"):
            raise mistake("trained in {both, first}", self.trained, "use one of these")

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

    With M_ij = (kappa c / n) r_i sigma'(w_j.x_i) and G = M^T X the flow is w_j' = a_j G_j and,
    sigma being homogeneous, a_j' = (kappa c / n) sum_i r_i sigma(w_j.x_i) = w_j.G_j / degree,
    which spares a pass over the n p activations (arXiv 2502.16977, equation of the flow).
    """
    Z = data.inputs.preactivations(theta.W)
    r = _residuals(network, data, theta, Z)
    p = data.p.astype(r.dtype)
    rate = network.speed(p) * network.output_scale(p) / data.n.astype(r.dtype)
    M = (rate * r)[:, None] * network.activation.derivative(Z)
    W_velocity, along = data.inputs.pull(theta.W, Z, M, theta.a)
    a_velocity = along / network.activation.degree
    if network.trained == "first":
        a_velocity = jnp.zeros_like(a_velocity)
    return Parameters(W_velocity, a_velocity)


def _residuals(network: Network, data: Data, theta: Parameters, Z: Array) -> Array:
    scale = network.output_scale(data.p.astype(Z.dtype))
    return data.y - scale * product(network.activation(Z), theta.a)


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
    """a_j^2 - |w_j|^2 / degree, conserved by the flow when both layers are trained."""
    return theta.a**2 - data.inputs.sizes(theta.W) / network.activation.degree


def distances(data: Data, theta: Parameters, first: Parameters) -> Float[Array, " p"]:
    """|w_j - w_j(0)| of every neuron; `first` are the parameters at the start of the trial."""
    moved = jax.tree.map(jnp.subtract, theta.W, first.W)
    return jnp.sqrt(data.inputs.squares(moved))
