"""A problem of one's own, written one sample at a time: here a perceptron on random labels.

Cover (1965): n random labels in d dimensions can be separated with probability one half at n = 2d.
Rename the class, change what it draws and what it predicts, then

    jaxflow doctor _problem.toml    whether it keeps its word: padding, gradient, keys
    jaxflow trial _problem.toml -n 30    one trial, drawn on its way
    jaxflow run _problem.toml       the threshold, its interval, a figure
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

import jaxflow as jf


@dataclass(frozen=True, eq=False)
class Perceptron(jf.Supervised):
    """A linear classifier; its fields are parameters that a study can set, list or scan."""

    offset: float = 0.0  # of every label's plane: an axis by the name "problem.offset"

    # The loss of one prediction: a name ("squared_error", "hinge", "squared_hinge", "logistic",
    # "cross_entropy"), or a method loss(self, prediction, y) of your own.
    loss = "squared_hinge"

    def start(self, key, point):
        """First parameters: an array, or a tree of arrays, drawn from the key."""
        return jnp.zeros(point.d)

    def sample(self, key, nature, point):
        """One sample, drawn from its own key: an input and a label.

        What all samples of a trial share, such as a teacher, is drawn by nature(self, key, point).
        """
        x, y = jax.random.split(key)
        return jax.random.normal(x, (point.d,)) / point.d**0.5, jax.random.rademacher(y, (), float)

    def predict(self, parameters, x):
        """The prediction for one input."""
        return jnp.dot(parameters, x) + self.offset
