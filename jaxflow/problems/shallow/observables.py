"""The observables by name: scalars of one state, valid in any coordinates and under padding.

    loss            L
    curvature       mu = -L'/L = kappa |grad L|^2 / L, the local Polyak-Lojasiewicz curvature
    curvature_low   its bounds for orthogonal inputs, (2 min|x_i|^2 / n) min_i E_i <= mu
    curvature_high  <= (4 max|x_i|^2 / n) max_i E_i, E_i = kappa c^2 sum_j a_j^2 sigma'(w_j.x_i)^2;
                    at scaling 1/p with the ReLU, E_i = (1/p) sum_j a_j^2 1[w_j.x_i > 0]
                    (arXiv 2502.16977). The upper one asks for |a_j| >= |w_j| / degree, which the
                    flow conserves. On other inputs they are numbers, and bound nothing.
    sharpness       largest and smallest eigenvalue of kappa times the Hessian of L, between kinks,
    flattest        on the directions that the data see; by Lanczos, see below
    flips           part of the n p signs 1[w_j.x_i > 0] that differ from those at the start
    distance        max_j |w_j - w_j(0)|
    balancedness    max_j |change of a_j^2 - |w_j|^2/degree| / max_j a_j^2; NaN for an activation
                    that is not homogeneous
    kernel_low      extreme eigenvalues of the neural tangent kernel K = (kappa/n) J J^T:
    kernel_high     2 kernel_low <= mu <= 2 kernel_high
    teacher_error   |W^T W - V^T V|_F / |V^T V|_F, of a quadratic student W and its teacher V;
    teacher_distance  min_Q |Q W - V|_F / |V|_F over rotations Q of the neurons
    quotient_low    smallest and largest eigenvalue of kappa times the Hessian of L, orthogonally to
    quotient_high   those rotations; see teacher.py

The last four ask for a trial whose labels are a quadratic teacher's (`OF_TEACHER`).

Times are flow times, so mu, its bounds and both spectra are in inverse flow time. Costs, in
evaluations of the field (three products of 2ndp flops): loss, bounds and flips one third to two
thirds; curvature, distance and balancedness next to nothing beside that; sharpness and flattest
together about 64 and 32 times the memory of the weights; kernel_low and kernel_high together
2n^2(d + 2p) + O(n^3) flops and the memory of a few n n matrices; teacher_error 2d^2p flops;
quotient_low and quotient_high together about 96 and 48 times the memory of the weights. What two
observables need is computed once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxflow.core.errors import located, mistake, unknown_name
from jaxflow.core.keys import Keys
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow import teacher
from jaxflow.problems.shallow.activations import derivative
from jaxflow.problems.shallow.coordinates import product
from jaxflow.problems.shallow.network import (
    Data,
    Network,
    Parameters,
    balance,
    curvature,
    distances,
    loss,
)
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.problems.shallow.spectra import hessian_extremes, kernel_extremes
from jaxflow.problems.shallow.teacher import Origin


@dataclass(frozen=True)
class State:
    """A state of a trial, and what several observables need of it."""

    network: Network
    data: Data
    theta: Parameters
    velocity: Parameters  # theta' at theta
    first: Parameters  # theta at the start
    origin: Origin | None = None  # of a trial with a teacher

    @cached_property
    def Z(self) -> Float[Array, "p n"]:  # noqa: N802
        """w_j . x_i."""
        return self.data.inputs.preactivations(self.theta.W)

    @cached_property
    def loss(self) -> Float[Array, ""]:
        """L."""
        return loss(self.network, self.data, self.theta)

    @cached_property
    def is_sample(self) -> Bool[Array, " n"]:
        """False on the padding."""
        return jnp.arange(len(self.data.y)) < self.data.n

    @cached_property
    def energies(self) -> Float[Array, " n"]:
        """E_i."""
        p = self.data.p.astype(self.Z.dtype)
        rate = self.network.speed(p) * self.network.output_scale(p) ** 2
        return rate * product(self.theta.a**2, derivative(self.network.activation, self.Z) ** 2)

    @cached_property
    def hessian(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Smallest and largest eigenvalue of kappa times the Hessian."""
        return hessian_extremes(self.network, self.data, self.theta)

    @cached_property
    def kernel(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Smallest and largest eigenvalue of the neural tangent kernel."""
        return kernel_extremes(self.network, self.data, self.theta)

    @cached_property
    def beside_teacher(self) -> tuple[Origin, Parameters]:
        """The origin, and theta in ambient coordinates."""
        if self.origin is None:
            raise mistake("a trial with a teacher", "none", "observe others of a trial without")
        return self.origin, self.origin.ambient(self.data, self.theta)

    @cached_property
    def quotient(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Smallest and largest eigenvalue of kappa times the Hessian, modulo rotations."""
        origin, theta = self.beside_teacher
        return teacher.quotient_extremes(self.network, origin.data, theta)


def _curvature_low(state: State) -> Float[Array, ""]:
    n = state.data.n.astype(state.Z.dtype)
    least = lambda values: jnp.min(jnp.where(state.is_sample, values, jnp.inf))  # noqa: E731
    return 2 * least(state.data.inputs.lengths()) ** 2 / n * least(state.energies)


def _curvature_high(state: State) -> Float[Array, ""]:
    n = state.data.n.astype(state.Z.dtype)
    most = lambda values: jnp.max(jnp.where(state.is_sample, values, 0))  # noqa: E731
    return 4 * most(state.data.inputs.lengths()) ** 2 / n * most(state.energies)


def _flips(state: State) -> Float[Array, ""]:
    first = state.data.inputs.preactivations(state.first.W)
    flipped = jnp.sum(((state.Z > 0) != (first > 0)).astype(state.Z.dtype))
    return flipped / (state.data.n.astype(flipped.dtype) * state.data.p.astype(flipped.dtype))


def _balancedness(state: State) -> Float[Array, ""]:
    now, then = (balance(state.network, state.data, t) for t in (state.theta, state.first))
    return jnp.max(jnp.abs(now - then)) / jnp.max(state.theta.a**2)


def _teacher_error(state: State) -> Float[Array, ""]:
    origin, theta = state.beside_teacher
    return teacher.error(theta.W, origin.V)


def _teacher_distance(state: State) -> Float[Array, ""]:
    origin, theta = state.beside_teacher
    return teacher.distance(theta.W, origin.V)


OBSERVABLES: dict[str, Callable[[State], Float[Array, ""]]] = {
    "loss": lambda state: state.loss,
    "curvature": lambda state: curvature(state.network, state.data, state.velocity, state.loss),
    "curvature_low": _curvature_low,
    "curvature_high": _curvature_high,
    "sharpness": lambda state: state.hessian[1],
    "flattest": lambda state: state.hessian[0],
    "flips": _flips,
    "distance": lambda state: jnp.max(distances(state.data, state.theta, state.first)),
    "balancedness": _balancedness,
    "kernel_low": lambda state: state.kernel[0],
    "kernel_high": lambda state: state.kernel[1],
    "teacher_error": _teacher_error,
    "teacher_distance": _teacher_distance,
    "quotient_low": lambda state: state.quotient[0],
    "quotient_high": lambda state: state.quotient[1],
}
OF_TEACHER = frozenset({"teacher_error", "teacher_distance", "quotient_low", "quotient_high"})


def check(names: Iterable[str]) -> None:
    """Raise `ValueError` where a name is no observable, or comes twice."""
    names = tuple(names)
    for name in names:
        if name not in OBSERVABLES:
            raise unknown_name("observable", name, OBSERVABLES)
    if len(set(names)) < len(names):
        raise mistake("every observable once", names, "drop the repeated one")


def check_teacher_of(names: Iterable[str], problem: ShallowNetwork) -> None:
    """Raise `ValueError` where the trials of a problem do not have what is to be observed."""
    wanted = sorted(OF_TEACHER.intersection(names))
    if wanted:
        with located(wanted[0]):
            teacher.check_teacher(problem)


def origin(
    names: Iterable[str],
    problem: ShallowNetwork,
    keys: Keys,
    sizes: Sizes,
    shape: Shape,
    data: Data,
    first: Parameters,
) -> Origin | None:
    """What the observables named ask of a trial as it was drawn; None if they ask for nothing."""
    if not OF_TEACHER.intersection(names):
        return None
    return teacher.origin(problem, keys, sizes, shape, data, first)


def observe(
    names: tuple[str, ...],
    network: Network,
    data: Data,
    theta: Parameters,
    velocity: Parameters,
    first: Parameters,
    origin: Origin | None = None,
) -> Float[Array, " observables"]:
    """The observables named, of one state (unbatched), in their order.

    `velocity` is the field at `theta`, `first` the parameters at the start of the trial, and
    `origin` what the function of that name says. Raises `ValueError` for a name that is not in
    `OBSERVABLES`, or where the origin is missing.
    """
    check(names)
    state = State(network, data, theta, velocity, first, origin)
    return jnp.stack([OBSERVABLES[name](state) for name in names])
