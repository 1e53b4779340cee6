"""Stabilized explicit Runge-Kutta-Chebyshev methods of order 1 and 2, as diffrax solvers.

With s stages the real stability interval of RKC2 is about 0.65 (s^2 - 1), that of RKC1 1.9 s^2, so
the field evaluations that a stiff problem with a real negative spectrum needs grow like the square
root of its stiffness. A gradient flow is such a problem: the Jacobian of -grad L is symmetric.
Formulas (2.1)-(2.6) and the error estimate of Sommeijer, Shampine and Verwer, "RKC: an explicit
solver for parabolic PDEs", J. Comput. Appl. Math. 88 (1998), and the first-order method of van der
Houwen and Sommeijer (1980) in the same form. The spectral radius comes from a power iteration
carried from step to step: on long differences of the field, advanced every other step, or on its
derivative, advanced every step. Where the field jumps, short differences see the jump or miss it,
and the radius they give is noise; where it is smooth, long ones miss the curvature at the state.
"""

import abc
import math
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxflow.core.errors import mistake
from jaxflow.core.trees import combine, norm, select

SAFETY = 1.15  # on the estimated spectral radius, which approaches the true one from below
FIRST_ITERATIONS = 8  # of the power method, before the first step
PROBE = 0.01  # length of the differences, relative to the state
ITERATIONS = 8  # at most, where a step begins with more than one
SETTLED = 0.01  # relative change of the radius in an iteration that is the last

EVERY = {"difference": 2, "jvp": 1}  # by probe, steps from one power iteration to the next


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


DAMPING = {1: 0.05, 2: 2 / 13}


class ChebyshevState(NamedTuple):
    """What one step hands to the next."""

    field: PyTree  # at the start of the step to come
    direction: PyTree  # unit vector, the power iteration's last
    radius: Float[Array, ""]  # spectral radius, an estimate from below
    age: Int[Array, ""]  # steps since the last power iteration
    evaluations: Int[Array, ""]  # of the field in the last step


class Stage(NamedTuple):
    """A step under way: the stage whose field comes next, and the last two increments."""

    number: Int[Array, ""]  # 0 for a power iteration, s for the end of the step
    before: PyTree
    last: PyTree


@lru_cache
def coefficients(order: int, max_stages: int) -> np.ndarray:
    """mu, nu, mu~, gamma~ and c of every method, an array (max_stages + 1, max_stages + 1, 5).

    Entry [s, j] holds the coefficients of stage j of the s-stage method, in float64. The stability
    polynomial is 1 - b_s T_s(w0) + b_s T_s(w0 + w1 z), with b_s = 1/T_s(w0) at order 1.
    """
    table = np.zeros((max_stages + 1, max_stages + 1, 5))
    for s in range(2, max_stages + 1):
        w0 = 1 + DAMPING[order] / s**2
        T, T1, T2 = _chebyshev(s, w0)
        b, c = np.empty((2, s + 1))
        if order == 1:
            w1 = T[s] / T1[s]
            b = 1 / T
            c = w1 * T1 / T
        else:
            w1 = T1[s] / T2[s]
            b[2:] = T2[2:] / T1[2:] ** 2
            b[:2] = b[2]
            c[2:] = w1 * T2[2:] / T1[2:]
            c[0], c[1] = 0, c[2] / T1[2]
        a = 1 - b * T
        j = np.arange(2, s + 1)
        table[s, 1] = 0, 0, b[1] * w1, 0, c[1]
        weight = 2 * b[j] * w1 / b[j - 1]
        mu, nu = 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2]
        table[s, 2 : s + 1] = np.stack([mu, nu, weight, -a[j - 1] * weight, c[j]], axis=1)
    return table


