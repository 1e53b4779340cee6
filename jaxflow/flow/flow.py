"""The gradient flow, by any explicit diffrax solver or a stabilized one."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxflow.core.checks import positive, whole
from jaxflow.core.errors import mistake
from jaxflow.core.trees import select
from jaxflow.flow.controller import NeuronWise
from jaxflow.flow.dynamics import AdvanceBy, Attempt, Start, check_step, named
from jaxflow.flow.solvers import Stepper, make_stepper
from jaxflow.problems.shallow.network import Data, Network, Parameters, field

FIRST_MOVE = 0.01


class WeightSpace:
    """The metric of (W, a), whatever the coordinates."""

    def norm(self, difference: Parameters, args: Data) -> Float[Array, ""]:
        """|difference|."""
        return jnp.sqrt(jnp.sum(args.inputs.squares(difference.W)) + jnp.sum(difference.a**2))

    def size(self, y: Parameters, args: Data) -> Float[Array, ""]:
        """|theta|."""
        return jnp.sqrt(jnp.sum(args.inputs.sizes(y.W)) + jnp.sum(y.a**2))


class Integrator(NamedTuple):
    """What a flow carries from step to step."""

    stepper: PyTree
    controller: PyTree


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
        named("a solver", self.solver, "Tsit5")
        object.__setattr__(self, "rtol", positive("rtol", self.rtol))
        object.__setattr__(self, "atol", positive("atol", self.atol))
        object.__setattr__(self, "max_steps", whole("max_steps", self.max_steps, least=1))
        if self.step is not None:
            object.__setattr__(self, "step", positive("step", self.step))
        adaptive = isinstance(self.make_solver(), diffrax.AbstractAdaptiveSolver)
        if self.step is None and not adaptive:
            raise mistake("a solver with an error estimate", self.solver, "give it a fixed step")

    @property
    def euler_step(self) -> float | None:
        """The fixed step of the solver "Euler"."""
        return self.step if self.solver == "Euler" else None

    def check_precision(self, dtype: str) -> None:
        """Raise `ValueError` for tolerances finer than this type of float can tell apart."""
        if self.step is not None:
            return check_step(self.step, dtype)
        finest = float(jnp.finfo(dtype).eps)
        if self.rtol < finest:
            remedy = "raise rtol, or choose float64"
            raise mistake(f"rtol >= {finest:.1e} in {dtype}", self.rtol, remedy)
        return None

    def make_stepper(self) -> Stepper:
        """The solver named, with the metric of weight space where it asks for one."""
        return make_stepper(self.solver, WeightSpace())

    def make_solver(self) -> diffrax.AbstractSolver:
        """The solver named, as diffrax has it."""
        return self.make_stepper().solver

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
        """Stepper and controller; the first step moves theta by FIRST_MOVE of its norm."""
        stepper, term = self.make_stepper(), self.term(network)
        zero = jnp.zeros((), theta.a.dtype)
        space = WeightSpace()
        size, speed = space.size(theta, data), space.norm(velocity, data)
        dt = FIRST_MOVE * size / jnp.where(speed > 0, speed, 1)
        dt = jnp.asarray(self.step or dt, zero.dtype)
        order = _error_order(stepper.solver, term)
        t1, controller = self.make_controller().init(
            term, zero, dt, theta, dt, data, stepper.solver.func, order
        )
        carried = stepper.start(term, jnp.asarray(t1), theta, data, advance_by)
        integrator = _as_arrays(Integrator(carried, controller))
        return Start(integrator, self._stable(stepper, carried, dt), stepper.first_evaluations)

    def attempt(
        self,
        network: Network,
        data: Data,
        theta: Parameters,
        velocity: Parameters,
        integrator: Integrator,
        dt: Float[Array, ""],
        advance_by: AdvanceBy = "step",
    ) -> Attempt:
        """One step of the solver, kept or rejected by the controller; or a stage of it."""
        stepper, term = self.make_stepper(), self.term(network)
        advance = stepper.advance(term, dt, theta, data, velocity, integrator.stepper, advance_by)
        accepted, t0, t1, _, controller, _ = self.make_controller().adapt_step_size(
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
