"""The papers' problem: a shallow network on random data, and the draw of one trial.

A trial is drawn in float32 whatever the precision of its flow, so that every precision, dynamics
and padding starts from the same network and data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Keys, Uniforms
from jaxflow.core.schema import Choice, Schema
from jaxflow.core.types import Point
from jaxflow.problems.geometry import Geometry
from jaxflow.problems.problem import (
    Problem,
    Shape,
    Sizes,
    State,
    below,
    product_rung,
    samples_rung,
)
from jaxflow.problems.shallow.activations import ACTIVATIONS, Activation
from jaxflow.problems.shallow.coordinates import (
    Ambient,
    Inputs,
    Name,
    in_diagonal,
    in_span,
    product,
)
from jaxflow.problems.shallow.costs import cost
from jaxflow.problems.shallow.initialization import LAWS as INITIALIZATIONS
from jaxflow.problems.shallow.initialization import Dominated, Initialization
from jaxflow.problems.shallow.inputs import LAWS as INPUT_LAWS
from jaxflow.problems.shallow.inputs import InputLaw, Sphere
from jaxflow.problems.shallow.labels import LAWS as LABEL_LAWS
from jaxflow.problems.shallow.labels import LabelLaw, RandomSigns
from jaxflow.problems.shallow.network import (
    Data,
    Network,
    Parameters,
    balance,
    decay,
    field,
    loss,
    precondition,
    residuals,
)
from jaxflow.problems.shallow.neurons import Neurons
from jaxflow.problems.shallow.padding import Basis, Rows, with_one

LAWS = {"inputs": InputLaw, "labels": LabelLaw, "initialization": Initialization}
CHOICES: dict[type, Choice] = {
    InputLaw: Choice("law", INPUT_LAWS),
    LabelLaw: Choice("law", LABEL_LAWS),
    Initialization: Choice("law", INITIALIZATIONS),
    Activation: Choice("name", ACTIVATIONS),
}
SCHEMA = Schema(CHOICES)

FOLLOWED = ("loss", "curvature", "sharpness", "balancedness", "flips", "distance")
BOUNDS = ("curvature_low", "curvature_high")
MOST_COPIES = 64  # more than the arrays of a trial, of each of its sizes


@dataclass(frozen=True, eq=False)
class ShallowNetwork(Problem):
    """A shallow network on random data; the default is experiment 1 of arXiv 2502.16977.

    Laws of `inputs`, `labels` and `initialization` draw a trial, `network` says what is trained.
    A law is an instance of a frozen dataclass, ours or a user's, whose fields may be arrays, or the
    name of one of ours: two problems of equal content are equal and hash equally.
    """

    inputs: InputLaw = Sphere()
    labels: LabelLaw = RandomSigns()
    network: Network = Network()
    initialization: Initialization = Dominated()

    geometry: ClassVar[Geometry] = Neurons()
    nonnegative: ClassVar[bool] = True
    optional: ClassVar[tuple[str, ...]] = ()

    @property
    def smooth(self) -> bool:  # type: ignore[override]
        """As the activation says."""
        return bool(getattr(self.network.activation, "smooth", False))

    @property
    def followed(self) -> tuple[str, ...]:  # type: ignore[override]
        """With bounds of the curvature, which hold for orthogonal inputs."""
        return (*FOLLOWED, *BOUNDS) if "orthogonal" in self.coordinates() else FOLLOWED

    def __post_init__(self) -> None:
        for name, kind in LAWS.items():
            law = SCHEMA.law(kind, getattr(self, name), f"problem.{name}")
            object.__setattr__(self, name, law)
        network: object = self.network
        if not isinstance(network, Network):
            remedy = "give Network(activation, scaling, trained, biases)"
            raise mistake("a Network at problem.network", network, remedy)

    def check(self, point: Point) -> None:
        """Raise `ValueError` where a law has no sample at this point."""
        super().check(point)
        self.inputs.check(point)
        self.labels.check(point)
        with_bias = self.network.biases == "drawn"
        self.initialization.check(replace(point, d=point.d + 1) if with_bias else point)

    def draw(self, keys: Keys, point: Sizes) -> tuple[Data, Parameters]:
        """Data and first parameters of one trial, unpadded."""
        shape = Shape(*(int(size) for size in point))
        return self.prepare(keys, point, shape, "float32")

    def loss(self, data: Data, parameters: Parameters) -> Float[Array, ""]:
        """L = (1/2n) sum_i (y_i - h(x_i))^2."""
        return loss(self.network, data, parameters)

    def field(self, data: Data, parameters: Parameters) -> Parameters:
        """The velocity theta' = -kappa grad L, in closed form."""
        return field(self.network, data, parameters)

    def precondition(self, data: Data, gradient: Parameters) -> Parameters:
        """kappa times the gradient of the layers that are trained."""
        return precondition(self.network, data, gradient)

    def residuals(self, data: Data, parameters: Parameters) -> Float[Array, " n"]:
        """(y - h(X)) / sqrt(n), zero on padded samples."""
        r = residuals(self.network, data, parameters)
        return r / jnp.sqrt(data.n.astype(r.dtype))

    def decay(self, data: Data, velocity: Parameters) -> Float[Array, ""]:
        """-L' = |theta'|^2 / kappa along the flow."""
        return decay(self.network, data, velocity)

    def target(self, data: Data, square: float | None) -> Float[Array, ""]:
        """min_i y_i^2 / 2n, at which every sample is fitted with the right sign; or square / 2n."""
        level = smallest_label(data) ** 2 if square is None else square
        return level / (2 * data.n.astype(data.y.dtype))

    def is_comparable(self, data: Data, target: Float[Array, ""]) -> Bool[Array, ""]:
        """Whether the target is finite, and positive unless a label is zero.

        With labels of 1e20 it is infinite in float32, with labels of 1e-25 zero.
        """
        positive = (target > 0) | (smallest_label(data) == 0)
        return jnp.isfinite(target) & positive

    def well_initialized(self, data: Data, parameters: Parameters) -> Bool[Array, ""]:
        """Whether every sample has an active neuron of its label's sign."""
        return well_initialized(data, parameters)

    def conserved(self, data: Data, parameters: Parameters) -> Float[Array, " p"]:
        """a_j^2 - |w_j|^2 / degree."""
        return balance(self.network, data, parameters)

    def drift(
        self, data: Data, parameters: Parameters, conserved: Float[Array, " p"]
    ) -> Float[Array, ""]:
        """The largest change of a_j^2 - |w_j|^2 / degree, over the largest a_j^2."""
        moved = jnp.max(jnp.abs(self.conserved(data, parameters) - conserved))
        return moved / jnp.max(parameters.a**2)

    padded: ClassVar[tuple[str, ...]] = ("n", "p")

    def shape(self, point: Point) -> Shape:
        """Samples are padded to a ladder, d to whole registers; p is what it is."""
        return Shape(product_rung(point.d), samples_rung(point.n), point.p)

    def coordinates(self, equivariant: bool = True) -> list[str]:
        """Ambient always, span for rules that are linear in gradients, orthogonal by the inputs."""
        if not equivariant:
            return ["ambient"]
        orthogonal = getattr(self.inputs, "orthogonal", False) and self.network.biases == "none"
        return ["ambient", "span", "orthogonal"] if orthogonal else ["ambient", "span"]

    def prepare(
        self, keys: Keys, sizes: Sizes, shape: Shape, dtype: str, coordinates: str = "ambient"
    ) -> tuple[Data, Parameters]:
        """One trial, padded to `shape` with zeros, in any of its coordinates."""
        return draw(self, keys, sizes, shape, dtype, cast(Name, coordinates))

    def cost(self, shape: Shape, coordinates: str = "ambient") -> float:
        """The time of an evaluation, in flops of a product."""
        return cost(cast(Name, coordinates), shape)

    def most_entries(self, shape: Shape) -> float:
        """So many times X, W, their products and the Gram matrix."""
        D, N, P = shape
        return float(MOST_COPIES * (N * D + P * D + N * P + N * N))

    def observables(self) -> Mapping[str, Any]:
        """Those of `jaxflow.problems.shallow.observables`."""
        from jaxflow.problems.shallow import observables

        return observables.OBSERVABLES

    def check_observables(self, names: tuple[str, ...]) -> None:
        """Those of a teacher ask for one."""
        from jaxflow.problems.shallow import observables

        super().check_observables(names)
        observables.check_teacher_of(names, self)

    def context(
        self,
        names: tuple[str, ...],
        keys: Keys,
        sizes: Sizes,
        shape: Shape,
        data: Data,
        first: Parameters,
    ) -> Any:
        """The teacher, for those who ask for it."""
        from jaxflow.problems.shallow import observables

        return observables.origin(names, self, keys, sizes, shape, data, first)

    def observe(self, names: tuple[str, ...], state: State) -> Float[Array, " observables"]:
        """What several observables need is computed once."""
        from jaxflow.problems.shallow import observables

        return observables.observe(names, self.network, *state)

    def try_out(self, point: Point, seed: int = 0) -> None:
        """Raise a one-line `ValueError` where a law breaks its word, tried at this point."""
        from jaxflow.problems.shallow.trying import try_laws

        try_laws(self, point, seed)


