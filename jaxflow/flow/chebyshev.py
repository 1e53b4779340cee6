"""Coefficients of the Runge-Kutta-Chebyshev methods of order 1 and 2, for every number of stages.

Formulas (2.1)-(2.6) of Sommeijer, Shampine and Verwer, "RKC: an explicit solver for parabolic
PDEs", J. Comput. Appl. Math. 88 (1998), and the first-order method of van der Houwen and Sommeijer
(1980) in the same form.
"""

from functools import lru_cache

import numpy as np

DAMPING = {1: 0.05, 2: 2 / 13}


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
