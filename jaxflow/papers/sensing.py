"""How many Gaussian projections tell a matrix of low rank.

D. Amelunxen, M. Lotz, M. McCoy and J. Tropp, "Living on the edge: phase transitions in convex
programs with random data", Information and Inference 3 (2014) 224-294, arXiv 1303.6672.
"""

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from jaxflow.core.checks import whole
from jaxflow.core.errors import mistake


def degrees_of_freedom(d: int, r: int) -> int:
    """r (2d - r), of the d x d matrices of rank r; `ValueError` unless 1 <= r <= d."""
    d, r = whole("d", d, least=1), whole("r", r, least=1)
    if r > d:
        raise mistake(f"a rank of at most {d}", r, "lower it, or raise d")
    return r * (2 * d - r)


def nuclear_norm_threshold(d: int, r: int) -> float:
    """Projections at which the matrix of least nuclear norm is the one of rank r, half the time.

    The statistical dimension of the norm's descent cone, by proposition 4.7 there, with q = d - r:

        min_t r (2d - r) + r q t^2 + q^2 int_t^2 (s - t)^2 sqrt(4 - s^2) ds / pi,

    for d to infinity at a fixed r / d. At finite d the transition is a few projections below it or
    less, for the formula bounds the dimension from above. `ValueError` unless 1 <= r <= d.
    """
    freedom, q = degrees_of_freedom(d, r), d - r

    def beyond(t: float) -> float:
        return quad(lambda s: (s - t) ** 2 * np.sqrt(4 - s * s), t, 2)[0] / np.pi

    found = minimize_scalar(
        lambda t: freedom + r * q * t * t + q * q * beyond(t),
        bounds=(0, 2),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(found.fun)
