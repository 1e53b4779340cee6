"""Whether data and first parameters are those of group initialization: `group.py` has the flow."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxflow.core.errors import mistake
from jaxflow.papers.checks import Array, matrix
from jaxflow.papers.group import GroupFlow

TOLERANCE = 1e-5  # relative, of the premises, which float32 data meet


def group_flow(X: ArrayLike, y: ArrayLike, W: ArrayLike, a: ArrayLike) -> GroupFlow:
    """The closed form from inputs X (n, d), labels y (n,) and first parameters W (p, d), a (p,).

    Raises `ValueError` where the shapes do not fit, and where the premises of
    `jaxflow.papers.group` do not hold to a relative precision of 1e-5.
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
