"""The problem bank: small trials drawn once, and the formulas by hand in float64 NumPy."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jaxlib.version
import numpy as np

from jaxflow.core.keys import trial_keys
from jaxflow.core.types import Point
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.problem import Problem, Shape, Sizes
from jaxflow.problems.shallow.network import Data, Parameters
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw

IS_OLD_XLA = jaxlib.version.__version_info__ < (0, 11)
ROUNDING = 0 if IS_OLD_XLA else 5e-7  # relative, of draws by programs of two shapes


def keys_of(study_seed, d, n, p, seed):
    """The keys of a trial as device arrays."""
    return jax.tree.map(jnp.asarray, trial_keys(study_seed, Point(d, n, p), seed))


def drawn(problem=ShallowNetwork(), d=6, n=20, p=8, seed=0, shape=None, dtype="float32"):
    """The data and first parameters of one trial, padded to `shape` if given."""
    return draw(problem, keys_of(0, d, n, p, seed), Sizes(d, n, p), shape or Shape(d, n, p), dtype)


def as_float64(data: Data, theta: Parameters):
    """X, y, W, a as float64 NumPy arrays."""
    return tuple(np.asarray(v, np.float64) for v in (data.X, data.y, theta.W, theta.a))


def relu_velocity(X, y, W, a):
    """theta' = -p grad L and L of the mean-field ReLU network, from the paper's formulas."""
    n, p = len(y), len(a)
    Z = X @ W.T
    S = np.maximum(Z, 0)
    r = y - S @ a / p
    active = (Z > 0) * r[:, None]
    return a[:, None] * (active.T @ X) / n, S.T @ r / n, r @ r / (2 * n)


def euler(X, y, W, a, step, horizon, target=0.0):
    """Euler's method on the flow in float64; (time of first L <= target or inf, losses)."""
    W, a, losses, t = W.copy(), a.copy(), [], 0.0
    while True:
        W_velocity, a_velocity, value = relu_velocity(X, y, W, a)
        losses.append(value)
        if value <= target:
            return t, np.array(losses)
        if t >= horizon - step / 2:
            return np.inf, np.array(losses)
        W, a, t = W + step * W_velocity, a + step * a_velocity, t + step


FINE = GradientFlow("Tsit5", rtol=1e-6, atol=1e-8)


@dataclass(frozen=True, eq=False)
class Bowl(Problem):
    """L = rate |theta|^2 / 2 from (2, 0): theta(t) = 2 exp(-rate t)."""

    rate: float = 2.0

    def draw(self, keys, point):
        return jnp.float32(self.rate), jnp.zeros(point.d).at[0].set(2.0)

    def loss(self, data, parameters):
        return data * jnp.sum(parameters**2) / 2
