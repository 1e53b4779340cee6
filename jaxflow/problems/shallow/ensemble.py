"""The ensemble, and the draw of one trial from it.

A trial is drawn in float32 whatever the precision of its flow, so that every precision, dynamics
and padding starts from the same network and data.
"""

from dataclasses import dataclass, replace

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Keys, Uniforms
from jaxflow.core.schema import Choice, Schema
from jaxflow.core.types import Point
from jaxflow.core.values import ByContent
from jaxflow.problems.shallow.activations import ACTIVATIONS, Activation
from jaxflow.problems.shallow.coordinates import (
    Ambient,
    Inputs,
    Name,
    in_diagonal,
    in_span,
    product,
)
from jaxflow.problems.shallow.initialization import LAWS as INITIALIZATIONS
from jaxflow.problems.shallow.initialization import Dominated, Initialization
from jaxflow.problems.shallow.inputs import LAWS as INPUT_LAWS
from jaxflow.problems.shallow.inputs import InputLaw, Sphere
from jaxflow.problems.shallow.labels import LAWS as LABEL_LAWS
from jaxflow.problems.shallow.labels import LabelLaw, RandomSigns
from jaxflow.problems.shallow.network import Data, Network, Parameters
from jaxflow.problems.shallow.padding import Basis, Rows, Shape, Sizes, below, with_one

LAWS = {"inputs": InputLaw, "labels": LabelLaw, "initialization": Initialization}
CHOICES: dict[type, Choice] = {
    InputLaw: Choice("law", INPUT_LAWS),
    LabelLaw: Choice("law", LABEL_LAWS),
    Initialization: Choice("law", INITIALIZATIONS),
    Activation: Choice("name", ACTIVATIONS),
}
SCHEMA = Schema(CHOICES)


@dataclass(frozen=True, eq=False)
class Ensemble(ByContent):
    """The random law of one trial; the default is experiment 1 of arXiv 2502.16977.

    A law is an instance of a frozen dataclass, ours or a user's, whose fields may be arrays, or the
    name of one of ours: two ensembles of equal content are equal and hash equally.
    """

    inputs: InputLaw = Sphere()
    labels: LabelLaw = RandomSigns()
    network: Network = Network()
    initialization: Initialization = Dominated()

    def __post_init__(self) -> None:
        for name, kind in LAWS.items():
            law = SCHEMA.law(kind, getattr(self, name), f"ensemble.{name}")
            object.__setattr__(self, name, law)
        network: object = self.network
        if not isinstance(network, Network):
            remedy = "give Network(activation, scaling, trained, biases)"
            raise mistake("a Network at ensemble.network", network, remedy)

    def check(self, point: Point) -> None:
        """Raise `ValueError` where the ensemble has no trial at this point."""
        for name in ("d", "n", "p"):
            size = getattr(point, name)
            if size < 1:
                raise mistake(f"{name} >= 1", size, f"give a positive {name}")
        self.inputs.check(point)
        self.labels.check(point)
        with_bias = self.network.biases == "drawn"
        self.initialization.check(replace(point, d=point.d + 1) if with_bias else point)

    def coordinates(self, equivariant: bool = True) -> list[Name]:
        """The coordinates that a trial can be followed in.

        `equivariant` says that the rule which moves the parameters is linear in gradients.
        """
        if not equivariant:
            return ["ambient"]
        orthogonal = getattr(self.inputs, "orthogonal", False) and self.network.biases == "none"
        return ["ambient", "span", "orthogonal"] if orthogonal else ["ambient", "span"]


def draw(
    ensemble: Ensemble,
    keys: Keys,
    sizes: Sizes,
    shape: Shape,
    dtype: str,
    coordinates: Name = "ambient",
) -> tuple[Data, Parameters]:
    """One trial: its data and first parameters, padded to `shape` with zeros.

    With biases, inputs and weights have d + 1 coordinates. Orthogonal coordinates never form the
    n d inputs; they ask for a law that draws a `Basis`.
    """
    sample = Uniforms(keys.samples, shape.N, shape.D)
    rows = ensemble.inputs.draw(sample, sizes)
    y = ensemble.labels.draw(sample, rows, sizes, keys)
    rows, theta = _first(ensemble, keys, sizes, shape, rows, y)
    W, a = theta.W.astype(dtype), theta.a.astype(dtype)
    inputs: Inputs
    if coordinates == "orthogonal":
        if not isinstance(rows, Basis):
            got = ensemble.inputs if ensemble.network.biases == "none" else "biases"
            raise mistake("orthogonal inputs", got, "use ambient or span coordinates")
        inputs, W = in_diagonal(rows.radii.astype(dtype), W)
    elif coordinates == "span":
        inputs, W = in_span(rows.dense().astype(dtype), W)
    else:
        inputs = Ambient(rows.dense().astype(dtype))
    return Data(inputs, y.astype(dtype), *map(jnp.asarray, sizes)), Parameters(W, a)


def _first(
    ensemble: Ensemble, keys: Keys, sizes: Sizes, shape: Shape, rows: Rows, y: Float[Array, " N"]
) -> tuple[Rows, Parameters]:
    """The inputs as the network sees them, and first parameters."""
    biases, law = ensemble.network.biases, ensemble.initialization
    seen = rows if biases == "none" else with_one(rows, sizes)
    if biases == "drawn":
        neuron = Uniforms(keys.neurons, shape.P, shape.D + 1)
        return seen, law.draw(neuron, seen, y, sizes._replace(d=sizes.d + 1))
    theta = law.draw(Uniforms(keys.neurons, shape.P, shape.D), rows, y, sizes)
    if biases == "zero":
        theta = theta._replace(W=jnp.pad(theta.W, ((0, 0), (0, 1))))
    return seen, theta


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
