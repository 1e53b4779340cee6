"""The ensemble, and the draw of one trial from it.

A trial is drawn in float32 whatever the precision of its flow, so that every precision, dynamics
and padding starts from the same network and data.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Keys, Uniforms
from jaxflow.core.types import Point
from jaxflow.problems.shallow.coordinates import (
    Ambient,
    Inputs,
    Name,
    in_diagonal,
    in_span,
    product,
)
from jaxflow.problems.shallow.initialization import Dominated, Initialization
from jaxflow.problems.shallow.inputs import InputLaw, Sphere
from jaxflow.problems.shallow.labels import LabelLaw, RandomSigns
from jaxflow.problems.shallow.network import Data, Network, Parameters
from jaxflow.problems.shallow.padding import Basis, Shape, Sizes, below


@dataclass(frozen=True)
class Ensemble:
    """The random law of one trial; the default is experiment 1 of arXiv 2502.16977."""

    inputs: InputLaw = Sphere()
    labels: LabelLaw = RandomSigns()
    network: Network = Network()
    initialization: Initialization = Dominated()

    def check(self, point: Point) -> None:
        """Raise `ValueError` where the ensemble has no trial at this point."""
        for name in ("d", "n", "p"):
            size = getattr(point, name)
            if size < 1:
                raise mistake(f"{name} >= 1", size, f"give a positive {name}")
        self.inputs.check(point)
        self.labels.check(point)
        self.initialization.check(point)


def draw(
    ensemble: Ensemble,
    keys: Keys,
    sizes: Sizes,
    shape: Shape,
    dtype: str,
    coordinates: Name = "ambient",
) -> tuple[Data, Parameters]:
    """One trial: its data and first parameters, padded to `shape` with zeros.

    Orthogonal coordinates never form the n d inputs; they ask for the law `Orthogonal`.
    """
    sample = Uniforms(keys.samples, shape.N, shape.D)
    rows = ensemble.inputs.draw(sample, sizes)
    y = ensemble.labels.draw(sample, rows, sizes, keys)
    neuron = Uniforms(keys.neurons, shape.P, shape.D)
    theta = ensemble.initialization.draw(neuron, rows, y, sizes)
    W, a = theta.W.astype(dtype), theta.a.astype(dtype)
    inputs: Inputs
    if coordinates == "orthogonal":
        if not isinstance(rows, Basis):
            raise mistake("orthogonal inputs", ensemble.inputs, "use ambient or span coordinates")
        inputs, W = in_diagonal(rows.radii.astype(dtype), W)
    elif coordinates == "span":
        inputs, W = in_span(rows.dense().astype(dtype), W)
    else:
        inputs = Ambient(rows.dense().astype(dtype))
    return Data(inputs, y.astype(dtype), *map(jnp.asarray, sizes)), Parameters(W, a)


def well_initialized(data: Data, theta: Parameters) -> Bool[Array, ""]:
    """Every sample has an active neuron of its label's sign: a_j y_i > 0 and w_j . x_i > 0.

    Without one a ReLU network cannot fit the sample (arXiv 2502.16977, section 3).
    """
    active = (data.inputs.preactivations(theta.W) > 0).astype(data.y.dtype)
    positive = product(active, (theta.a > 0).astype(data.y.dtype)) > 0
    negative = product(active, (theta.a < 0).astype(data.y.dtype)) > 0
    fitted = jnp.where(data.y > 0, positive, negative)
    return jnp.all(fitted | ~below(data.n, len(data.y)))


def smallest_label(data: Data) -> Float[Array, ""]:
    """min_i |y_i| over the true samples."""
    return jnp.min(jnp.where(below(data.n, len(data.y)), jnp.abs(data.y), jnp.inf))
