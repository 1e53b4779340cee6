"""A dynamics of steps of one size, written as what a step does.

    @dataclass(frozen=True)
    class Langevin(Iteration):
        temperature: float = 0.01

        def update(self, problem, data, parameters, velocity, state, key):
            spread = (2 * self.step * self.temperature) ** 0.5
            keys = jax.tree.unflatten(
                jax.tree.structure(parameters),
                list(jax.random.split(key, len(jax.tree.leaves(parameters)))),
            )
            moved = jax.tree.map(
                lambda w, v, key: w + self.step * v + spread * jax.random.normal(key, w.shape),
                parameters, velocity, keys,
            )
            return moved, state

Minibatches, keys and horizons in steps and epochs follow.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree, UInt32

from jaxflow.core.checks import positive, whole
from jaxflow.core.errors import mistake
from jaxflow.flow.dynamics import AdvanceBy, Attempt, Start, check_step
from jaxflow.problems.problem import Problem


class Iterate(NamedTuple):
    """What is carried from step to step beside the parameters."""

    state: PyTree  # of the rule
    key: UInt32[Array, "2"]  # the trial's
    taken: Int[Array, ""]  # steps


@dataclass(frozen=True)
class Iteration(ABC):
    """theta <- update(theta), a step at a time.

    A subclass is a frozen dataclass with an `update`, and with `first_state` if it remembers
    something; its real fields are parameters, which may be axes. A step counts `step` of flow time:
    a horizon T holds floor(T / step) of them. With a `batch` each step sees so many samples, drawn
    anew (`replacement`) or in passes over all in a random order, what is left of a pass being
    dropped; a batch of 1 and a horizon of n steps is online. The loss and the event are of all
    samples. A trial fails that takes more than `max_steps`.
    """

    step: float = 1.0
    max_steps: int = field(default=100_000_000, kw_only=True)
    batch: int | None = field(default=None, kw_only=True)
    replacement: bool | None = field(default=None, kw_only=True)

    interpolates = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", positive("step", self.step))
        object.__setattr__(self, "max_steps", whole("max_steps", self.max_steps, least=1))
        if self.batch is not None:
            object.__setattr__(self, "batch", whole("batch", self.batch, least=1))
        elif self.replacement is not None:
            raise mistake("a batch with replacement", self.batch, "give the size of the batch")

    @abstractmethod
    def update(
        self,
        problem: Problem,
        data: Any,
        parameters: PyTree,
        velocity: PyTree,
        state: PyTree,
        key: UInt32[Array, "2"],
    ) -> tuple[PyTree, PyTree]:
        """The parameters and the state after a step.

        `velocity` is minus the gradient of the loss of the `data` of this step, all samples or a
        batch; `problem.objective(data, theta)` is that loss at other parameters, and of samples
        with a leaf `weights` any weighted mean is the one of `data._replace(weights=...)`. The
        `key` is of this step of this trial alone.
        """

    def _checked(self, found: Any, theta: PyTree, state: PyTree) -> tuple[PyTree, PyTree]:
        """What an update gave, if it is of the form of what it was given."""
        name = type(self).__name__
        if not (isinstance(found, tuple) and len(found) == 2):
            remedy = "return both the parameters and the state"
            raise mistake(f"a pair from update of {name}", type(found).__name__, remedy)
        for what, old, new in zip(("parameters", "state"), (theta, state), found, strict=True):
            forms = [jax.tree.map(jnp.shape, tree) for tree in (old, new)]
            if forms[0] != forms[1]:
                expected = f"{what} of the form {forms[0]} from update of {name}"
                raise mistake(expected, forms[1], "return them as they came")
        return found

    def first_state(self, parameters: PyTree) -> PyTree:
        """What the rule remembers before the first step; nothing by default."""
        return ()

    @property
    def equivariant(self) -> bool:
        """Nothing is known of an update."""
        return False

    @property
    def euler_step(self) -> float | None:
        """It is no Euler's method, as far as is known."""
        return None

    @property
    def evaluations(self) -> int:
        """Of the field, in a step."""
        return 1

    @property
    def slack(self) -> float | Float[Array, ""]:
        """A step, less rounding: a horizon T holds floor(T/step) whole steps."""
        return 0.999 * self.step

    def check_precision(self, dtype: str) -> None:
        """Raise `ValueError` for a step that overflows or underflows in this type of float."""
        check_step(self.step, dtype)

    def objective(
        self, problem: Problem, data: Any, theta: PyTree, integrator: PyTree
    ) -> Float[Array, ""]:
        """The loss of all samples."""
        return problem.objective(data, theta)

    def velocity(self, problem: Problem, data: Any, theta: PyTree, integrator: PyTree) -> PyTree:
        """The field of all samples."""
        return problem.field(data, theta)

    def decay(
        self, problem: Problem, data: Any, theta: PyTree, velocity: PyTree, integrator: PyTree
    ) -> Float[Array, ""]:
        """-L' along the flow of the field."""
        return problem.decay(data, velocity)

    def start(
        self,
        problem: Problem,
        data: Any,
        theta: PyTree,
        key: UInt32[Array, "2"],
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """What the rule remembers, before the first step."""
        dt = jnp.asarray(self.step, jax.tree.leaves(theta)[0].dtype)
        return Start(Iterate(self.first_state(theta), key, jnp.zeros((), jnp.int32)), dt, 1)

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
        """One update, always kept."""
        state, key, taken = integrator
        if self.batch is not None:
            data = problem.batch(data, key, taken, self.batch, bool(self.replacement))
            velocity = problem.field(data, theta)
        of_step = jax.random.fold_in(key, taken)
        found = self.update(problem, data, theta, velocity, state, of_step)
        moved, state = self._checked(found, theta, state)
        yes, evaluations = jnp.asarray(True), jnp.asarray(self.evaluations, jnp.int32)
        after = Iterate(state, key, taken + 1)
        return Attempt(moved, after, dt, complete=yes, keep=yes, evaluations=evaluations)
