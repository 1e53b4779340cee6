"""The kernel of a wide ReLU network, and the bounds it gives when the first layer is trained.

f(x) = (1/sqrt(p)) sum_j a_j relu(w_j.x), w_j ~ N(0, I), a_j = +-1 and not trained, |x_i| = 1. As p
grows, the kernel of the outputs tends to

    H_ik = x_i.x_k P(w.x_i > 0, w.x_k > 0) = x_i.x_k (pi - arccos(x_i.x_k)) / (2 pi),

whose least eigenvalue lambda_0 is positive if no two inputs are parallel.

Units. arXiv 1810.02054 takes the loss (1/2) sum_i r_i^2; here L = (1/2n) sum_i r_i^2, and the flow
is theta' = -grad L (kappa = 1). So a flow time t here is a time t/n there, a step s of descent on L
is a step s/n there, and r' = -(H/n) r in the limit: every rate below has a 1/n that the paper's has
not. The bounds hold with probability 1 - delta once p is of the order of `lazy_width`.

Numbers. The experiment there trains n = 1000 inputs in d = 1000 dimensions for 100 epochs; the
widths, the step and the numbers behind its three plots are not published. `ONE_TRIAL` are numbers
of that setting from a run of a single seed that shares no code with this package, with half a unit
as the step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.checks import Array, fractions, matrix, nonnegatives, positives, wholes
from jaxflow.core.errors import mistake

SOURCE = "arXiv 1810.02054"
ONE_TRIAL_SOURCE = f"one trial in the setting of {SOURCE}, step 0.5"

SAMPLES = DIMENSION = 1000
EPOCHS = 100
EXPONENT = 6  # of n in the width that theorem 3.2 asks for, n^6 / lambda_0^4


@dataclass(frozen=True)
class OneTrial:
    """One trial: the paper's loss, (1/2) sum r^2, part of the signs flipped, max |w - w(0)|."""

    p: int
    loss: float  # after 10 steps
    flips: float  # after 100 steps
    distance: float
    remark: str = ""


ONE_TRIAL = (
    OneTrial(1000, 17.2, 0.023, 2.32, "that trial began at a loss of 1047, the mean is 750"),
    OneTrial(4000, 13.6, 0.011, 1.04),
)
LAMBDA_0, LAMBDA_MAX = 0.246, 1.246  # extreme eigenvalues of H of one draw at n = d = 1000

TOLERANCE = 1e-5  # of |x_i|^2 = 1, which float32 inputs meet
ROUNDING = 1e-5  # of a loss in float32


def infinite_kernel(X: ArrayLike) -> Array:
    """H (n, n) of unit inputs X (n, d).

    Raises `ValueError` unless the rows have norm 1, to float32 precision. Source: arXiv 1810.02054,
    assumption 3.1.
    """
    gram = _gram(X)
    return gram * (np.pi - np.arccos(gram)) / (2 * np.pi)


def sampled_kernel(X: ArrayLike, p: int, *, seed: int = 0) -> tuple[Array, Array]:
    """H (n, n) of unit inputs X (n, d) from p draws of w ~ N(0, I), and its standard errors (n, n).

    It is the kernel of one network of width p at its start. Raises `ValueError` unless the rows
    have norm 1, as for `infinite_kernel`, and p >= 1.
    """
    inputs, width = matrix("X", X), int(wholes("p", p, least=1))
    gram = _gram(inputs)
    W = np.random.default_rng(seed).standard_normal((width, inputs.shape[1]))
    active = (inputs @ W.T > 0).astype(float)
    together = active @ active.T / width
    return gram * together, np.abs(gram) * np.sqrt(together * (1 - together) / width)


def kernel_extremes(X: ArrayLike) -> tuple[float, float]:
    """lambda_0 = lambda_min and lambda_max of `infinite_kernel`: all eigenvalues, 4/3 n^3 flops."""
    values = np.linalg.eigvalsh(infinite_kernel(X))
    return float(values[0]), float(values[-1])


def lazy_loss_bound(t: ArrayLike, n: ArrayLike, lambda_0: ArrayLike) -> Array:
    """Bound exp(-lambda_0 t / n) on L(t) / L(0) at the flow time t; arguments broadcast.

    Half the rate of the limit, as the kernel may lose half of lambda_0 on the way. Source: arXiv
    1810.02054, theorem 3.2; units in the module docstring. Raises `ValueError` unless t >= 0,
    n >= 1 and lambda_0 > 0.
    """
    rate = positives("lambda_0", lambda_0) / wholes("n", n, least=1)
    return np.exp(-rate * nonnegatives("t", t))


