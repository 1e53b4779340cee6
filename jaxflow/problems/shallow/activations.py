"""Activations sigma, elementwise, and what a network knows of each.

sigma is homogeneous of degree k if sigma(s z) = s^k sigma(z) for every s > 0. Then z sigma'(z) =
k sigma(z), which gives the gradient in the output weights from that in the hidden ones, and
a_j^2 - |w_j|^2 / k is conserved by the flow when both layers are trained. An activation that is
homogeneous says so by its `degree`; of one that says nothing neither is used.
"""

from collections.abc import Hashable
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Number
from jaxflow.core.open_names import Unloaded, check_instance
from jaxflow.core.values import content, is_traced

PLACES = np.array([-2.5, -1.0, -0.3, 0.0, 0.3, 1.0, 2.5], np.float32)  # where one is tried
FACTORS = (0.5, 3.0)
TOLERANCE = 1e-3  # of sigma there; in float32


@runtime_checkable
class Activation(Protocol):
    """A frozen dataclass that is called; it may have a `degree` and a `derivative(z)` as well.

    `degree` is the k > 0 of a homogeneous one; absent or None it is not homogeneous. One whose
    derivative is continuous may say so, `smooth = True`, for the solver to use.
    `derivative(z)` is sigma'(z), elementwise, by convention zero at a kink; absent it is taken by
    automatic differentiation.
    """

    def __call__(self, z: Array) -> Array:
        """sigma(z), elementwise."""
        ...


@dataclass(frozen=True)
class ReLU:
    """sigma(z) = max(z, 0)."""

    degree = 1.0

    def __call__(self, z: Array) -> Array:
        return jnp.maximum(z, 0)

    def derivative(self, z: Array) -> Array:
        """sigma'(z), of the shape of z."""
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
        """sigma'(z), of the shape of z."""
        return jnp.where(z > 0, jnp.ones_like(z), self.leak)


@dataclass(frozen=True)
class Quadratic:
    """sigma(z) = z^2."""

    degree = 2.0

    def __call__(self, z: Array) -> Array:
        return z * z

    def derivative(self, z: Array) -> Array:
        """sigma'(z), of the shape of z."""
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
        """sigma'(z), of the shape of z."""
        return jnp.where(z > 0, self.alpha * self.beta * self._power(z, self.beta - 1), 0)

    def _power(self, z: Array, exponent: float) -> Array:
        return jnp.where(z > 0, z, 1) ** exponent


@dataclass(frozen=True)
class Tanh:
    """sigma(z) = tanh(z)."""

    smooth = True

    def __call__(self, z: Array) -> Array:
        return jnp.tanh(z)


@dataclass(frozen=True)
class GELU:
    """sigma(z) = z Phi(z), Phi the standard normal distribution (arXiv 1606.08415)."""

    smooth = True

    def __call__(self, z: Array) -> Array:
        return jax.nn.gelu(z, approximate=False)


@dataclass(frozen=True)
class Softplus:
    """sigma(z) = log(1 + exp(z)), which is not zero at zero."""

    smooth = True

    def __call__(self, z: Array) -> Array:
        return jax.nn.softplus(z)


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "quadratic": Quadratic,
    "monomial": Monomial,
    "tanh": Tanh,
    "gelu": GELU,
    "softplus": Softplus,
}


def degree(activation: Activation) -> Number | None:
    """The k of a homogeneous activation; None of any other."""
    return getattr(activation, "degree", None)


def derivative(activation: Activation, z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """sigma'(z), the activation's own or by automatic differentiation."""
    own = getattr(activation, "derivative", None)
    return _differentiated(activation, z) if own is None else own(z)


def check_activation(activation: Activation, where: str) -> None:
    """Raise `ValueError` unless it is elementwise, and its degree and derivative are its own.

    Numbers are asked only of what is declared and not ours: without them JAX is not started.
    """
    check_instance(activation, Activation, where)
    trusted = (Unloaded, *ACTIVATIONS.values())
    if type(activation) in trusted or _is_traced(activation):
        return
    if (key := content(activation)) not in _CHECKED:
        _check_shape(activation, where)
        with jax.ensure_compile_time_eval():
            _check_degree(activation, where)
            _check_derivative(activation, where)
        _CHECKED.add(key)


_CHECKED: set[Hashable] = set()


def _differentiated(activation: Activation, z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Every entry depends on its own z alone, so one product with ones has all derivatives."""
    return jax.jvp(activation, (z,), (jnp.ones_like(z),))[1]


def _is_traced(activation: Activation) -> bool:
    values = [getattr(activation, f.name) for f in fields(activation)]  # type: ignore[arg-type]
    return any(map(is_traced, values))


def _check_shape(activation: Activation, where: str) -> None:
    z = jax.ShapeDtypeStruct((3, 2), jnp.float32)
    try:
        found = jax.eval_shape(activation, z)
        told = f"{found.dtype} {found.shape}"
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
    if told != f"{z.dtype} {z.shape}":
        expected = f"{type(activation).__name__} at {where} to take float32 (3, 2) to the same"
        raise mistake(expected, told, "write it with jax.numpy, elementwise")


def _check_degree(activation: Activation, where: str) -> None:
    k = degree(activation)
    if k is None:
        return
    values = np.asarray(activation(jnp.asarray(PLACES)))
    for s in FACTORS:
        scaled = np.asarray(activation(jnp.asarray(s * PLACES)))
        error = np.max(np.abs(scaled - s**k * values)) / np.max(np.abs(scaled), initial=1e-30)
        if not (k > 0 and error <= TOLERANCE):
            expected = f"{type(activation).__name__} at {where} homogeneous of its degree {k}"
            got = f"sigma({s} z) off {s}^{k} sigma(z) by {error:.2g} of its size"
            raise mistake(expected, got, "correct the degree, or leave it out")


def _check_derivative(activation: Activation, where: str) -> None:
    own = getattr(activation, "derivative", None)
    if own is None:
        return
    z = jnp.asarray(PLACES[PLACES != 0])  # a kink at 0 has a convention there
    found, true = np.asarray(own(z)), np.asarray(_differentiated(activation, z))
    error = np.max(np.abs(found - true)) / np.max(np.abs(true), initial=1e-30)
    if not error <= TOLERANCE:
        expected = f"the derivative of {type(activation).__name__} at {where}"
        got = f"one that is off by {error:.2g} of its size"
        raise mistake(expected, got, "correct it, or leave it out for automatic differentiation")
