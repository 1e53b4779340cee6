"""Does this machine compute what it should? One batch of the field against float64 NumPy.

Some releases of jaxlib miscompile fused reductions, and an accelerator may round products to
fewer bits than asked for. Both show in a single compiled evaluation of the field and the loss.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxflow.problems.shallow.coordinates import Ambient
from jaxflow.problems.shallow.network import Data, Network, Parameters, field, loss

LANES, N, D, P = 3, 200, 24, 40
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def numerics_error(dtype: str) -> float:
    """Largest error of a compiled batch of fields and losses, relative to its largest entry."""
    random = np.random.default_rng(0)
    X = random.standard_normal((LANES, N, D)).astype(np.float32)
    y = random.standard_normal((LANES, N)).astype(np.float32)
    W = random.standard_normal((LANES, P, D)).astype(np.float32)
    a = random.standard_normal((LANES, P)).astype(np.float32)

    def evaluate(X: jax.Array, y: jax.Array, W: jax.Array, a: jax.Array) -> tuple[jax.Array, ...]:
        data = Data(Ambient(X), y, jnp.asarray(D), jnp.asarray(N), jnp.asarray(P))
        theta = Parameters(W, a)
        return (*field(Network(), data, theta), loss(Network(), data, theta))

    arrays = [array.astype(dtype) for array in (X, y, W, a)]
    computed = jax.device_get(jax.jit(jax.vmap(evaluate))(*arrays))
    errors = []
    for lane in range(LANES):
        expected = _by_hand(*(array[lane].astype(np.float64) for array in (X, y, W, a)))
        for got, value in zip(computed, expected, strict=True):
            errors.append(np.max(np.abs(got[lane] - value)) / np.max(np.abs(value)))
    return float(np.max(errors))


def check_numerics(dtype: str) -> float:
    """The error of `numerics_error`; raises `ValueError` above the tolerance of the type."""
    error = numerics_error(dtype)
    if not error <= TOLERANCE[dtype]:
        device = jax.devices()[0].device_kind
        raise ValueError(
            f"expected {dtype} products within {TOLERANCE[dtype]:g} on {device}, got an error of "
            f"{error:.2g}: use another jaxlib (0.10.2 is known to fail) or another backend"
        )
    return error


def _by_hand(
    X: np.ndarray, y: np.ndarray, W: np.ndarray, a: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p grad with a minus sign, and L, of the mean-field ReLU network, from the formulas."""
    Z = X @ W.T
    S = np.maximum(Z, 0)
    r = y - S @ a / P
    W_velocity = ((r[:, None] * (Z > 0)).T @ X) * a[:, None] / N
    return W_velocity, S.T @ r / N, np.asarray(r @ r / (2 * N))
