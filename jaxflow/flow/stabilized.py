"""Stabilized explicit Runge-Kutta-Chebyshev methods of order 1 and 2, as diffrax solvers.

With s stages the real stability interval of RKC2 is about 0.65 (s^2 - 1), that of RKC1 1.9 s^2, so
the field evaluations that a stiff problem with a real negative spectrum needs grow like the square
root of its stiffness. A gradient flow is such a problem: the Jacobian of -grad L is symmetric.
The error estimate is that of Sommeijer, Shampine and Verwer (1998), the source of chebyshev.py; the
spectral radius comes from a power iteration, radius.py.
"""

import abc
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxflow.core.errors import mistake
from jaxflow.core.trees import combine, select
from jaxflow.flow.chebyshev import coefficients
from jaxflow.flow.loops import constant, repeat
from jaxflow.flow.radius import (
    EVERY,
    ChebyshevState,
    Euclidean,
    Metric,
    PowerIteration,
    quotient,
)
from jaxflow.flow.terms import Rate, is_of_time, rate_of

SAFETY = 1.15  # on the estimated spectral radius, which approaches the true one from below


class Stage(NamedTuple):
    """A step under way: the stage whose field comes next, and the last two increments."""

    number: Int[Array, ""]  # 0 for a power iteration, s for the end of the step
    before: PyTree
    last: PyTree


class _Chebyshev(diffrax.AbstractAdaptiveSolver):
    """As many stages as the step needs to be stable, each an evaluation of the field.

    For real negative spectra only; works in `diffrax.diffeqsolve` on any PyTree of arrays, real or
    complex, under all its adjoints, and in the lanes of the engine. Backward in time the spectrum
    is positive: the answer is right, the stages bring nothing.

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

    term_structure: ClassVar = diffrax.AbstractTerm
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

    @property
    def power(self) -> PowerIteration:
        """What finds the spectral radius."""
        return PowerIteration(self.metric, self.probe, self.memory)

    def init(self, terms: PyTree, t0: Any, t1: Any, y0: PyTree, args: Any) -> ChebyshevState:
        """Evaluate the field and start the power iteration along it."""
        _, rate = rate_of(terms, t0, t1, args)
        field = rate(t0, y0)
        state = constant(lambda: self.power.start(partial(rate, t0), field, y0, args))
        return state._replace(field=field)

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
        h, rate = rate_of(terms, t0, t1, args)
        stale = made_jump if is_of_time(terms) else True
        field = _fresh(stale, lambda: rate(t0, y0), solver_state.field)
        known = solver_state._replace(field=field)
        state, probes = constant(lambda: self.power.measure(partial(rate, t0), y0, args, known))
        length = jnp.asarray(jnp.abs(t1 - t0), state.radius.dtype)
        s = self.stages(length * state.radius)
        increment = self._increment(rate, t0, t1 - t0, h, y0, field, self._table(terms, y0, s), s)
        y1 = combine((1, y0), (1, increment))
        end = rate(t1, y1)
        error = _finite(self.estimate(h, increment, field, end))
        dense = {"y0": y0, "y1": y1, "k0": combine((h, field)), "k1": combine((h, end))}
        state = state._replace(field=end, age=state.age + 1, evaluations=s + probes)
        return y1, error, dense, state, diffrax.RESULTS.successful

    def _increment(
        self,
        rate: Rate,
        t0: Any,
        length: Any,
        h: Any,
        y0: PyTree,
        field: PyTree,
        table: Float[Array, "stages five"],
        s: Int[Array, ""],
    ) -> PyTree:
        """y1 - y0 after s stages; the field at y0 is `field`."""

        def stage(j: Array, carry: tuple[PyTree, PyTree]) -> tuple[PyTree, PyTree]:
            before, last = carry
            t = t0 + jnp.asarray(table[j - 1, 4], jnp.result_type(length)) * length
            F = rate(t, combine((1, y0), (1, last)))
            return last, _next(table[j], h, before, last, F, field)

        h = jnp.asarray(h, table.dtype)
        zero = jax.tree.map(jnp.zeros_like, y0)
        first = combine((table[1, 2] * h, field))
        return repeat(stage, 2, s + 1, (zero, first), self.max_stages - 1)[1]

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
            delta = self.power.length(y0, args)
            offset = select(probing, combine((delta, solver_state.direction)), last)
            y = combine((1, y0), (1, offset))
            F = terms.vf(0, y, args)
            image = quotient(F, field, delta)
        found = self.power.remembered(self.power.probed(image, args, solver_state), solver_state)
        state = select(probing, found, solver_state)
        complete = ~probing & (j >= s)
        ended = state._replace(field=F, age=state.age + 1)
        coming = Stage(j + 1, last, _next(table[j + 1], h, before, last, F, field))
        fresh = coming._replace(number=jnp.where(self.power.due(ended), 0, 1).astype(jnp.int32))
        error = _finite(self.estimate(h, last, field, F))
        state, coming = select(complete, (ended, fresh), (state, coming))
        return complete, y, error, state, coming

    def func(self, terms: PyTree, t0: Any, y0: PyTree, args: Any) -> PyTree:
        """The field."""
        return terms.vf(t0, y0, args)

    def _table(self, terms: PyTree, y0: PyTree, s: Array) -> Float[Array, "stages five"]:
        """The coefficients of the s-stage method, in the precision of the state's finest part."""
        made = coefficients(self.order(terms), self.max_stages)
        finest = jnp.result_type(*jax.tree.leaves(y0) or [float])
        return jnp.asarray(made, jnp.finfo(finest).dtype)[s]

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


def _next(row: Array, h: Any, before: PyTree, last: PyTree, F: PyTree, field: PyTree) -> PyTree:
    """The three-term recursion, written for the increments Y_j - Y_0."""
    mu, nu, weight, weight_first, _ = row
    return combine((mu, last), (nu, before), (weight * h, F), (weight_first * h, field))


def _finite(error: PyTree) -> PyTree:
    """A step into infinity has an infinite error, and is rejected."""
    return jax.tree.map(lambda e: jnp.where(jnp.isfinite(e), e, jnp.inf), error)


def _fresh(stale: Any, make: Callable[[], PyTree], kept: PyTree) -> PyTree:
    """What is kept, or made anew where it is stale."""
    if isinstance(stale, bool):
        return make() if stale else kept
    return jax.lax.cond(stale, make, lambda: kept)
