"""The spectral radius of a field along a trajectory, by power iterations from step to step.

On long differences of the field, advanced every other step, or on its derivative, advanced every
step. Where the field jumps, short differences see the jump or miss it, and the radius they give is
noise; where it is smooth, long ones miss the curvature at the state.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxflow.core.trees import combine, norm

FIRST_ITERATIONS = 8  # before the first step
PROBE = 0.01  # length of the differences, relative to the state
ITERATIONS = 8  # at most, where a step begins with more than one
SETTLED = 0.01  # relative change of the radius in an iteration that is the last

EVERY = {"difference": 2, "jvp": 1}  # by probe, steps from one iteration to the next


@runtime_checkable
class Metric(Protocol):
    """How long states and their differences are, where entries do not say it."""

    def norm(self, difference: PyTree, args: Any) -> Float[Array, ""]:
        """The length of a difference of states."""
        ...

    def size(self, y: PyTree, args: Any) -> Float[Array, ""]:
        """The length of a state."""
        ...


class Euclidean:
    """The root of the sum of squares of all entries."""

    def norm(self, difference: PyTree, args: Any) -> Float[Array, ""]:
        """|difference|."""
        return norm(difference)

    def size(self, y: PyTree, args: Any) -> Float[Array, ""]:
        """|y|."""
        return norm(y)


class ChebyshevState(NamedTuple):
    """What one step hands to the next."""

    field: PyTree  # at the start of the step to come
    direction: PyTree  # unit vector, the power iteration's last
    radius: Float[Array, ""]  # spectral radius, an estimate from below
    age: Int[Array, ""]  # steps since the last power iteration
    evaluations: Int[Array, ""]  # of the field in the last step


@dataclass(frozen=True)
class PowerIteration:
    """How the radius is found: see `RKC2`. A field is a function of the state alone."""

    metric: Metric
    probe: str
    memory: float

    def start(
        self, field: Callable[[PyTree], PyTree], at: PyTree, y0: PyTree, args: Any
    ) -> ChebyshevState:
        """The state after the first iterations, which begin along the field `at` y0."""
        none = jnp.asarray(0, jnp.int32)
        radius = jnp.zeros_like(self.metric.size(y0, args))
        state = ChebyshevState(at, self._unit(at, args), radius, none, none)
        once = lambda _, state: self.iterate(field, y0, args, state)  # noqa: E731
        return jax.lax.fori_loop(0, FIRST_ITERATIONS, once, state)

    def due(self, state: ChebyshevState) -> Bool[Array, ""]:
        """Whether the step to come begins with an iteration."""
        return state.age >= EVERY[self.probe]

    def measure(
        self, field: Callable[[PyTree], PyTree], y0: PyTree, args: Any, state: ChebyshevState
    ) -> tuple[ChebyshevState, Int[Array, ""]]:
        """The state after the iterations that are due, and how many they were.

        One with differences; with derivatives until the radius has settled.
        """
        iterate = lambda state: self.iterate(field, y0, args, state)  # noqa: E731
        due = self.due(state)
        if self.probe == "difference":
            found = jax.lax.cond(due, iterate, lambda state: state, state)
            return self.remembered(found, state), due.astype(jnp.int32)

        def more(carry: tuple[ChebyshevState, Array, Array]) -> Array:
            _, count, unsettled = carry
            return unsettled & (count < ITERATIONS)

        def once(carry: tuple[ChebyshevState, Array, Array]) -> tuple[ChebyshevState, Array, Array]:
            state, count, _ = carry
            found = iterate(state)
            unsettled = jnp.abs(found.radius - state.radius) > SETTLED * found.radius
            return found, count + 1, unsettled

        none = jnp.asarray(0, jnp.int32)
        found, count, _ = jax.lax.while_loop(more, once, (state, none, due))
        return self.remembered(found, state), count

    def iterate(
        self, field: Callable[[PyTree], PyTree], y0: PyTree, args: Any, state: ChebyshevState
    ) -> ChebyshevState:
        """One iteration, on (f(y + delta v) - f(y)) / delta or on the derivative."""
        if self.probe == "jvp":
            image = jax.jvp(field, (y0,), (state.direction,))[1]
        else:
            delta = self.length(y0, args)
            moved = field(combine((1, y0), (delta, state.direction)))
            image = quotient(moved, state.field, delta)
        return self.probed(image, args, state)

    def length(self, y0: PyTree, args: Any) -> Float[Array, ""]:
        """How far from y0 a difference of the field is taken."""
        size = self.metric.size(y0, args)
        return PROBE * jnp.where(size > 0, size, 1)

    def probed(self, image: PyTree, args: Any, state: ChebyshevState) -> ChebyshevState:
        """The state after an iteration that has taken its direction to `image`."""
        radius = self.metric.norm(image, args)
        age = jnp.zeros_like(state.age)
        return state._replace(direction=self._unit(image, args), radius=radius, age=age)

    def remembered(self, found: ChebyshevState, before: ChebyshevState) -> ChebyshevState:
        """The state after probes, its radius no less than `memory` of the one before them."""
        if not self.memory:
            return found
        known = jnp.where(jnp.isfinite(before.radius), before.radius, 0)
        return found._replace(radius=jnp.maximum(found.radius, self.memory * known))

    def _unit(self, x: PyTree, args: Any) -> PyTree:
        """x over its length; equal entries where x vanishes."""
        size = self.metric.norm(x, args)
        good = (size > 0) & jnp.isfinite(size)
        divisor = jnp.where(good, size, 1)
        flat = 1 / math.sqrt(max(1, sum(leaf.size for leaf in jax.tree.leaves(x))))
        unit = lambda leaf: jnp.where(good, leaf / jnp.asarray(divisor, leaf.dtype), flat)  # noqa: E731
        return jax.tree.map(unit, x)


def quotient(moved: PyTree, field: PyTree, delta: Array) -> PyTree:
    """The difference of the field over a distance delta."""
    return combine((1 / delta, moved), (-1 / delta, field))
