"""What moves the parameters: the protocol, and the gradient flow itself by a diffrax solver.

A dynamics is static and hashable, part of a result's identity. The flow is autonomous, so every
step starts at local time 0: no time stalls in float32, and any diffrax solver and controller can
be stepped and stopped at will.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.trees import select
from jaxflow.flow.controller import NeuronWise
from jaxflow.flow.stabilized import FIRST_ITERATIONS, RKC1, RKC2
from jaxflow.problems.shallow.network import Data, Network, Parameters, field

FIRST_MOVE = 0.01
STABILIZED = {"RKC1": RKC1, "RKC2": RKC2}


class WeightSpace:
    """The metric of (W, a), whatever the coordinates."""

    def norm(self, difference: Parameters, args: Data) -> Float[Array, ""]:
        """|difference|."""
        return jnp.sqrt(jnp.sum(args.inputs.squares(difference.W)) + jnp.sum(difference.a**2))

    def size(self, y: Parameters, args: Data) -> Float[Array, ""]:
        """|theta|."""
        return jnp.sqrt(jnp.sum(args.inputs.sizes(y.W)) + jnp.sum(y.a**2))


AdvanceBy = Literal["step", "evaluation"]  # what an attempt advances a lane by


class Attempt(NamedTuple):
    """One attempted step, or one evaluation of the field in it."""

    theta: Parameters  # the candidate, if complete
    integrator: PyTree  # what the dynamics carries on, already kept or restored
    dt: Float[Array, ""]  # proposed next step
    complete: Bool[Array, ""]  # the step is at its end
    keep: Bool[Array, ""]  # and its candidate is kept
    evaluations: Int[Array, ""]


class Start(NamedTuple):
    """The integrator before the first step."""

    integrator: PyTree
    dt: Float[Array, ""]
    evaluations: int


@runtime_checkable
class Dynamics(Protocol):
    """A rule that moves the parameters against the gradient, one attempted step at a time."""

    @property
    def interpolates(self) -> bool:
        """Whether the loss between two steps has a meaning."""
        ...

    @property
    def slack(self) -> float | Float[Array, ""]:
        """Time left at which the horizon counts as reached."""
        ...

    @property
    def max_steps(self) -> int:
        """Attempted steps allowed."""
        ...

    @property
    def equivariant(self) -> bool:
        """Whether the rule is linear in gradients, so that any coordinates will do."""
        ...

    def start(
        self,
        network: Network,
        data: Data,
        theta: Parameters,
        velocity: Parameters,
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """The integrator's first state."""
        ...

    def attempt(
        self,
        network: Network,
        data: Data,
        theta: Parameters,
        velocity: Parameters,
        integrator: PyTree,
        dt: Float[Array, ""],
        advance_by: AdvanceBy = "step",
    ) -> Attempt:
        """One attempted step of length dt from theta.

        When advanced by an evaluation it may be a part of the step, whose end is yet to come.
        """
        ...


