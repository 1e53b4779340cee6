"""A quadratic student beside its teacher, modulo the rotations of its neurons.

With weights V (k, d) of the teacher and W (p, d) of the student, y_i = |V x_i|^2 and
h(x_i) = |W x_i|^2: the outputs of Q W are those of W for every orthogonal Q (in the setting of
arXiv 1907.06594). Hence

    distance   min over orthogonal Q of |Q W - V|_F / |V|_F, Q from the singular value decomposition
               of V W^T (Schönemann, Psychometrika 31, 1966); the narrower of the two has zero rows
    error      |W^T W - V^T V|_F / |V^T V|_F
    quotient   the ends of the spectrum of P H P on the image of P: H = kappa d^2 L, and P projects
               orthogonally off the directions A W, A antisymmetric, in which nothing changes. Both
               are positive where the loss is strongly convex as a function of W^T W.

P U = U - A W, where A solves A G + G A = U W^T - W U^T with the Gram matrix G = W W^T.

`jaxflow.papers.quadratic` has the same in float64 NumPy, for the loss (1/4n) sum e^2, half of L.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.errors import mistake
from jaxflow.core.keys import Keys
from jaxflow.problems.lanczos import extremes
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.activations import Quadratic
from jaxflow.problems.shallow.coordinates import Ambient, product
from jaxflow.problems.shallow.initialization import GaussianWeights
from jaxflow.problems.shallow.labels import Teacher
from jaxflow.problems.shallow.network import Data, Network, Parameters, field
from jaxflow.problems.shallow.shallow_network import ShallowNetwork, draw
from jaxflow.problems.shallow.spectra import start

ITERATIONS = 48


class Origin(NamedTuple):
    """A trial as it was drawn, in ambient coordinates, and its teacher's weights."""

    data: Data
    first: Parameters
    V: Float[Array, "k d"]

    def ambient(self, data: Data, theta: Parameters) -> Parameters:
        """The parameters of a state whose `data` may be in other coordinates."""
        return Parameters(data.inputs.recover(theta.W, self.data.X, self.first.W), theta.a)


def check_teacher(problem: ShallowNetwork) -> None:
    """Raise `ValueError` unless the outputs are |W x|^2 and the labels |V x|^2."""
    labels, network, first = problem.labels, problem.network, problem.initialization
    if not (isinstance(labels, Teacher) and isinstance(labels.activation, Quadratic)):
        raise mistake("labels of a quadratic teacher", labels, 'use the law "teacher"')
    said = (network.scaling, network.trained, network.biases)
    if said != ("1", "first", "none") or not isinstance(network.activation, Quadratic):
        remedy = 'set activation "quadratic", scaling "1", trained "first" and no biases'
        raise mistake("a quadratic student beside its teacher", network, remedy)
    if not (isinstance(first, GaussianWeights) and first.outputs == "ones"):
        remedy = 'use the law "gaussian" with outputs "ones"'
        raise mistake("output weights of one beside a teacher", first, remedy)


def origin(
    problem: ShallowNetwork, keys: Keys, sizes: Sizes, shape: Shape, data: Data, first: Parameters
) -> Origin:
    """The origin of a trial drawn as `data` and `first`; again, unless in ambient coordinates."""
    assert isinstance(problem.labels, Teacher)
    V = problem.labels.weights(sizes, keys, shape.D).astype(first.a.dtype)
    if not isinstance(data.inputs, Ambient):
        data, first = draw(problem, keys, sizes, shape, first.a.dtype.name)
    return Origin(data, first, V)


def distance(W: Float[Array, "p d"], V: Float[Array, "k d"]) -> Float[Array, ""]:
    """min_Q |Q W - V|_F / |V|_F."""
    rows = max(len(W), len(V))
    W, V = (jnp.pad(M, ((0, rows - len(M)), (0, 0))) for M in (W, V))
    A, _, Bt = jnp.linalg.svd(product(V, W.T))
    return _norm(product(product(A, Bt), W) - V) / _norm(V)


def error(W: Float[Array, "p d"], V: Float[Array, "k d"]) -> Float[Array, ""]:
    """|W^T W - V^T V|_F / |V^T V|_F, in the memory of a few d d matrices."""
    target = product(V.T, V)
    return _norm(product(W.T, W) - target) / _norm(target)


def quotient_extremes(
    network: Network, data: Data, theta: Parameters
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The smallest and largest eigenvalue of H modulo rotations, in inverse flow time, by Lanczos.

    In ambient coordinates, and on the directions that the data see. Costs `ITERATIONS` products
    with H, of about two fields each, and the memory of as many weights.

    Against all eigenvalues, for 64 to 320 weights and 10 d r samples, at a random start, on the way
    to the teacher and at it: in float32 the largest was right to 3e-7, the smallest too large by
    less than 1e-3 of the whole range, and by 2e-7 where it is negative.
    """
    off = _off_rotations(theta.W)
    velocity = lambda W: field(network, data, Parameters(W, theta.a)).W  # noqa: E731
    _, push = jax.linearize(velocity, theta.W)
    inner = lambda u, v: jnp.sum(u * v)  # noqa: E731
    first = off(start(network, data, theta).W)
    inside = inner(first, -push(first)) / inner(first, first)

    def apply(v: Float[Array, "p d"]) -> Float[Array, "p d"]:
        """P H P, and a number inside its spectrum on the rotations, which rounding lets in."""
        moved = off(v)
        return -off(push(moved)) + inside * (v - moved)

    return extremes(apply, inner, first, ITERATIONS)


def _off_rotations(
    W: Float[Array, "p d"],
) -> Callable[[Float[Array, "p d"]], Float[Array, "p d"]]:
    """P. Neurons of the padding, which are zero, have no rotations."""
    sizes, Q = jnp.linalg.eigh(product(W, W.T))
    sums = sizes[:, None] + sizes[None, :]
    tiny = len(W) * jnp.finfo(W.dtype).eps * sizes[-1]
    inverse = jnp.where(sums > tiny, 1 / jnp.where(sums > tiny, sums, 1), 0)

    def off(U: Float[Array, "p d"]) -> Float[Array, "p d"]:
        turn = product(U, W.T)
        turned = product(product(Q.T, turn - turn.T), Q)
        A = product(product(Q, inverse * turned), Q.T)
        return U - product(A, W)

    return off


def _norm(M: Float[Array, "rows columns"]) -> Float[Array, ""]:
    return jnp.sqrt(jnp.sum(M * M))
