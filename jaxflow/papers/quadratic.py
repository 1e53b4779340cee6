"""Distances and Hessians of quadratic networks, which are the same after a rotation of neurons.

Teacher y_i = |V x_i|^2 and student |W x_i|^2, with V and W (r, d), in the setting of arXiv
1907.06594. Q W, with Q orthogonal (r, r), gives the same outputs as W: what identifies a student is
W^T W, and the directions A W, A antisymmetric, change nothing. With residuals
e_i = |W x_i|^2 - y_i, the loss there and its Hessian applied to a direction U (r, d) are

    L = (1/4m) sum_i e_i^2
    d^2L [U] = (1/m) sum_i [e_i U x_i x_i^T + 2 (W x_i . U x_i) W x_i x_i^T].

The loss (1/2n) sum_i e_i^2 of the rest of this package is twice that one: so are its Hessian and
its rates in flow time, and a step of descent on it is a step of twice the size on L.

`RECOVERIES` are counts of recovered teachers in that setting, whose own are not at hand: of an
independent loop of the descent described there, with teacher and student of width r, entries of
both N(0, 1/d), step 0.1 / sqrt(r) on L, recovered at a relative error below 1e-6 within 3000 steps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.checks import Array, matrix, positives, wholes
from jaxflow.core.errors import mistake

SADDLE_GROWTH = 2.0  # of overlaps with the teacher, by the flow of E L; in inverse flow time
NEGLIGIBLE = 1e-10  # of the largest singular value of the rotations' directions


class RecoveryCounts(NamedTuple):
    """How many of the trials recovered the teacher, by m/(d r)."""

    d: int
    r: int
    recovered: dict[float, int]
    trials: int = 5
    source: str = "in the setting of arXiv 1907.06594"


RECOVERIES = (
    RecoveryCounts(50, 1, {3: 0, 4: 2, 6: 5, 10: 5}),
    RecoveryCounts(50, 2, {3: 5, 4: 5, 6: 5, 10: 5}),
    RecoveryCounts(50, 5, {3: 5, 4: 5, 6: 5, 10: 5}),
    RecoveryCounts(100, 1, {3: 0, 4: 1, 6: 5, 10: 5}),
    RecoveryCounts(100, 2, {3: 3, 4: 4, 6: 5, 10: 5}),
    RecoveryCounts(100, 5, {3: 5, 4: 5, 6: 5, 10: 5}),
)


def recoveries_at(d: int, r: int) -> RecoveryCounts | None:
    """The counts at this d and r, if there are some."""
    found = [counts for counts in RECOVERIES if (counts.d, counts.r) == (d, r)]
    return found[0] if found else None


def procrustes_distance(W: ArrayLike, V: ArrayLike) -> Array:
    """min over orthogonal Q of |Q W - V|_F / |V|_F, of W and V (..., r, d): shape (...).

    Q = A B^T, with A S B^T the singular value decomposition of V W^T (P. H. Schönemann, "A
    generalized solution of the orthogonal Procrustes problem", Psychometrika 31 (1966) 1-10).
    Raises `ValueError` if the shapes do not fit or V = 0.
    """
    student, teacher = _pair(W, V)
    A, _, Bt = np.linalg.svd(teacher @ student.mT)
    return _relative(A @ Bt @ student - teacher, teacher)


def matrix_error(W: ArrayLike, V: ArrayLike) -> Array:
    """|W^T W - V^T V|_F / |V^T V|_F of W and V (..., r, d): shape (...).

    Raises `ValueError` if the shapes do not fit or V = 0.
    """
    student, teacher = _pair(W, V)
    target = teacher.mT @ teacher
    return _relative(student.mT @ student - target, target)


def rotation_dimension(r: ArrayLike) -> Array:
    """r (r - 1) / 2, the dimension of the directions A W at a W of rank r, in the shape of r."""
    width = wholes("r", r, least=1)
    return width * (width - 1) / 2


def quadratic_hessian(W: ArrayLike, X: ArrayLike, y: ArrayLike, U: ArrayLike) -> Array:
    """d^2L at W (r, d) applied to U (r, d): shape (r, d), for X (m, d) and y (m,).

    Raises `ValueError` if the shapes do not fit. Source: module docstring.
    """
    W, X, y = _problem(W, X, y)
    direction, _ = _pair(U, W)
    Z, moved = X @ W.T, X @ direction.T
    e = np.sum(Z**2, axis=1) - y
    weights = e[:, None] * moved + 2 * np.sum(Z * moved, axis=1, keepdims=True) * Z
    return weights.T @ X / len(X)


def quadratic_extremes(W: ArrayLike, X: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """The smallest and largest eigenvalue of d^2L at W (r, d), orthogonally to the directions A W.

    That is the Hessian of L as a function of W^T W, on the quotient by rotations: positive definite
    where the loss is locally strongly convex. Dense: the memory of m r d + (r d)^2 numbers and the
    time of (r d)^3. Raises `ValueError` if the shapes do not fit.
    """
    W, X, y = _problem(W, X, y)
    r, d = W.shape
    Z = X @ W.T
    e = np.sum(Z**2, axis=1) - y
    gradients = np.reshape(Z[:, :, None] * X[:, None, :], (len(X), r * d))
    H = np.kron(np.eye(r), X.T @ (e[:, None] * X)) + 2 * gradients.T @ gradients
    directions = _orthogonal_to_rotations(W)
    values = np.linalg.eigvalsh(directions.T @ H @ directions / len(X))
    return float(values[0]), float(values[-1])


def population_gradient(W: ArrayLike, V: ArrayLike) -> Array:
    """The gradient of E L at W (..., r, d) over samples x ~ N(0, I): in its shape.

    With D = W^T W - V^T V, E e^2 = (tr D)^2 + 2 |D|_F^2, so E L = (tr D)^2 / 4 + |D|_F^2 / 2 and
    its gradient is tr(D) W + 2 W D. Let V have orthonormal rows. Where those of W are orthogonal to
    them and to each other their norms settle at |w_j|^2 = r / (r + 2): a saddle, with D = -1 on the
    rows of V, from which the overlaps W V^T grow like exp(SADDLE_GROWTH t), for every r. A random
    start has overlaps of 1/sqrt(d), and leaves the saddle after log(d) / (2 SADDLE_GROWTH) and some
    time that d does not change. Raises `ValueError` if the shapes do not fit.
    """
    student, teacher = _pair(W, V)
    D = student.mT @ student - teacher.mT @ teacher
    trace = np.trace(D, axis1=-2, axis2=-1)[..., None, None]
    return np.asarray(trace * student + 2 * student @ D)


def _orthogonal_to_rotations(W: Array) -> Array:
    """A basis (r d, k) of the directions that are orthogonal to every A W."""
    r, d = W.shape
    rows, columns = np.triu_indices(r, 1)
    moved = np.zeros((len(rows), r, d))
    index = np.arange(len(rows))
    moved[index, rows], moved[index, columns] = W[columns], -W[rows]
    if not len(rows):
        return np.eye(d)
    basis, sizes, _ = np.linalg.svd(moved.reshape(len(rows), r * d).T)
    return basis[:, np.sum(sizes > NEGLIGIBLE * sizes[0]) :]


def _relative(error: Array, target: Array) -> Array:
    size, scale = (np.linalg.norm(M, axis=(-2, -1)) for M in (error, target))
    return np.asarray(size / positives("norm of V", scale))


def _pair(W: ArrayLike, V: ArrayLike) -> tuple[Array, Array]:
    first, second = matrix("W", W), matrix("V", V)
    if first.shape[-2:] != second.shape[-2:]:
        raise mistake("two matrices of one shape (r, d)", (first.shape, second.shape), "match them")
    return first, second


def _problem(W: ArrayLike, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array, Array]:
    weights, inputs, labels = matrix("W", W), matrix("X", X), np.asarray(y, float)
    shapes = (weights.shape, inputs.shape, labels.shape)
    m, d = inputs.shape[0], weights.shape[-1]
    if weights.ndim > 2 or shapes[1:] != ((m, d), (m,)):
        raise mistake("W (r, d), X (m, d) and y (m,)", shapes, "match r, d and m")
    return weights, inputs, labels