@dataclass(frozen=True)
class GradientFlow:
    """theta' = -kappa grad L, integrated by `RKC2`, `RKC1` or any explicit diffrax solver.

    `rtol` and `atol` bound the errors of the neurons relative to their own size and to a typical
    one, see `NeuronWise`; with `step` the solver takes fixed steps of that flow time instead.
    """

    solver: str = "RKC2"
    rtol: float = 0.1
    atol: float = 0.01
    step: float | None = None
    max_steps: int = 1_000_000

    interpolates = True
    slack = 0.0
    equivariant = True

    def __post_init__(self) -> None:
        if not (self.rtol > 0 and self.atol > 0):
            raise mistake("rtol > 0 and atol > 0", (self.rtol, self.atol), "raise the tolerance")
        if self.step is not None and not self.step > 0:
            raise mistake("step > 0", self.step, "give a flow time, or leave it out to adapt")
        if self.max_steps < 1:
            raise mistake("max_steps >= 1", self.max_steps, "allow some steps")
        adaptive = isinstance(self.make_solver(), diffrax.AbstractAdaptiveSolver)
        if self.step is None and not adaptive:
            raise mistake("a solver with an error estimate", self.solver, "give it a fixed step")

    def make_solver(self) -> diffrax.AbstractSolver:
        """The solver named."""
        if self.solver in STABILIZED:
            return STABILIZED[self.solver](metric=WeightSpace())
        known = {name for name in dir(diffrax) if _is_explicit_solver(getattr(diffrax, name))}
        if self.solver not in known:
            raise unknown_name("explicit solver", self.solver, known | set(STABILIZED))
        solver: diffrax.AbstractSolver = getattr(diffrax, self.solver)()
        return solver

    def make_controller(self) -> diffrax.AbstractStepSizeController:
        """The step-size controller: neuron-wise errors, or constant steps."""
        if self.step is not None:
            return diffrax.ConstantStepSize()
        return NeuronWise(self.rtol, self.atol)

    def term(self, network: Network) -> diffrax.ODETerm:
        """The flow as a diffrax term; its `args` are the data."""
        return diffrax.ODETerm(lambda t, theta, data: field(network, data, theta))

    def start(
        self,
        network: Network,
        data: Data,
        theta: Parameters,
        velocity: Parameters,
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """Solver and controller state; the first step moves theta by FIRST_MOVE of its norm."""
        solver, term = self.make_solver(), self.term(network)
        zero = jnp.zeros((), theta.a.dtype)
        space = WeightSpace()
        size, speed = space.size(theta, data), space.norm(velocity, data)
        dt = FIRST_MOVE * size / jnp.where(speed > 0, speed, 1)
        dt = jnp.asarray(self.step or dt, zero.dtype)
        t1, controller_state = self.make_controller().init(
            term, zero, dt, theta, dt, data, solver.func, self._error_order(solver, term)
        )
        solver_state = solver.init(term, zero, t1, theta, data)
        stage, evaluations = None, 1
        if isinstance(solver, RKC1 | RKC2):
            dt = self._stable(solver, solver_state.radius, dt)
            solver_state = solver_state._replace(field=None)
            stage = solver.first_stage(theta) if advance_by == "evaluation" else None
            evaluations += FIRST_ITERATIONS
        integrator = _as_arrays((solver_state, controller_state, stage))
        return Start(integrator, dt, evaluations)

    def attempt(
        self,
        network: Network,
        data: Data,
        theta: Parameters,
        velocity: Parameters,
        integrator: PyTree,
        dt: Float[Array, ""],
        advance_by: AdvanceBy = "step",
    ) -> Attempt:
        """One step of the solver, kept or rejected by the controller."""
        solver, term = self.make_solver(), self.term(network)
        solver_state, controller_state, stage = integrator
        if isinstance(solver, RKC1 | RKC2):
            solver_state = solver_state._replace(field=velocity)
        zero = jnp.zeros_like(dt)
        if isinstance(solver, RKC1 | RKC2) and advance_by == "evaluation":
            complete, candidate, error, moved, stage = solver.evaluate(
                term, dt, theta, data, solver_state, stage
            )
            evaluations = jnp.asarray(1, jnp.int32)
        else:
            complete = jnp.asarray(True)
            candidate, error, _, moved, _ = solver.step(
                term, zero, dt, theta, data, solver_state, made_jump=jnp.asarray(False)
            )
            evaluations = self._evaluations(moved)
        kept, t0, t1, _, controlled, _ = self.make_controller().adapt_step_size(
            zero,
            dt,
            theta,
            candidate,
            data,
            error,
            self._error_order(solver, term),
            controller_state,
        )
        keep = complete & kept
        if isinstance(solver, RKC1 | RKC2):
            # Its field is the lane's velocity; what was learnt of the radius is kept anyhow.
            carried = moved._replace(field=None)
        else:
            carried = select(keep, moved, solver_state)
        integrator = (carried, select(complete, controlled, controller_state), stage)
        next_dt = jnp.asarray(self.step or jnp.where(complete, t1 - t0, dt), dt.dtype)
        if isinstance(solver, RKC1 | RKC2):
            next_dt = jnp.where(complete, self._stable(solver, carried.radius, next_dt), dt)
        return Attempt(candidate, _as_arrays(integrator), next_dt, complete, keep, evaluations)

    def _stable(
        self, solver: RKC1 | RKC2, radius: Float[Array, ""], dt: Float[Array, ""]
    ) -> Float[Array, ""]:
        """The step, or the longest stable one; a fixed step is as it is."""
        return dt if self.step else jnp.minimum(dt, solver.longest_step(radius))

    def _error_order(self, solver: diffrax.AbstractSolver, term: diffrax.ODETerm) -> Any:
        """The order of the error estimate; of no use, and often None, at fixed steps."""
        return solver.error_order(term) or 1

    def _evaluations(self, solver_state: Any) -> Int[Array, ""]:
        """Evaluations of the field in one step of the solver."""
        if self.solver in STABILIZED:
            return jnp.asarray(solver_state.evaluations)
        return jnp.asarray(evaluations_per_step(self.solver), jnp.int32)


def evaluations_per_step(solver: str) -> int:
    """Field evaluations in a step of an explicit diffrax solver."""
    made = getattr(diffrax, solver)()
    tableau = getattr(made, "tableau", None)
    if tableau is not None:
        return int(tableau.num_stages - tableau.fsal)
    calls: list[Array] = []

    def counted(t: Any, y: Array, args: Any) -> Array:
        calls.append(t)
        return -y

    term = diffrax.ODETerm(counted)
    state = made.init(term, 0.0, 1.0, jnp.ones(1), None)
    calls.clear()
    jax.eval_shape(partial(made.step, term, 0.0, 1.0, jnp.ones(1), None, state, False))
    return len(calls)


def _is_explicit_solver(candidate: object) -> bool:
    if not (isinstance(candidate, type) and issubclass(candidate, diffrax.AbstractSolver)):
        return False
    abstract = bool(getattr(candidate, "__abstractmethods__", None))
    implicit = issubclass(candidate, diffrax.AbstractImplicitSolver)
    try:
        takes_ode = candidate.term_structure in (diffrax.AbstractTerm, diffrax.ODETerm)
    except AttributeError:
        return False
    public = candidate.__name__.startswith("Abstract") or candidate.__name__ == "HalfSolver"
    return takes_ode and not (abstract or implicit or public)


def _as_arrays(tree: PyTree) -> PyTree:
    """Python scalars in a carried state become arrays."""
    return jax.tree.map(jnp.asarray, tree)