def _chebyshev(s: int, w: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T_j(w) and its first two derivatives for j = 0..s."""
    T, T1, T2 = np.zeros((3, s + 1))
    T[:2], T1[1] = (1, w), 1
    for j in range(2, s + 1):
        T[j] = 2 * w * T[j - 1] - T[j - 2]
        T1[j] = 2 * T[j - 1] + 2 * w * T1[j - 1] - T1[j - 2]
        T2[j] = 4 * T1[j - 1] + 2 * w * T2[j - 1] - T2[j - 2]
    return T, T1, T2


class _Chebyshev(diffrax.AbstractAdaptiveSolver):
    """As many stages as the step needs to be stable, each an evaluation of the field.

    For real negative spectra only; works in `diffrax.diffeqsolve` on any PyTree of real arrays
    and in the lanes of the engine. Backward in time the spectrum is positive: the answer is right,
    the stages bring nothing.

    `probe` says how the spectral radius is found: by the "difference" of the field over PROBE of
    the length of the state, for fields that jump (gradients of ReLU networks); or by the "jvp" of
    the field, exact, for all that are continuous, a kink here and there included. A "jvp" costs
    about two evaluations and counts as one; a step takes as many as the radius needs to settle.
    Advanced evaluation by evaluation, every evaluation is paired with one and each step takes one.
    The field must allow forward differentiation: no `jax.custom_vjp`.

    `memory` is the least ratio of an estimate to the one before it, 0 <= memory < 1. An estimate
    too low makes steps unstable, which are rejected one after the other; the power iteration gives
    one where two eigenvalues cross. With 0 each stands alone; 0.9 forgets a radius too
    high over some steps, in which the stages are more than needed by the root of its excess.

    `metric` says how long states and their differences are; it is Euclidean if nothing is said.

    For smooth fields, `RKC2(probe="jvp", memory=0.9)`. In plain `diffeqsolve` nothing keeps steps
    below `longest_step`: raise `max_stages` where many are rejected at the end of a stiff problem.
    """

    max_stages: int = eqx.field(static=True, default=128)
    metric: Metric = eqx.field(static=True, default=Euclidean())
    probe: str = eqx.field(static=True, default="difference")
    memory: float = eqx.field(static=True, default=0.0)

    term_structure: ClassVar = diffrax.ODETerm
    interpolation_cls: ClassVar = diffrax.ThirdOrderHermitePolynomialInterpolation

    def __check_init__(self) -> None:
        if self.max_stages < 2:
            raise mistake("max_stages >= 2", self.max_stages, "allow at least two stages")
        if self.probe not in EVERY:
            raise mistake(f"probe in {tuple(EVERY)}", self.probe, 'use "jvp" for smooth fields')
        if not 0 <= self.memory < 1:
            raise mistake("0 <= memory < 1", self.memory, "use 0.9, or 0 to forget at once")

    @abc.abstractmethod
    def stages(self, stiffness: Float[Array, ""]) -> Int[Array, ""]:
        """The least s >= 2 whose stability interval holds h times the spectral radius."""

    @abc.abstractmethod
    def longest_step(self, radius: Float[Array, ""]) -> Float[Array, ""]:
        """The longest step that `max_stages` stages keep stable; infinite for radius 0."""

    @abc.abstractmethod
    def estimate(self, h: Any, increment: PyTree, before: PyTree, after: PyTree) -> PyTree:
        """The error of a step, from its increment and the field at both ends."""

    def init(self, terms: PyTree, t0: Any, t1: Any, y0: PyTree, args: Any) -> ChebyshevState:
        """Evaluate the field and start the power iteration along it."""
        field = terms.vf(t0, y0, args)
        none = jnp.asarray(0, jnp.int32)
        start = jnp.zeros_like(self.metric.size(y0, args))
        state = ChebyshevState(field, self._unit(field, args), start, none, none)
        power = lambda _, state: self._power(terms, t0, y0, args, state)  # noqa: E731
        return jax.lax.fori_loop(0, FIRST_ITERATIONS, power, state)

    def step(
        self,
        terms: PyTree,
        t0: Any,
        t1: Any,
        y0: PyTree,
        args: Any,
        solver_state: ChebyshevState,
        made_jump: Any,
    ) -> tuple[PyTree, PyTree, dict[str, PyTree], ChebyshevState, Any]:
        """One step from t0 to t1; see `diffrax.AbstractSolver.step`."""
        del made_jump
        length, h = t1 - t0, terms.contr(t0, t1)
        state, probes = self._measured(terms, t0, y0, args, solver_state)
        s = self.stages(jnp.abs(length) * state.radius)
        table = self._table(terms, y0, s)

        def stage(j: Array, carry: tuple[PyTree, PyTree]) -> tuple[PyTree, PyTree]:
            before, last = carry
            F = terms.vf(t0 + table[j - 1, 4] * length, combine((1, y0), (1, last)), args)
            return last, _next(table[j], h, before, last, F, state.field)

        zero = jax.tree.map(jnp.zeros_like, y0)
        first = combine((table[1, 2] * h, state.field))
        increment = jax.lax.fori_loop(2, s + 1, stage, (zero, first))[1]
        y1 = combine((1, y0), (1, increment))
        field = terms.vf(t1, y1, args)
        error = _finite(self.estimate(h, increment, state.field, field))
        dense = {"y0": y0, "y1": y1, "k0": combine((h, state.field)), "k1": combine((h, field))}
        state = state._replace(field=field, age=state.age + 1, evaluations=s + probes)
        return y1, error, dense, state, diffrax.RESULTS.successful

    def first_stage(self, y0: PyTree) -> Stage:
        """Before the first evaluation of the first step."""
        zero = jax.tree.map(jnp.zeros_like, y0)
        return Stage(jnp.asarray(1, jnp.int32), zero, zero)

    def evaluate(
        self,
        terms: PyTree,
        h: Array,
        y0: PyTree,
        args: Any,
        solver_state: ChebyshevState,
        stage: Stage,
    ) -> tuple[Bool[Array, ""], PyTree, PyTree, ChebyshevState, Stage]:
        """One evaluation of the field of a step of length h, for an autonomous problem.

        Lanes side by side take steps of different numbers of stages; evaluation by evaluation,
        none waits for another. Returns whether the step is complete and, if it is, its end and its
        error; then the solver's state, as if the step were kept, and the stage to come.
        """
        j, field = stage.number, solver_state.field
        probing, beginning = j == 0, j <= 1
        s = self.stages(h * solver_state.radius)
        table = self._table(terms, y0, s)
        last = select(beginning, combine((table[1, 2] * h, field)), stage.last)
        before = select(beginning, jax.tree.map(jnp.zeros_like, y0), stage.before)
        if self.probe == "jvp":
            zero = jax.tree.map(jnp.zeros_like, y0)
            y = combine((1, y0), (1, select(probing, zero, last)))
            tangent = select(probing, solver_state.direction, zero)
            F, image = jax.jvp(lambda y: terms.vf(0, y, args), (y,), (tangent,))
        else:
            delta = self._probe_length(y0, args)
            offset = select(probing, combine((delta, solver_state.direction)), last)
            y = combine((1, y0), (1, offset))
            F = terms.vf(0, y, args)
            image = _quotient(F, field, delta)
        found = self._remembered(self._probed(image, args, solver_state), solver_state)
        state = select(probing, found, solver_state)
        complete = ~probing & (j >= s)
        ended = state._replace(field=F, age=state.age + 1)
        coming = Stage(j + 1, last, _next(table[j + 1], h, before, last, F, field))
        fresh = coming._replace(number=jnp.where(self._due(ended), 0, 1).astype(jnp.int32))
        error = _finite(self.estimate(h, last, field, F))
        state, coming = select(complete, (ended, fresh), (state, coming))
        return complete, y, error, state, coming

    def func(self, terms: PyTree, t0: Any, y0: PyTree, args: Any) -> PyTree:
        """The field."""
        return terms.vf(t0, y0, args)

    def _table(self, terms: PyTree, y0: PyTree, s: Array) -> Float[Array, "stages five"]:
        """The coefficients of the s-stage method."""
        made = coefficients(self.order(terms), self.max_stages)
        return jnp.asarray(made, jax.tree.leaves(y0)[0].dtype)[s]

    def _measured(
        self, terms: PyTree, t0: Any, y0: PyTree, args: Any, state: ChebyshevState
    ) -> tuple[ChebyshevState, Array]:
        """The state after the power iterations that are due, and how many they were.

        One with differences; with derivatives until the radius has settled.
        """
        power = lambda state: self._power(terms, t0, y0, args, state)  # noqa: E731
        due = self._due(state)
        if self.probe == "difference":
            found = jax.lax.cond(due, power, lambda state: state, state)
            return self._remembered(found, state), due

        def more(carry: tuple[ChebyshevState, Array, Array]) -> Array:
            _, count, unsettled = carry
            return unsettled & (count < ITERATIONS)

        def once(carry: tuple[ChebyshevState, Array, Array]) -> tuple[ChebyshevState, Array, Array]:
            state, count, _ = carry
            found = power(state)
            unsettled = jnp.abs(found.radius - state.radius) > SETTLED * found.radius
            return found, count + 1, unsettled

        none = jnp.asarray(0, jnp.int32)
        found, count, _ = jax.lax.while_loop(more, once, (state, none, due))
        return self._remembered(found, state), count

    def _power(
        self, terms: PyTree, t0: Any, y0: PyTree, args: Any, state: ChebyshevState
    ) -> ChebyshevState:
        """One power iteration, on (f(y + delta v) - f(y)) / delta or on the derivative."""
        if self.probe == "jvp":
            field = lambda y: terms.vf(t0, y, args)  # noqa: E731
            image = jax.jvp(field, (y0,), (state.direction,))[1]
        else:
            delta = self._probe_length(y0, args)
            moved = terms.vf(t0, combine((1, y0), (delta, state.direction)), args)
            image = _quotient(moved, state.field, delta)
        return self._probed(image, args, state)

    def _probe_length(self, y0: PyTree, args: Any) -> Float[Array, ""]:
        """How far from y0 a difference of the field is taken."""
        size = self.metric.size(y0, args)
        return PROBE * jnp.where(size > 0, size, 1)

    def _probed(self, image: PyTree, args: Any, state: ChebyshevState) -> ChebyshevState:
        """The state after a power iteration that has taken its direction to `image`."""
        radius = self.metric.norm(image, args)
        age = jnp.zeros_like(state.age)
        return state._replace(direction=self._unit(image, args), radius=radius, age=age)

    def _remembered(self, found: ChebyshevState, before: ChebyshevState) -> ChebyshevState:
        """The state after probes, its radius no less than `memory` of the one before them."""
        if not self.memory:
            return found
        known = jnp.where(jnp.isfinite(before.radius), before.radius, 0)
        return found._replace(radius=jnp.maximum(found.radius, self.memory * known))

    def _due(self, state: ChebyshevState) -> Bool[Array, ""]:
        """Whether the step to come begins with a power iteration."""
        return state.age >= EVERY[self.probe]

    def _unit(self, x: PyTree, args: Any) -> PyTree:
        """x over its length; equal entries where x vanishes."""
        size = self.metric.norm(x, args)
        entries = sum(leaf.size for leaf in jax.tree.leaves(x))
        flat = 1 / math.sqrt(entries)
        good = (size > 0) & jnp.isfinite(size)
        return jax.tree.map(lambda leaf: jnp.where(good, leaf / jnp.where(good, size, 1), flat), x)

    def _least(self, s: Float[Array, ""]) -> Int[Array, ""]:
        """s rounded up, between 2 and the most stages there are."""
        s = jnp.where(jnp.isfinite(s), jnp.ceil(s), self.max_stages)
        return jnp.clip(s, 2, self.max_stages).astype(jnp.int32)


class RKC2(_Chebyshev):
    """Runge-Kutta-Chebyshev of order 2, stable over 0.65 (s^2 - 1) with s stages."""

    STABILITY: ClassVar = 0.65

    def order(self, terms: PyTree) -> int:
        """Order 2 in the step."""
        return 2

    def error_order(self, terms: PyTree) -> int:
        """The error estimate of one step is of order 3."""
        return 3

    def stages(self, stiffness: Float[Array, ""]) -> Int[Array, ""]:
        """The least s >= 2 whose stability interval holds h times the spectral radius."""
        return self._least(jnp.sqrt(1 + SAFETY * stiffness / self.STABILITY))

    def longest_step(self, radius: Float[Array, ""]) -> Float[Array, ""]:
        """The longest step that `max_stages` stages keep stable; infinite for radius 0."""
        return self.STABILITY * (self.max_stages**2 - 1) / (SAFETY * radius)

    def estimate(self, h: Any, increment: PyTree, before: PyTree, after: PyTree) -> PyTree:
        """Twelve fifteenths of the third-order term, formula (2.8) of Sommeijer et al."""
        return combine((-0.8, increment), (0.4 * h, before), (0.4 * h, after))


class RKC1(_Chebyshev):
    """Runge-Kutta-Chebyshev of order 1, stable over 1.9 s^2 with s stages."""

    STABILITY: ClassVar = 1.9

    def order(self, terms: PyTree) -> int:
        """Order 1 in the step."""
        return 1

    def error_order(self, terms: PyTree) -> int:
        """The error estimate of one step is of order 2."""
        return 2

    def stages(self, stiffness: Float[Array, ""]) -> Int[Array, ""]:
        """The least s >= 2 whose stability interval holds h times the spectral radius."""
        return self._least(jnp.sqrt(SAFETY * stiffness / self.STABILITY))

    def longest_step(self, radius: Float[Array, ""]) -> Float[Array, ""]:
        """The longest step that `max_stages` stages keep stable; infinite for radius 0."""
        return self.STABILITY * self.max_stages**2 / (SAFETY * radius)

    def estimate(self, h: Any, increment: PyTree, before: PyTree, after: PyTree) -> PyTree:
        """A third of h^2 y'': the method has 1/6 of it where Taylor's series has 1/2."""
        return combine((h / 3, after), (-h / 3, before))


def _quotient(moved: PyTree, field: PyTree, delta: Array) -> PyTree:
    """The difference of the field over a distance delta."""
    return combine((1 / delta, moved), (-1 / delta, field))


def _next(row: Array, h: Any, before: PyTree, last: PyTree, F: PyTree, field: PyTree) -> PyTree:
    """The three-term recursion, written for the increments Y_j - Y_0."""
    mu, nu, weight, weight_first, _ = row
    return combine((mu, last), (nu, before), (weight * h, F), (weight_first * h, field))


def _finite(error: PyTree) -> PyTree:
    """A step into infinity has an infinite error, and is rejected."""
    return jax.tree.map(lambda e: jnp.where(jnp.isfinite(e), e, jnp.inf), error)
