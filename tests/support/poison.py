"""Problems one of whose trials cannot be run: it raises, or ends its process, or stops it."""

import os
import signal
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxflow.problems.problem import Problem


@dataclass(frozen=True)
class Poison(Problem):
    """L = |theta|^2 / 2 from 1 + a number drawn; some trials meet what `at` and `does` say.

    A trial whose number, drawn from [0, 1), is below `share` is poison. What it does: "raise" an
    error, "end" its process, or "stop" that, as long as the file `once` is not there, if one is
    named.
    """

    share: float = 0.1
    does: str = "raise"
    once: str = ""

    def draw(self, keys, point):
        number = jax.random.uniform(keys.samples)
        shape = jax.ShapeDtypeStruct((), jnp.float32)
        met = jax.pure_callback(self._meet, shape, number, vmap_method="sequential")
        return met, jnp.ones(point.d) * (1 + number)

    def loss(self, data, parameters):
        return data * jnp.sum(parameters**2) / 2

    def _meet(self, number):
        if number < self.share and not (self.once and os.path.exists(self.once)):
            if self.once:
                open(self.once, "w").close()
            if self.does == "raise":
                raise ValueError(f"poison {float(number):.3f}")
            os.kill(os.getpid(), signal.SIGKILL if self.does == "end" else signal.SIGSTOP)
        return np.float32(1)
