"""RKC2: a stabilized explicit Runge-Kutta-Chebyshev method of order 2, as a diffrax solver.

With s stages its real stability interval is about 0.65 (s^2 - 1), so the field evaluations that
a stiff problem with a real negative spectrum needs grow like the square root of its stiffness.
A gradient flow is such a problem: the Jacobian of -grad L is symmetric. Formulas (2.1)-(2.6) and
the error estimate of Sommeijer, Shampine and Verwer, "RKC: an explicit solver for parabolic
PDEs", J. Comput. Appl. Math. 88 (1998). The spectral radius comes from a power iteration on
differences of the field, carried from step to step and advanced by one iteration each.
"""

from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from jaxflow._errors import mistake
from jaxflow._tree import combine, norm

DAMPING = 2 / 13
STABILITY = 0.65  # beta(s) >= STABILITY (s^2 - 1) for s >= 2
SAFETY = 1.15  # on the estimated spectral radius, which approaches the true one from below
FIRST_ITERATIONS = 8  # of the power method, before the first step


class RKC2State(NamedTuple):
    """What one step hands to the next."""

    field: PyTree  # at the start of the step to come
    direction: PyTree  # unit vector, the power iteration's last
    radius: Float[Array, ""]  # spectral radius, an estimate from below
    stages: Int[Array, ""]  # of the last step


@lru_cache
def coefficients(max_stages: int) -> np.ndarray:
    """mu, nu, mu~, gamma~ and c of every method, an array (max_stages + 1, max_stages + 1, 5).

    Entry [s, j] holds the coefficients of stage j of the s-stage method, in float64.
    """
    table = np.zeros((max_stages + 1, max_stages + 1, 5))
    for s in range(2, max_stages + 1):
        w0 = 1 + DAMPING / s**2
        T, T1, T2 = _chebyshev(s, w0)
        w1 = T1[s] / T2[s]
        b = np.empty(s + 1)
        b[2:] = T2[2:] / T1[2:] ** 2
        b[:2] = b[2]
        a = 1 - b * T
        j = np.arange(2, s + 1)
        c = np.empty(s + 1)
        c[2:] = w1 * T2[2:] / T1[2:]
        c[0], c[1] = 0, c[2] / T1[2]
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


class RKC2(diffrax.AbstractAdaptiveSolver):
    """Runge-Kutta-Chebyshev, order 2, with as many stages as the step needs to be stable.

    For real negative spectra only; works in `diffrax.diffeqsolve` on any PyTree of real arrays
    and in the lanes of the engine. A step costs `stages + 1` evaluations of the field.
    """

    max_stages: int = eqx.field(static=True, default=64)

    term_structure: ClassVar = diffrax.ODETerm
    interpolation_cls: ClassVar = diffrax.ThirdOrderHermitePolynomialInterpolation

    def __check_init__(self) -> None:
        if self.max_stages < 2:
            raise mistake("max_stages >= 2", self.max_stages, "allow at least two stages")

    def order(self, terms: PyTree) -> int:
        """Order 2 in the step."""
        return 2

    def error_order(self, terms: PyTree) -> int:
        """The error estimate of one step is of order 3."""
        return 3

    def init(self, terms: PyTree, t0: Any, t1: Any, y0: PyTree, args: Any) -> RKC2State:
        """Evaluate the field and start the power iteration along it."""
        field = terms.vf(t0, y0, args)
        start = jnp.zeros_like(norm(y0))
        state = RKC2State(field, _unit(field), start, jnp.asarray(0, jnp.int32))
        power = lambda _, state: self._power(terms, t0, y0, args, state)  # noqa: E731
        return jax.lax.fori_loop(0, FIRST_ITERATIONS, power, state)

    def step(
        self,
        terms: PyTree,
        t0: Any,
        t1: Any,
        y0: PyTree,
        args: Any,
        solver_state: RKC2State,
        made_jump: Any,
    ) -> tuple[PyTree, PyTree, dict[str, PyTree], RKC2State, Any]:
        """One step from t0 to t1; see `diffrax.AbstractSolver.step`."""
        del made_jump
        h = t1 - t0
        state = self._power(terms, t0, y0, args, solver_state)
        s = self.stages(h * state.radius)
        increment = self._increment(terms, t0, h, y0, args, state.field, s)
        y1 = combine((1, y0), (1, increment))
        field = terms.vf(t1, y1, args)
        error = combine((-0.8, increment), (0.4 * h, state.field), (0.4 * h, field))
        error = jax.tree.map(lambda e: jnp.where(jnp.isfinite(e), e, jnp.inf), error)
        dense = {"y0": y0, "y1": y1, "k0": combine((h, state.field)), "k1": combine((h, field))}
        return y1, error, dense, state._replace(field=field, stages=s), diffrax.RESULTS.successful

    def func(self, terms: PyTree, t0: Any, y0: PyTree, args: Any) -> PyTree:
        """The field."""
        return terms.vf(t0, y0, args)

    def stages(self, stiffness: Float[Array, ""]) -> Int[Array, ""]:
        """The least s >= 2 whose stability interval holds h times the spectral radius."""
        s = jnp.ceil(jnp.sqrt(1 + SAFETY * stiffness / STABILITY))
        s = jnp.where(jnp.isfinite(s), s, self.max_stages)
        return jnp.clip(s, 2, self.max_stages).astype(jnp.int32)

    def _increment(
        self, terms: PyTree, t0: Any, h: Any, y0: PyTree, args: Any, field: PyTree, s: Array
    ) -> PyTree:
        """Y_s - Y_0 by the three-term recursion, written for the differences Y_j - Y_0."""
        table = jnp.asarray(coefficients(self.max_stages), norm(y0).dtype)[s]
        first = combine((table[1, 2] * h, field))

        def stage(j: Array, carry: tuple[PyTree, PyTree]) -> tuple[PyTree, PyTree]:
            before, last = carry
            mu, nu, weight, weight_first, _ = table[j]
            F = terms.vf(t0 + table[j - 1, 4] * h, combine((1, y0), (1, last)), args)
            return last, combine(
                (mu, last), (nu, before), (weight * h, F), (weight_first * h, field)
            )

        zero = jax.tree.map(jnp.zeros_like, y0)
        return jax.lax.fori_loop(2, s + 1, stage, (zero, first))[1]

    def _power(self, terms: PyTree, t0: Any, y0: PyTree, args: Any, state: RKC2State) -> RKC2State:
        """One power iteration on (f(y + delta v) - f(y)) / delta."""
        size = norm(y0)
        delta = jnp.sqrt(jnp.finfo(size.dtype).eps) * jnp.maximum(size, 1)
        moved = terms.vf(t0, combine((1, y0), (delta, state.direction)), args)
        image = combine((1 / delta, moved), (-1 / delta, state.field))
        return state._replace(direction=_unit(image), radius=norm(image))


def _unit(x: PyTree) -> PyTree:
    """x over its norm; equal entries where x vanishes."""
    size = norm(x)
    entries = sum(leaf.size for leaf in jax.tree.leaves(x))
    flat = 1 / np.sqrt(entries)
    good = (size > 0) & jnp.isfinite(size)
    return jax.tree.map(lambda leaf: jnp.where(good, leaf / jnp.where(good, size, 1), flat), x)
