"""Problems as a user writes them, beside the study files that name them."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

import jaxflow as jf


@dataclass(frozen=True, eq=False)
class Student(jf.Supervised):
    """A linear student of a linear teacher, by logistic loss, that begins `scale` long."""

    scale: float = 0.1
    loss = "logistic"

    def nature(self, key, point):
        v = jax.random.normal(key, (point.d,))
        return v / jnp.linalg.norm(v)

    def start(self, key, point):
        return self.scale * jax.random.normal(key, (point.d,)) / point.d**0.5

    def sample(self, key, nature, point):
        x = jax.random.normal(key, (point.d,))
        return x, jnp.where(nature @ x > 0, 1.0, -1.0)

    def predict(self, parameters, x):
        return parameters @ x


@dataclass(frozen=True, eq=False)
class Clouds(jf.Dataset):
    """A linear classifier of the samples of a file."""

    loss = "squared_hinge"

    def start(self, key, point):
        return jnp.zeros(self.arrays[0].shape[1])

    def predict(self, parameters, x):
        return parameters @ x


@dataclass(frozen=True)
class Langevin(jf.Iteration):
    """theta <- theta + step theta' + sqrt(2 step temperature) noise."""

    temperature: float = 0.01

    def update(self, problem, data, parameters, velocity, state, key):
        spread = jnp.sqrt(2 * self.step * self.temperature)
        noise = jax.random.normal(key, parameters.shape)
        return parameters + self.step * velocity + spread * noise, state
