"""The flow of the linearized problem, the lazy or kernel regime, exact in time.

Of a loss L = |r|^2 / 2 the residuals are linearized in the parameters at the start,
r(theta) = r(0) + J (theta - theta(0)). Their gradient flow theta' = -kappa J^T r is r' = -K r with
the tangent kernel K = kappa J J^T, which stays what it is at the start (A. Jacot et al., arXiv
1806.07572). With K = U diag(lambda) U^T and c = U^T r(0),

    r(t)     = U exp(-lambda t) c,        L(t) = (1/2) sum_i c_i^2 exp(-2 lambda_i t),
    theta(t) = theta(0) - kappa J^T U (1 - exp(-lambda t)) / lambda c.

Networks come to this flow as they become wide at the scaling 1/sqrt(p), or their outputs large
beside the labels (L. Chizat, E. Oyallon and F. Bach, arXiv 1812.07956).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree, UInt32

from jaxflow.core.checks import positive, whole
from jaxflow.core.trees import combine
from jaxflow.flow.dynamics import AdvanceBy, Attempt, Start
from jaxflow.problems.problem import Problem

LONGEST = 4.0  # a step over the one before it, where the loss stands still


class Modes(NamedTuple):
    """The residuals at the start in the eigenbasis of their kernel, and the time since."""

    first: PyTree  # theta(0)
    eigenvalues: Float[Array, " N"]
    basis: Float[Array, "N N"]  # its columns are the eigenvectors
    residuals: Float[Array, " N"]  # c
    time: Float[Array, ""]


@dataclass(frozen=True)
class LinearizedFlow:
    """theta' = -kappa grad of the loss whose residuals are linear in theta - theta(0).

    For problems that have `residuals`: supervised ones with a squared error, shallow networks. The
    loss is known at all times, and is followed in steps in which its logarithm falls by
    `resolution`, to find when an event happens between. Observables are those of the network itself
    at the parameters of the linearized one. Memory is that of several N N matrices for N padded
    samples; the first step costs some N evaluations of the field and O(N^3) flops. A trial fails
    that takes more than `max_steps`.
    """

    resolution: float = 0.25
    max_steps: int = 1_000_000

    interpolates = True
    slack = 0.0
    equivariant = False  # the gradient of a residual is taken in the parameters themselves
    euler_step = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "resolution", positive("resolution", self.resolution))
        object.__setattr__(self, "max_steps", whole("max_steps", self.max_steps, least=1))

    def check_precision(self, dtype: str) -> None:
        """There is no tolerance that could be too fine."""

    def objective(
        self, problem: Problem, data: Any, theta: PyTree, integrator: Modes
    ) -> Float[Array, ""]:
        """The loss of the linearized problem."""
        return jnp.sum(_left(integrator) ** 2) / 2

    def velocity(self, problem: Problem, data: Any, theta: PyTree, integrator: Modes) -> PyTree:
        """theta' = -kappa J^T r(t)."""
        return combine((-1, _pulled(problem, data, integrator, _left(integrator))))

    def decay(
        self, problem: Problem, data: Any, theta: PyTree, velocity: PyTree, integrator: Modes
    ) -> Float[Array, ""]:
        """-L' = r^T K r."""
        return jnp.sum(integrator.eigenvalues * _left(integrator) ** 2)

    def start(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        key: UInt32[Array, "2"],
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """The eigenbasis of the tangent kernel."""
        with jax.default_matmul_precision("highest"):
            kernel = tangent_kernel(problem, data, theta)
            eigenvalues, basis = jnp.linalg.eigh(kernel)
            residuals = basis.T @ problem.residuals(data, theta)
        time = jnp.zeros((), residuals.dtype)
        modes = Modes(theta, jnp.maximum(eigenvalues, 0), basis, residuals, time)
        return Start(modes, self._step(modes, jnp.ones_like(time)), 2 * len(residuals))

    def attempt(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        velocity: PyTree,
        integrator: Modes,
        dt: Float[Array, ""],
        advance_by: AdvanceBy = "step",
    ) -> Attempt:
        """The parameters a time dt later, always kept."""
        modes = integrator._replace(time=integrator.time + dt)
        rates = modes.eigenvalues
        lasted = -jnp.expm1(-rates * modes.time) / jnp.where(rates > 0, rates, 1)
        moved = jnp.where(rates > 0, lasted, modes.time) * modes.residuals
        theta = combine((1, modes.first), (-1, _pulled(problem, data, modes, moved)))
        yes, evaluations = jnp.asarray(True), jnp.asarray(2, jnp.int32)
        return Attempt(theta, modes, self._step(modes, LONGEST * dt), yes, yes, evaluations)

    def _step(self, modes: Modes, longest: Float[Array, ""]) -> Float[Array, ""]:
        """In which log L falls by the resolution at its present rate."""
        squares = _left(modes) ** 2
        decay = 2 * jnp.sum(modes.eigenvalues * squares)
        lifetime = jnp.sum(squares) / jnp.where(decay > 0, decay, 1)
        return jnp.where(decay > 0, jnp.minimum(self.resolution * lifetime, longest), longest)


def tangent_kernel(problem: Problem, data: Any, theta: PyTree) -> Float[Array, "N N"]:
    """kappa J J^T of the residuals, column by column."""
    residuals, push = jax.linearize(lambda theta: problem.residuals(data, theta), theta)
    pull = jax.linear_transpose(push, theta)

    def column(unit: Float[Array, " N"]) -> Float[Array, " N"]:
        (gradient,) = pull(unit)
        return push(problem.precondition(data, gradient))

    kernel = jax.lax.map(column, jnp.eye(len(residuals), dtype=residuals.dtype))
    return (kernel + kernel.T) / 2


def _left(modes: Modes) -> Float[Array, " N"]:
    """What is left of the residuals, mode by mode."""
    return modes.residuals * jnp.exp(-modes.eigenvalues * modes.time)


def _pulled(problem: Problem, data: Any, modes: Modes, by_mode: Float[Array, " N"]) -> PyTree:
    """kappa J^T U x."""
    with jax.default_matmul_precision("highest"):
        _, pull = jax.vjp(lambda theta: problem.residuals(data, theta), modes.first)
        (gradient,) = pull(modes.basis @ by_mode)
        return problem.precondition(data, gradient)
