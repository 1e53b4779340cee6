"""The flow from group initialization in closed form, on orthonormal inputs.

Each of p neurons is active exactly on its group G_j of samples, whose labels have the sign of a_j;
w_j lies in the span of the group's inputs, and |a_j| = |w_j|. Groups then move independently. Let
D = |sum_{i in G_j} y_i x_i|, c the cosine between sign(a_j) w_j and that sum, u = |a_j| |w_j|, and
x = u / (p D), which is 1 when the group is fitted. Along the flow theta' = -kappa grad L of
h(x) = (1/p) sum_j a_j sigma(w_j.x), kappa = p, in the time tau = t D / n,

    dc/dtau = 1 - c^2,  dx/dtau = 2 x (c - x),  L_j = D^2 / (2n) [(c - x)^2 + 1 - c^2].

The first is solved by a hyperbolic tangent; the second is a Bernoulli equation, linear in 1/x: with
g = cosh tau + c0 sinh tau and S = int_0^tau g^2,

    c = (sinh tau + c0 cosh tau) / g,  x = x0 g^2 / (1 + 2 x0 S).

It follows that each group's local PL curvature is, all along,

    mu_j = -L_j' / L_j = (2 x D / n) [1 + (c - x)^2 / ((c - x)^2 + 1 - c^2)],

between 2 x D / n and 4 x D / n. All growing exponentials are divided out here, with
E = exp(-2 tau): 1 - c = O(E) and 1 - x = O(E) keep their relative precision at any tau.

The setting, the transition times and the limit are of arXiv 2502.16977, where time is that of
theta' = -grad L: p times this one.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.checks import Array, fractions, matrix, nonnegatives, positives
from jaxflow.core.errors import mistake

BISECTIONS = 64
TOLERANCE = 1e-5  # relative, of the premises of `group_flow`, which float32 data meet


class _State(NamedTuple):
    """Every group at times tau (..., p), with the parts of the loss divided by E^2 and by E."""

    tau: Array
    E: Array
    c: Array
    x: Array
    along: Array  # (c - x)^2 / E^2
    across: Array  # (1 - c^2) / E


@dataclass(frozen=True, eq=False)
class GroupFlow:
    """n samples in p groups: D, u0 and c0 (p,), of every group, as the module docstring has them.

    Times are flow times t >= 0 of theta' = -kappa grad L, in any shape (...); what is told of
    every group has the shape (..., p). Raises `ValueError` unless n, D, u0 > 0 and 0 < c0 <= 1.
    """

    n: float
    D: Array
    u0: Array
    c0: Array

    def __post_init__(self) -> None:
        positives("n", self.n)
        for name in ("D", "u0", "c0"):
            object.__setattr__(self, name, positives(name, getattr(self, name)))
        shapes = [self.D.shape, self.u0.shape, self.c0.shape]
        if len(set(shapes)) > 1 or self.D.ndim != 1 or not self.D.size:
            raise mistake("D, u0 and c0 of one shape (p,)", shapes, "give one of each a group")
        if np.any(self.c0 > 1):
            raise mistake("cosines c0 <= 1", float(self.c0.max()), "correct c0")

    @property
    def p(self) -> int:
        """The number of groups, each with its neuron."""
        return len(self.D)

    def cosines(self, t: ArrayLike) -> Array:
        """c of every group."""
        return self._at(t).c

    def products(self, t: ArrayLike) -> Array:
        """u = |a_j| |w_j| of every neuron."""
        return self.p * self.D * self._at(t).x

    def losses(self, t: ArrayLike) -> Array:
        """L_j, the part of every group in L."""
        return np.exp(self._log_losses(self._at(t)))

    def loss(self, t: ArrayLike) -> Array:
        """L, in the shape of t."""
        return np.sum(self.losses(t), axis=-1)

    def curvatures(self, t: ArrayLike) -> Array:
        """mu_j = -L_j'/L_j of every group, in inverse flow time."""
        return self._curvatures(self._at(t))

    def curvature(self, t: ArrayLike) -> Array:
        """mu = -L'/L, in inverse flow time and the shape of t: the mean of mu_j weighted by L_j.

        Also where L is too small for a float64; nan if every group is fitted from the start.
        """
        state = self._at(t)
        logs = self._log_losses(state)
        with np.errstate(invalid="ignore"):
            weights = np.exp(logs - np.max(logs, axis=-1, keepdims=True))
        return np.sum(weights * self._curvatures(state), axis=-1) / np.sum(weights, axis=-1)

    @property
    def curvature_limits(self) -> tuple[Array, Array]:
        """2 D / n and 4 D / n (p,): what mu_j tends to if c0 < 1, and if c0 = 1."""
        return 2 * self.D / self.n, 4 * self.D / self.n

    @property
    def transition_times(self) -> Array:
        """t_n^j = (n / 2D) log(p D) (p,), about which each loss falls as n grows."""
        return self.n / (2 * self.D) * np.log(self.p * self.D)

    def staircase(self, t: ArrayLike) -> Array:
        """The limit of L as n grows, in the shape of t: D^2 / (2n) of the groups with t < t_n^j."""
        waiting = nonnegatives("t", t)[..., None] < self.transition_times
        return np.sum(waiting * self.D**2, axis=-1) / (2 * self.n)

    def fall_times(self, fallen: float) -> Array:
        """When the loss of every group has fallen by the fraction `fallen` of L_j(0), (p,).

        Raises `ValueError` unless 0 < fallen < 1.
        """
        level = np.log1p(-fractions("fallen", fallen)) + self._log_losses(self._at(0.0))
        low, high = np.zeros(self.p), np.ones(self.p)
        while np.any(above := self._log_losses(self._state(high)) > level):
            high = np.where(above, 2 * high, high)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            above = self._log_losses(self._state(middle)) > level
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return (low + high) / 2 * self.n / self.D

    @property
    def widths(self) -> Array:
        """How long each step of L lasts (p,): from 10 % to 90 % of the fall of L_j.

        As n grows, (n / 2D) log((sqrt(10) - 1) / (sqrt(10/9) - 1)) = 1.84 n / D: the part
        3.69 / log(p D) of t_n^j.
        """
        return self.fall_times(0.9) - self.fall_times(0.1)

    def _at(self, t: ArrayLike) -> _State:
        return self._state(nonnegatives("t", t)[..., None] * (self.D / self.n))

    def _state(self, tau: Array) -> _State:
        c0, x0 = self.c0, self.u0 / (self.p * self.D)
        E, risen = np.exp(-2 * tau), -np.expm1(-2 * tau)
        spread = (1 - c0) * (1 + c0)
        g = (1 + c0 + (1 - c0) * E) / 2  # the g of the equations, times exp(-tau)
        S = spread * tau * E / 2 - (1 + c0**2) * np.expm1(-4 * tau) / 8 + c0 * risen**2 / 4
        scale = E + 2 * x0 * S
        lag = spread * tau - ((1 - c0) ** 2 * E + 1 + 2 * c0 - c0**2) / 2  # 2 S - g^2, unscaled
        askew, short = (1 - c0) / g, (1 + x0 * lag) / scale  # (1 - c) / E and (1 - x) / E
        return _State(
            tau=tau,
            E=E,
            c=(risen + c0 * (1 + E)) / (2 * g),
            x=x0 * g**2 / scale,
            along=(short - askew) ** 2,
            across=askew * (2 - E * askew),
        )

    def _log_losses(self, state: _State) -> Array:
        log_E = -2 * state.tau  # E itself may underflow
        with np.errstate(divide="ignore"):
            skew = log_E + np.log(state.E * state.along + state.across)
            aligned = 2 * log_E + np.log(state.along)
        relative = np.where(state.across > 0, skew, aligned)
        return np.log(self.D**2 / (2 * self.n)) + relative

    def _curvatures(self, state: _State) -> Array:
        along = state.E * state.along
        with np.errstate(invalid="ignore"):
            share = np.where(state.across > 0, along / (along + state.across), 1)
        return 2 * state.x * self.D / self.n * (1 + share)


