"""The edge flow: gradient descent at the edge of stability as three differential equations.

Descent with step eta oscillates where the sharpness is above 2/eta. With F = -kappa grad L the
velocity of the flow and J its derivative, a center c, a direction v of length 1 and a magnitude rho
of the oscillation move by

    c'   = (F(c + rho v) + F(c - rho v)) / 2,
    v'   = (I - v v^T)(-J(c)) v,
    rho' = rho (lambda - 2/eta),   lambda = -v^T J(c) v:

v turns to the top eigenvector of the Hessian, rho grows while the sharpness is above 2/eta, and c
descends a loss that is averaged over the two ends of the oscillation, which keeps away from sharp
places (P. Marion, arXiv 2606.18080). Together v and rho are one vector u = rho v with
u' = -J u - (2/eta) u, which grows in every direction whose eigenvalue is above 2/eta, not in one
alone. Heun's method follows the flow. In whole steps, as those of descent are,

    c <- c + eta (F(c + u) + F(c - u)) / 2,    u <- (I + eta J(c)) u:

c + u is then descent, and c - u descent from the other end, but for terms of third order in u.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree, UInt32

from jaxflow.core.checks import ordered, whole
from jaxflow.core.errors import mistake
from jaxflow.core.trees import combine, inner, norm
from jaxflow.flow.dynamics import AdvanceBy, Start
from jaxflow.flow.iteration import Iteration
from jaxflow.problems.problem import Problem

EVALUATIONS = 4  # of the field, for the rates: two ends, and a derivative that costs two


class Oscillation(NamedTuple):
    """What descent does about the center."""

    direction: PyTree  # v
    log_magnitude: Float[Array, ""]  # log rho


@dataclass(frozen=True)
class EdgeFlow(Iteration):
    """The center of descent with this `step` at the edge of stability, which is its parameters.

    A step of descent takes `substeps` of Heun's method, which follows the flow; by the `method`
    "steps" center and oscillation move in whole steps. The magnitude begins as `least`, in the
    direction of the gradient, and stays between that and `most`. The loss of the flow is the mean
    of those at both ends of the oscillation, for descent is at one of them; in whole steps it is
    the loss at that one. `least` stands for what keeps an oscillation of descent alive where it is
    stable, such as the kinks of a ReLU, each of which moves the gradient at once: from too small a
    one it comes late. Raises `ValueError` unless 0 < least < most, and for a `batch`: it is a flow
    of all samples. `max_steps` are those of `Iteration`.
    """

    substeps: int = 2
    least: float = 1e-2
    most: float = 30.0
    method: Literal["heun", "steps"] = "heun"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in ("heun", "steps"):
            raise mistake("method in {heun, steps}", self.method, "use one of these")
        object.__setattr__(self, "substeps", whole("substeps", self.substeps, least=1))
        ordered(self.least, self.most)
        if self.batch is not None:
            raise mistake("an edge flow of all samples", f"a batch of {self.batch}", "leave it out")

    @property
    def evaluations(self) -> int:
        """Of the field, in a step."""
        return EVALUATIONS * (1 if self.method == "steps" else 2 * self.substeps)

    def start(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        key: UInt32[Array, "2"],
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """The least oscillation, along the gradient."""
        first = super().start(problem, data, theta, key, advance_by)
        least = jnp.log(jnp.asarray(self.least, first.dt.dtype))
        state = Oscillation(_unit(problem.field(data, theta)), least)
        return first._replace(integrator=first.integrator._replace(state=state))

    def objective(
        self, problem: Problem, data: Any, theta: PyTree, integrator: PyTree
    ) -> Float[Array, ""]:
        """The mean of the losses at both ends of the oscillation, or the loss where descent is."""
        plus, minus = _ends(theta, integrator.state)
        if self.method == "steps":
            return problem.objective(data, plus)
        return (problem.objective(data, plus) + problem.objective(data, minus)) / 2

    def update(
        self,
        problem: Problem,
        data: Any,
        parameters: PyTree,
        velocity: PyTree,
        state: Oscillation,
        key: UInt32[Array, "2"],
    ) -> tuple[PyTree, Oscillation]:
        """The center and the oscillation after the time of a step of descent."""
        if self.method == "steps":
            return self._whole_step(problem, data, parameters, state)
        dt = self.step / self.substeps

        def heun(_: int, at: tuple[PyTree, Oscillation]) -> tuple[PyTree, Oscillation]:
            here = self._rates(problem, data, *at)
            there = self._rates(problem, data, *self._moved(at, (dt, here)))
            return self._moved(at, (dt / 2, here), (dt / 2, there))

        found: tuple[PyTree, Oscillation] = jax.lax.fori_loop(
            0, self.substeps, heun, (parameters, state)
        )
        return found

    def _whole_step(
        self, problem: Problem, data: Any, center: PyTree, state: Oscillation
    ) -> tuple[PyTree, Oscillation]:
        """The center and the oscillation, which turns to its other end, after a step."""
        moving, turned = _derivatives(problem, data, center, state)
        turned = combine((1, state.direction), (self.step, turned))
        oscillation = Oscillation(turned, state.log_magnitude + jnp.log(norm(turned)))
        return combine((1, center), (self.step, moving)), self._limited(oscillation)

    def _rates(
        self, problem: Problem, data: Any, center: PyTree, state: Oscillation
    ) -> tuple[PyTree, Oscillation]:
        """c', v' and (log rho)'."""
        moving, turned = _derivatives(problem, data, center, state)
        sharpness = -inner(state.direction, turned)
        turning = combine((-1, turned), (-sharpness, state.direction))
        return moving, Oscillation(turning, sharpness - 2 / self.step)

    def _moved(
        self, at: tuple[PyTree, Oscillation], *by: tuple[Any, tuple[PyTree, Oscillation]]
    ) -> tuple[PyTree, Oscillation]:
        """Moved by rates, each for a time."""
        center, oscillation = combine((1, at), *by)
        return center, self._limited(oscillation)

    def _limited(self, oscillation: Oscillation) -> Oscillation:
        """Of length 1, and within the limits."""
        direction, magnitude = oscillation
        limits = (jnp.log(jnp.asarray(end, magnitude.dtype)) for end in (self.least, self.most))
        return Oscillation(_unit(direction), jnp.clip(magnitude, *limits))


def _derivatives(
    problem: Problem, data: Any, center: PyTree, state: Oscillation
) -> tuple[PyTree, PyTree]:
    """c', the mean of the field at both ends, and J(c) v."""
    field = lambda theta: problem.field(data, theta)  # noqa: E731
    plus, minus = _ends(center, state)
    _, turned = jax.jvp(field, (center,), (state.direction,))
    return combine((0.5, field(plus)), (0.5, field(minus))), turned


def _ends(center: PyTree, state: Oscillation) -> tuple[PyTree, PyTree]:
    """c + rho v and c - rho v."""
    rho = jnp.exp(state.log_magnitude)
    plus, minus = (combine((1, center), (sign * rho, state.direction)) for sign in (1, -1))
    return plus, minus


def _unit(tree: PyTree) -> PyTree:
    """At length 1, unless it is zero."""
    length = norm(tree)
    return combine((1 / jnp.where(length > 0, length, 1), tree))
