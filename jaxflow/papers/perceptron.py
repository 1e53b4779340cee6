"""How many random labels a hyperplane separates: T. M. Cover, "Geometrical and statistical
properties of systems of linear inequalities with applications in pattern recognition", IEEE Trans.
Electronic Computers EC-14 (1965) 326-334, theorem 1.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from jaxflow.core.checks import Array, wholes


def separable(n: ArrayLike, d: ArrayLike) -> Array:
    """P that n points in general position in R^d, with random signs, lie on their sides of a plane.

    Through the origin: 2^(1-n) sum_{k<d} C(n-1, k), the probability of fewer than d heads in n - 1
    tosses; 1/2 at n = 2d. Whole n >= 1 and d >= 1, of shapes that broadcast.
    """
    n, d = wholes("n", n, least=1), wholes("d", d, least=1)
    return np.where(d >= n, 1.0, bdtr(np.minimum(d, n) - 1, n - 1, 0.5))
