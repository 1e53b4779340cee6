"""What moves the parameters: the protocol that a trial is stepped through.

A dynamics is static and hashable, part of a result's identity. Flow and descent are two; any frozen
dataclass with these members is another.
"""

from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree, UInt32

from jaxflow.core.errors import mistake
from jaxflow.problems.problem import Problem

AdvanceBy = Literal["step", "evaluation"]  # the unit of advance of a lane


class Start(NamedTuple):
    """The integrator before the first step."""

    integrator: PyTree
    dt: Float[Array, ""]
    evaluations: int


class Attempt(NamedTuple):
    """One attempted step, or one evaluation of the field in it."""

    theta: PyTree  # the candidate, if complete
    integrator: PyTree  # what the dynamics carries on, already kept or restored
    dt: Float[Array, ""]  # proposed next step
    complete: Bool[Array, ""]  # the step is at its end
    keep: Bool[Array, ""]  # and its candidate is kept
    evaluations: Int[Array, ""]


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

    @property
    def euler_step(self) -> float | None:
        """The step of Euler's method if that is what it is, unstable at sharpness 2/step."""
        ...

    def objective(
        self, problem: Problem, data: Any, theta: PyTree, integrator: PyTree
    ) -> Float[Array, ""]:
        """The loss that decides, that of the problem unless it stands for more than theta."""
        ...

    def velocity(self, problem: Problem, data: Any, theta: PyTree, integrator: PyTree) -> PyTree:
        """theta' by all data, up to a factor for a descent."""
        ...

    def decay(
        self, problem: Problem, data: Any, theta: PyTree, velocity: PyTree, integrator: PyTree
    ) -> Float[Array, ""]:
        """-L' at theta, the rate at which the loss falls along that velocity."""
        ...

    def check_precision(self, dtype: str) -> None:
        """Raise `ValueError` where its numbers ask for more than this type of float holds."""
        ...

    def start(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        key: UInt32[Array, "2"],
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """The integrator's first state; `key` is the trial's, for what is random on the way."""
        ...

    def attempt(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        velocity: PyTree,
        integrator: PyTree,
        dt: Float[Array, ""],
        advance_by: AdvanceBy = "step",
    ) -> Attempt:
        """One attempted step of length dt from theta.

        When advanced by an evaluation it may be a part of the step, whose end is yet to come.
        """
        ...


def named(kind: str, value: object, example: str) -> str:
    """`value` if it is a text; a class or function in its place is a `ValueError` that says so."""
    if isinstance(value, str):
        return value
    name = getattr(value, "__name__", type(value).__name__)
    raise mistake(f"the name of {kind}", name, f"give it as a text, such as {example!r}")


def check_step(step: float, dtype: str) -> None:
    """Raise `ValueError` for a step that overflows or underflows in this type of float."""
    limits = jnp.finfo(dtype)
    if not float(limits.tiny) <= step <= float(limits.max):
        expected = f"a step between {limits.tiny:.1e} and {limits.max:.1e} in {dtype}"
        raise mistake(expected, step, "correct it, or choose float64")