def keeps_to_lazy_bound(
    t: ArrayLike, loss: ArrayLike, n: int, lambda_0: float, *, folds: float = np.inf
) -> bool:
    """Whether a recorded loss keeps to `lazy_loss_bound` until the bound has fallen to e^-folds.

    The loss (k,) is that of a flow at the ascending flow times t (k,), the first of them 0. It
    never grows, so after the last of them it counts as it was there. Raises `ValueError` unless
    the two have one length, t ascends from 0, the first loss is positive and folds > 0.
    """
    times, losses = nonnegatives("t", t), nonnegatives("loss", loss)
    if times.ndim != 1 or times.shape != losses.shape or not len(times):
        got = (times.shape, losses.shape)
        raise mistake("t and loss of one length", got, "give one of each")
    if times[0] != 0 or np.any(np.diff(times) < 0) or losses[0] == 0:
        raise mistake("a positive loss from t = 0 on", times[0], "record the start of the flow")
    if not folds > 0:
        raise mistake("folds > 0", folds, "let the bound fall")
    end = folds * n / float(positives("lambda_0", lambda_0))
    if times[-1] < end < np.inf:
        times, losses = np.append(times, end), np.append(losses, losses[-1])
    bound = lazy_loss_bound(times, n, lambda_0)
    kept = losses <= losses[0] * bound * (1 + ROUNDING)
    return bool(np.all(kept[times <= end]))


def lazy_descent_bound(k: ArrayLike, step: ArrayLike, n: ArrayLike, lambda_0: ArrayLike) -> Array:
    """Bound (1 - s lambda_0 / 2n)^k on L / L(0) after k steps of descent on L, each of size s.

    Arguments broadcast. Valid for s of the order of lambda_0 / n, up to an unspecified constant.
    Source: arXiv 1810.02054, theorem 4.1, where the step is s/n. Raises `ValueError` unless k >= 0,
    step and lambda_0 are positive and s lambda_0 / 2n < 1.
    """
    size, samples = positives("step", step), wholes("n", n, least=1)
    lost = size * positives("lambda_0", lambda_0) / (2 * samples)
    if np.any(lost >= 1):
        raise mistake("step < 2n / lambda_0", float(np.max(size)), "take a smaller step")
    return np.exp(wholes("k", k, least=0) * np.log1p(-lost))


def lazy_distance_bound(
    n: ArrayLike, p: ArrayLike, misfit: ArrayLike, lambda_0: ArrayLike
) -> Array:
    """Bound 4 sqrt(n) |y - f(0)| / (sqrt(p) lambda_0) on every |w_j(t) - w_j(0)|.

    `misfit` is |y - f(0)|, the norm of the first residuals; arguments broadcast. It holds at all
    times, and of descent too: time has no part in it, so neither has the loss convention. Source:
    arXiv 1810.02054, section 4. Raises `ValueError` unless n, p >= 1, lambda_0 > 0, misfit >= 0.
    """
    samples, width = wholes("n", n, least=1), wholes("p", p, least=1)
    bound = 4 * np.sqrt(samples / width) * nonnegatives("misfit", misfit)
    return np.asarray(bound / positives("lambda_0", lambda_0))


def lazy_width(n: ArrayLike, lambda_0: ArrayLike, failure: ArrayLike) -> Array:
    """n^6 / (lambda_0^4 delta^3), the order of a sufficient width; arguments broadcast.

    The constant before it is not specified: it tells how the width grows, not which to take.
    `failure` is delta. Source: arXiv 1810.02054, theorem 3.2. Raises `ValueError` unless n >= 1,
    lambda_0 > 0 and 0 < failure < 1.
    """
    least, delta = positives("lambda_0", lambda_0), fractions("failure", failure)
    return np.asarray(wholes("n", n, least=1) ** 6 / (least**4 * delta**3))


def _gram(X: ArrayLike) -> Array:
    """x_i.x_k (n, n), exactly 1 on the diagonal."""
    inputs = matrix("X", X)
    gram = inputs @ inputs.T
    if inputs.ndim > 2 or np.any(np.abs(np.diagonal(gram) - 1) > TOLERANCE):
        raise mistake("inputs of norm 1, of shape (n, d)", "others", "divide each by its norm")
    np.fill_diagonal(gram, 1)
    return np.clip(gram, -1, 1)
