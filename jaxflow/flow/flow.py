"""The gradient flow, by any explicit diffrax solver or a stabilized one."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree, UInt32

from jaxflow.core.checks import positive, whole
from jaxflow.core.errors import mistake
from jaxflow.core.trees import combine, select
from jaxflow.core.values import is_traced
from jaxflow.flow.controller import GroupWise
from jaxflow.flow.dynamics import AdvanceBy, Attempt, Start, check_step, named
from jaxflow.flow.solvers import Stepper, make_stepper
from jaxflow.problems.geometry import ByRow, Geometry, Lengths
from jaxflow.problems.problem import Problem

FIRST_MOVE = 0.01


class Integrator(NamedTuple):
    """What a flow carries from step to step."""

    stepper: PyTree
    controller: PyTree


@dataclass(frozen=True)
class GradientFlow:
    """theta' = -kappa grad L, integrated by `RKC2`, `RKC1` or any explicit diffrax solver.

    `rtol` and `atol` bound the errors of groups of parameters, such as neurons, relative to their
    own size and to a typical one, see `GroupWise`; with `step` the solver takes fixed steps of that
    flow time instead. A trial fails that takes more than `max_steps`.

    `weight_decay` lambda adds -lambda theta to the velocity. By the `clock` "loss" the parameters
    move at theta' = -kappa grad L / L: for a loss that has no minimum, such as the logistic one of
    separable data, whose flow slows down for ever, a time s = integral of dt / L passes instead of
    t (as the steps of M. S. Nacson et al., AISTATS 2019, arXiv 1803.01905). Horizons are in s then.
    """

    solver: str = "RKC2"
    rtol: float = 0.1
    atol: float = 0.01
    step: float | None = None
    max_steps: int = 1_000_000
    clock: Literal["time", "loss"] = "time"
    weight_decay: float = 0.0

    interpolates = True
    slack = 0.0

    def __post_init__(self) -> None:
        named("a solver", self.solver, "Tsit5")
        object.__setattr__(self, "rtol", positive("rtol", self.rtol))
        object.__setattr__(self, "atol", positive("atol", self.atol))
        object.__setattr__(self, "max_steps", whole("max_steps", self.max_steps, least=1))
        if self.step is not None:
            object.__setattr__(self, "step", positive("step", self.step))
        if self.clock not in ("time", "loss"):
            raise mistake("clock in {time, loss}", self.clock, "use one of these")
        if not self.weight_decay >= 0:
            raise mistake("weight_decay >= 0", self.weight_decay, "give the factor of -theta")
        adaptive = isinstance(self.make_solver(), diffrax.AbstractAdaptiveSolver)
        if self.step is None and not adaptive:
            raise mistake("a solver with an error estimate", self.solver, "give it a fixed step")

    @property
    def euler_step(self) -> float | None:
        """The fixed step of the solver "Euler", on the problem's own field."""
        return self.step if self.solver == "Euler" and self._is_plain else None

    @property
    def equivariant(self) -> bool:
        """Weight decay moves what the data do not see."""
        return self._is_plain or self.weight_decay == 0

    @property
    def _is_plain(self) -> bool:
        """Whether the velocity is the problem's own field."""
        decays = is_traced(self.weight_decay) or self.weight_decay != 0
        return self.clock == "time" and not decays

    def objective(
        self, problem: Problem, data: Any, theta: PyTree, integrator: PyTree
    ) -> Float[Array, ""]:
        """The loss."""
        return problem.objective(data, theta)

    def velocity(self, problem: Problem, data: Any, theta: PyTree, integrator: PyTree) -> PyTree:
        """theta', by the clock and with weight decay."""
        return self._velocity(problem, data, theta)

    def _velocity(self, problem: Problem, data: Any, theta: PyTree) -> PyTree:
        field = problem.field(data, theta)
        if self._is_plain:
            return field
        moved = combine((1, field), (-self.weight_decay, theta))
        if self.clock == "time":
            return moved
        return combine((1 / problem.objective(data, theta), moved))

    def decay(
        self, problem: Problem, data: Any, theta: PyTree, velocity: PyTree, integrator: PyTree
    ) -> Float[Array, ""]:
        """-L' along the velocity."""
        if self._is_plain:
            return problem.decay(data, velocity)
        # of the quadratic form |v|^2 / kappa, its bilinear form of the field and the velocity
        field = problem.field(data, theta)
        both, apart = (combine((1, field), (sign, velocity)) for sign in (1, -1))
        return (problem.decay(data, both) - problem.decay(data, apart)) / 4

    def check_precision(self, dtype: str) -> None:
        """Raise `ValueError` for tolerances finer than this type of float can tell apart."""
        if self.step is not None:
            return check_step(self.step, dtype)
        finest = float(jnp.finfo(dtype).eps)
        if self.rtol < finest:
            remedy = "raise rtol, or choose float64"
            raise mistake(f"rtol >= {finest:.1e} in {dtype}", self.rtol, remedy)
        return None

    def make_stepper(self, geometry: Geometry = ByRow(), smooth: bool = False) -> Stepper:
        """The solver named, with the lengths of a geometry where it asks for them."""
        return make_stepper(self.solver, Lengths(geometry), smooth)

    def make_solver(
        self, geometry: Geometry = ByRow(), smooth: bool = False
    ) -> diffrax.AbstractSolver:
        """The solver named, as diffrax has it."""
        return self.make_stepper(geometry, smooth).solver

    def make_controller(self, geometry: Geometry = ByRow()) -> diffrax.AbstractStepSizeController:
        """The step-size controller: errors by group, or constant steps."""
        if self.step is not None:
            return diffrax.ConstantStepSize()
        return GroupWise(self.rtol, self.atol, geometry)

    def term(self, problem: Problem) -> diffrax.ODETerm:
        """The flow as a diffrax term; its `args` are the data."""
        return diffrax.ODETerm(lambda t, theta, data: self._velocity(problem, data, theta))

    def start(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        key: UInt32[Array, "2"],
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """Stepper and controller; the first step moves theta by FIRST_MOVE of its norm."""
        stepper, term = self.make_stepper(problem.geometry, problem.smooth), self.term(problem)
        space = Lengths(problem.geometry)
        size = space.size(theta, data)
        speed = space.norm(self._velocity(problem, data, theta), data)
        zero = jnp.zeros_like(size)
        dt = FIRST_MOVE * jnp.where(size > 0, size, 1) / jnp.where(speed > 0, speed, 1)
        dt = jnp.asarray(self.step or dt, zero.dtype)
        order = _error_order(stepper.solver, term)
        t1, controller = self.make_controller(problem.geometry).init(
            term, zero, dt, theta, dt, data, stepper.solver.func, order
        )
        carried = stepper.start(term, jnp.asarray(t1), theta, data, advance_by)
        integrator = _as_arrays(Integrator(carried, controller))
        return Start(integrator, self._stable(stepper, carried, dt), stepper.first_evaluations)

    def attempt(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        velocity: PyTree,
        integrator: Integrator,
        dt: Float[Array, ""],
        advance_by: AdvanceBy = "step",
    ) -> Attempt:
        """One step of the solver, kept or rejected by the controller; or a stage of it."""
        stepper, term = self.make_stepper(problem.geometry, problem.smooth), self.term(problem)
        advance = stepper.advance(term, dt, theta, data, velocity, integrator.stepper, advance_by)
        accepted, t0, t1, _, controller, _ = self.make_controller(problem.geometry).adapt_step_size(
            jnp.zeros_like(dt),
            dt,
            theta,
            advance.y,
            data,
            advance.error,
            _error_order(stepper.solver, term),
            integrator.controller,
        )
        complete, keep = advance.complete, advance.complete & accepted
        carried = stepper.settle(keep, advance.carried, integrator.stepper)
        controller = select(complete, controller, integrator.controller)
        proposed = self._stable(stepper, carried, jnp.asarray(t1 - t0))
        return Attempt(
            advance.y,
            _as_arrays(Integrator(carried, controller)),
            jnp.where(complete, proposed, dt),
            complete,
            keep,
            advance.evaluations,
        )

    def _stable(self, stepper: Stepper, carried: PyTree, dt: Array) -> Float[Array, ""]:
        """The fixed step; or this one, or the longest that is stable."""
        if self.step:
            return jnp.asarray(self.step, dt.dtype)
        return jnp.minimum(dt, stepper.longest_step(carried))


def _error_order(solver: diffrax.AbstractSolver, term: diffrax.ODETerm) -> Any:
    """The order of the error estimate; of no use, and often None, at fixed steps."""
    return solver.error_order(term) or 1


def _as_arrays(tree: PyTree) -> PyTree:
    """Python scalars in a carried state become arrays."""
    return jax.tree.map(jnp.asarray, tree)
