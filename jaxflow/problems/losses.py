"""Losses of one sample, by name: functions of a prediction f and a label y.

squared_error   (f - y)^2 / 2, summed over the entries of a prediction
hinge           max(0, 1 - y f), of labels +-1
squared_hinge   max(0, 1 - y f)^2 / 2
logistic        log(1 + exp(-y f))
cross_entropy   -log softmax(f)_y, of a class y = 0, 1, ..
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxflow.core.errors import mistake

Labels = Literal["real", "signs", "classes"]


@dataclass(frozen=True)
class Loss:
    """A loss of one sample, and what its labels are."""

    name: str
    labels: Labels
    function: Callable[[Array, Array], Array]

    def __call__(self, prediction: Array, y: Array) -> Array:
        """The loss of a prediction."""
        return self.function(prediction, y)


def _squared_error(f: Array, y: Array) -> Array:
    if jnp.shape(f) != jnp.shape(y):
        remedy = "let predict give as many numbers as the label has, or define loss"
        expected = f"a prediction of the label's shape {jnp.shape(y)}"
        raise mistake(expected, jnp.shape(f), remedy)
    return jnp.sum((f - y) ** 2) / 2


squared_error = Loss("squared_error", "real", _squared_error)
hinge = Loss("hinge", "signs", lambda f, y: jnp.maximum(1 - y * f, 0))
squared_hinge = Loss("squared_hinge", "signs", lambda f, y: jnp.maximum(1 - y * f, 0) ** 2 / 2)
logistic = Loss("logistic", "signs", lambda f, y: jnp.logaddexp(0, -y * f))
cross_entropy = Loss("cross_entropy", "classes", lambda f, y: -jax.nn.log_softmax(f)[y])

LOSSES = {
    loss.name: loss for loss in (squared_error, hinge, squared_hinge, logistic, cross_entropy)
}
