"""How many random labels a hyperplane separates, exactly, and with a margin in high dimension.

T. M. Cover, "Geometrical and statistical properties of systems of linear inequalities with
applications in pattern recognition", IEEE Trans. Electronic Computers EC-14 (1965) 326-334,
theorem 1; E. Gardner, "The space of interactions in neural network models", J. Phys. A 21 (1988)
257-270.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, ndtr

from jaxflow.core.checks import Array, wholes


def separable(n: ArrayLike, d: ArrayLike) -> Array:
    """P that n points in general position in R^d, with random signs, lie on their sides of a plane.

    Through the origin: 2^(1-n) sum_{k<d} C(n-1, k), the probability of fewer than d heads in n - 1
    tosses; 1/2 at n = 2d. Whole n >= 1 and d >= 1, of shapes that broadcast.
    """
    n, d = wholes("n", n, least=1), wholes("d", d, least=1)
    return np.where(d >= n, 1.0, bdtr(np.minimum(d, n) - 1, n - 1, 0.5))


def capacity(kappa: ArrayLike) -> Array:
    """Samples a dimension up to which labels have a w with y w.x >= kappa |w|, for d to infinity.

    alpha with 1/alpha the average of (t + kappa)^2 over t > -kappa, t standard normal, which is
    (1 + kappa^2) Phi(kappa) + kappa phi(kappa): 2 at kappa = 0. Of the shape of kappa >= 0; for
    kappa < 0 replicas are not symmetric and this is a bound from above.
    """
    x = np.asarray(kappa, float)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(1 / ((1 + x**2) * ndtr(x) + x * density))
