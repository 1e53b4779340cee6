"""Solvers by name, and how each is advanced: whole steps, or the stages of a step one by one.

The flow is autonomous, so every step starts at local time 0: no time stalls in float32, and any
diffrax solver can be stepped and stopped at will.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxflow.core.errors import unknown_name
from jaxflow.core.trees import select
from jaxflow.flow.dynamics import AdvanceBy
from jaxflow.flow.radius import FIRST_ITERATIONS, ChebyshevState, Metric
from jaxflow.flow.stabilized import RKC1, RKC2, Stage

MEMORY = 0.9  # of a spectral radius, from one step of a smooth field to the next
STABILIZED: dict[str, Callable[..., RKC1 | RKC2]] = {"RKC1": RKC1, "RKC2": RKC2}


class Advance(NamedTuple):
    """A step at its end, or under way."""

    y: PyTree  # its end, if complete
    error: PyTree
    carried: PyTree  # what the stepper carries on if the step is kept
    complete: Bool[Array, ""]
    evaluations: Int[Array, ""]


@runtime_checkable
class Stepper(Protocol):
    """An explicit diffrax solver, advanced by a step or by an evaluation of the field."""

    @property
    def solver(self) -> diffrax.AbstractSolver:
        """The solver itself."""
        ...

    @property
    def first_evaluations(self) -> int:
        """Evaluations of the field before the first step."""
        ...

    def start(
        self, term: diffrax.ODETerm, dt: Array, y: PyTree, args: Any, advance_by: AdvanceBy
    ) -> PyTree:
        """What is carried before the first step, of about dt from y."""
        ...

    def advance(
        self,
        term: diffrax.ODETerm,
        dt: Array,
        y: PyTree,
        args: Any,
        field: PyTree,
        carried: PyTree,
        advance_by: AdvanceBy,
    ) -> Advance:
        """A step of length dt from y, where the field is `field`; or one evaluation of it."""
        ...

    def settle(self, keep: Bool[Array, ""], advanced: PyTree, before: PyTree) -> PyTree:
        """What is carried on, whether the step is kept or not."""
        ...

    def longest_step(self, carried: PyTree) -> Float[Array, ""] | float:
        """The longest step that is stable, as far as the solver knows."""
        ...


@dataclass(frozen=True)
class Explicit:
    """Any explicit solver of diffrax: a step at a time, whatever the unit of advance."""

    solver: diffrax.AbstractSolver
    first_evaluations = 1

    def start(
        self, term: diffrax.ODETerm, dt: Array, y: PyTree, args: Any, advance_by: AdvanceBy
    ) -> PyTree:
        """The state of the solver."""
        return self.solver.init(term, jnp.zeros_like(dt), dt, y, args)

    def advance(
        self,
        term: diffrax.ODETerm,
        dt: Array,
        y: PyTree,
        args: Any,
        field: PyTree,
        carried: PyTree,
        advance_by: AdvanceBy,
    ) -> Advance:
        """A step; what solvers keep of the field from the step before is their own business."""
        made_jump = jnp.asarray(False)
        end, error, _, moved, _ = self.solver.step(
            term, jnp.zeros_like(dt), dt, y, args, carried, made_jump
        )
        evaluations = jnp.asarray(evaluations_per_step(self.solver), jnp.int32)
        return Advance(end, error, moved, jnp.asarray(True), evaluations)

    def settle(self, keep: Bool[Array, ""], advanced: PyTree, before: PyTree) -> PyTree:
        """The state after the step, or before it."""
        return select(keep, advanced, before)

    def longest_step(self, carried: PyTree) -> float:
        """Any: an explicit solver learns of its stability from its errors alone."""
        return jnp.inf


class Carried(NamedTuple):
    """What a stabilized solver carries: its state, and the stage of the step under way."""

    state: ChebyshevState  # without the field, which the trial has as its velocity
    stage: Stage | None  # None if advanced by steps


@dataclass(frozen=True)
class Stabilized:
    """RKC1 or RKC2: steps no longer than its stages are stable, advanced stage by stage if asked.

    What a rejected step has learnt of the spectral radius is kept.
    """

    solver: RKC1 | RKC2
    first_evaluations = 1 + FIRST_ITERATIONS

    def start(
        self, term: diffrax.ODETerm, dt: Array, y: PyTree, args: Any, advance_by: AdvanceBy
    ) -> Carried:
        """The state after the first power iterations."""
        state = self.solver.init(term, jnp.zeros_like(dt), dt, y, args)
        stage = self.solver.first_stage(y) if advance_by == "evaluation" else None
        return Carried(state._replace(field=None), stage)

    def advance(
        self,
        term: diffrax.ODETerm,
        dt: Array,
        y: PyTree,
        args: Any,
        field: PyTree,
        carried: Carried,
        advance_by: AdvanceBy,
    ) -> Advance:
        """A step, or one evaluation of the field in it."""
        state = carried.state._replace(field=field)
        if carried.stage is not None:
            complete, end, error, moved, stage = self.solver.evaluate(
                term, dt, y, args, state, carried.stage
            )
            one = jnp.asarray(1, jnp.int32)
            return Advance(end, error, Carried(moved, stage), complete, one)
        zero = jnp.zeros_like(dt)
        end, error, _, moved, _ = self.solver.step(term, zero, dt, y, args, state, False)
        evaluations = jnp.asarray(moved.evaluations)
        return Advance(end, error, Carried(moved, None), jnp.asarray(True), evaluations)

    def settle(self, keep: Bool[Array, ""], advanced: Carried, before: Carried) -> Carried:
        """What has been learnt, kept or not."""
        return advanced._replace(state=advanced.state._replace(field=None))

    def longest_step(self, carried: Carried) -> Float[Array, ""]:
        """The longest step that the most stages keep stable."""
        return self.solver.longest_step(carried.state.radius)


def make_stepper(solver: str, metric: Metric, smooth: bool = False) -> Stepper:
    """The solver of that name; `ValueError` where there is none that is explicit.

    A stabilized one takes the derivative of a field that is `smooth` and remembers its radius.
    """
    if solver in STABILIZED:
        ways: dict[str, Any] = {"probe": "jvp", "memory": MEMORY} if smooth else {}
        return Stabilized(STABILIZED[solver](metric=metric, **ways))
    known = {name for name in dir(diffrax) if _is_explicit(getattr(diffrax, name))}
    if solver not in known:
        raise unknown_name("explicit solver", solver, known | set(STABILIZED))
    return Explicit(getattr(diffrax, solver)())


def evaluations_per_step(solver: diffrax.AbstractSolver) -> int:
    """Field evaluations in a step of an explicit diffrax solver."""
    tableau = getattr(solver, "tableau", None)
    if tableau is not None:
        return int(tableau.num_stages - tableau.fsal)
    calls: list[Array] = []

    def counted(t: Any, y: Array, args: Any) -> Array:
        calls.append(t)
        return -y

    term = diffrax.ODETerm(counted)
    state = solver.init(term, 0.0, 1.0, jnp.ones(1), None)
    calls.clear()
    jax.eval_shape(partial(solver.step, term, 0.0, 1.0, jnp.ones(1), None, state, False))
    return len(calls)


def _is_explicit(candidate: object) -> bool:
    if not (isinstance(candidate, type) and issubclass(candidate, diffrax.AbstractSolver)):
        return False
    abstract = bool(getattr(candidate, "__abstractmethods__", None))
    implicit = issubclass(candidate, diffrax.AbstractImplicitSolver)
    try:
        takes_ode = candidate.term_structure in (diffrax.AbstractTerm, diffrax.ODETerm)
    except AttributeError:
        return False
    wrapper = candidate.__name__.startswith("Abstract") or candidate.__name__ == "HalfSolver"
    return takes_ode and not (abstract or implicit or wrapper)