def draw(
    problem: ShallowNetwork,
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
    rows = problem.inputs.draw(sample, sizes)
    y = problem.labels.draw(sample, rows, sizes, keys)
    rows, theta = _first(problem, keys, sizes, shape, rows, y)
    W, a = theta.W.astype(dtype), theta.a.astype(dtype)
    inputs: Inputs
    if coordinates == "orthogonal":
        if not isinstance(rows, Basis):
            got = problem.inputs if problem.network.biases == "none" else "biases"
            raise mistake("orthogonal inputs", got, "use ambient or span coordinates")
        inputs, W = in_diagonal(rows.radii.astype(dtype), W)
    elif coordinates == "span":
        inputs, W = in_span(rows.dense().astype(dtype), W)
    else:
        inputs = Ambient(rows.dense().astype(dtype).T)
    return Data(inputs, y.astype(dtype), *map(jnp.asarray, sizes)), Parameters(W, a)


def _first(
    problem: ShallowNetwork,
    keys: Keys,
    sizes: Sizes,
    shape: Shape,
    rows: Rows,
    y: Float[Array, " N"],
) -> tuple[Rows, Parameters]:
    """The inputs as the network sees them, and first parameters."""
    biases, law = problem.network.biases, problem.initialization
    seen = rows if biases == "none" else with_one(rows, sizes)
    if biases == "drawn":
        neuron = Uniforms(keys.start, shape.P, shape.D + 1)
        return seen, law.draw(neuron, seen, y, sizes._replace(d=sizes.d + 1))
    theta = law.draw(Uniforms(keys.start, shape.P, shape.D), rows, y, sizes)
    if biases == "zero":
        theta = theta._replace(W=jnp.pad(theta.W, ((0, 0), (0, 1))))
    return seen, theta


def well_initialized(data: Data, theta: Parameters) -> Bool[Array, ""]:
    """Every sample has an active neuron of its label's sign: a_j y_i > 0 and w_j . x_i > 0.

    Without one a ReLU network cannot fit the sample (arXiv 2502.16977, section 3).
    """
    active = (data.inputs.preactivations(theta.W) > 0).astype(data.y.dtype)
    positive = product((theta.a > 0).astype(data.y.dtype), active) > 0
    negative = product((theta.a < 0).astype(data.y.dtype), active) > 0
    fitted = jnp.where(data.y > 0, positive, negative)
    return jnp.all(fitted | ~below(data.n, len(data.y)))


def smallest_label(data: Data) -> Float[Array, ""]:
    """min_i |y_i| over the true samples."""
    return jnp.min(jnp.where(below(data.n, len(data.y)), jnp.abs(data.y), jnp.inf))
