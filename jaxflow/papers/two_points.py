"""Two points that a network fits, or not, by the size of one output: Assumption 1 is needed.

    x_1 = e_1, x_2 = e_2,  y = (1, -1),  w_1 = (0.1, 2), w_2 = (-0.5, 0.5),  a = (a_1, -1),

with h(x) = (1/p) sum_j a_j relu(w_j.x), n = p = 2, and the flow theta' = -kappa grad L, kappa = p.
Only neuron 1 sees x_1. The label of x_2, which it sees far better, drives a_1 down. Where
Assumption 1 of arXiv 2502.16977, |a_j| >= |w_j|, holds of it, a_1 keeps its sign (lemma 1 there)
and both points are fitted. Where a_1 crosses zero, h(x_1) <= 0 from then on: neuron 1 turns from
x_1 and dies on it, r_1 = 1 stays, and the loss sticks at r_1^2 / 2n = 1/4.

The assumption is sufficient, not necessary: the flow parts at `CRITICAL`, well below
|w_1| = 2.0025.
"""

from dataclasses import dataclass

import numpy as np

from jaxflow.core.checks import Array

CRITICAL = 0.688836  # by bisection on accurate solutions of the flow, to the digits given


@dataclass(frozen=True)
class TwoPoints:
    """The data, the first parameters at this a_1, and where the flow from them ends."""

    a_1: float

    @property
    def X(self) -> Array:  # noqa: N802
        """Inputs (2, 2), a row a point."""
        return np.eye(2)

    @property
    def y(self) -> Array:
        """Labels (2,)."""
        return np.array([1.0, -1.0])

    @property
    def W(self) -> Array:  # noqa: N802
        """Hidden weights (2, 2), a row a neuron."""
        return np.array([[0.1, 2.0], [-0.5, 0.5]])

    @property
    def a(self) -> Array:
        """Output weights (2,)."""
        return np.array([self.a_1, -1.0])

    @property
    def dominated(self) -> bool:
        """Whether Assumption 1, |a_j| >= |w_j|, holds."""
        return bool(np.all(np.abs(self.a) >= np.linalg.norm(self.W, axis=1)))

    @property
    def fitted(self) -> bool:
        """Whether a_1 > 0 for ever, so that the loss goes to 0."""
        return self.a_1 > CRITICAL

    @property
    def final_loss(self) -> float:
        """The limit of L as t grows: 0 or 1/4."""
        return 0.0 if self.fitted else 0.25