def group_count(n: int, alpha: float) -> int:
    """n^{2 alpha - 1} to the nearest: the groups, and so the width, of `group_size`."""
    return round(n / float(group_size(n, alpha)))


def group_size(n: ArrayLike, alpha: ArrayLike) -> Array:
    """n^{2 (1 - alpha)}: groups of this size, and labels of order 1, give rates of order n^-alpha.

    With |y_i| = 1, D = n^{1 - alpha} and the limits of mu are 2 n^-alpha and 4 n^-alpha. At
    alpha = 1/2 there is one group, at alpha = 1 a neuron for every sample. n and alpha broadcast.
    Raises `ValueError` unless n > 0 and 1/2 <= alpha <= 1.
    """
    exponent = positives("alpha", alpha)
    if np.any((exponent < 0.5) | (exponent > 1)):
        raise mistake("1/2 <= alpha <= 1", "others", "choose a rate between 1/n and 1/sqrt(n)")
    return np.asarray(positives("n", n) ** (2 * (1 - exponent)))


def group_flow(X: ArrayLike, y: ArrayLike, W: ArrayLike, a: ArrayLike) -> GroupFlow:
    """The closed form from inputs X (n, d), labels y (n,) and first parameters W (p, d), a (p,).

    Raises `ValueError` where the shapes do not fit, and where the premises of
    the module docstring do not hold to a relative precision of 1e-5.
    """
    X, W = matrix("X", X), matrix("W", W)
    y, a = np.asarray(y, float), np.asarray(a, float)
    shapes = (X.shape, y.shape, W.shape, a.shape)
    if shapes != ((len(X), X.shape[1]), (len(X),), (len(W), X.shape[1]), (len(W),)):
        raise mistake("X (n, d), y (n,), W (p, d) and a (p,)", shapes, "match n, d and p")
    Z, squares = X @ W.T, np.sum(W**2, axis=1)
    member = np.sqrt(squares) * TOLERANCE < Z
    premises = {
        "orthonormal inputs": np.abs(X @ X.T - np.eye(len(X))) < TOLERANCE,
        "one active neuron a sample": member.sum(axis=1) == 1,
        "a group for each neuron": member.any(axis=0),
        "labels of the sign of their neuron's output": ~member | (y[:, None] * a > 0),
        "w_j in the span of its group": _near(np.sum(member * Z**2, axis=0), squares),
        "|a_j| = |w_j|": _near(a**2, squares),
    }
    for premise, holds in premises.items():
        if not np.all(holds):
            raise mistake(premise, "others", "start from the group initialization")
    D = np.sqrt(np.sum(member * y[:, None] ** 2, axis=0))
    c0 = np.sum(member * np.abs(y)[:, None] * Z, axis=0) / (D * np.sqrt(squares))
    return GroupFlow(len(y), D, squares, np.minimum(c0, 1))


def _near(value: Array, expected: Array) -> NDArray[np.bool_]:
    return np.abs(value - expected) < TOLERANCE * expected
