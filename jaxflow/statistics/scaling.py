"""How a threshold N grows with d or p: forms fitted to the thresholds of slices, and compared.

A form is N = B(x) theta or log N = B(x) theta, with one or two coefficients theta. The fit is of
least squares in log N over the c slices, each weighted by the standard error e_i of its posterior,

    chi^2 = sum_i (log N_i - log f(x_i; theta))^2 / e_i^2.

Intervals are those of the fits to resamples of the trials (resamples.py). They hold if the form
does: where chi^2 per degree of freedom is far above 1 it does not, and they are too narrow.

Forms are compared by the corrected information criterion of k coefficients,

    AICc = chi^2 + 2k + 2k(k + 1) / max(c - k - 1, 1),

with weights proportional to exp(-AICc/2); by how often each is best among the resamples; and by
the error of log N at a slice that is left out of the fit. One is decided for if every other is more
than 4 above it, "considerably less" supported in the words of K. P. Burnham and D. R. Anderson,
"Model Selection and Multimodel Inference" (2002), p. 70, and if it is best in most resamples. A
form of which it is a special case can never be that much above it: that one need only be worse.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxflow.core.checks import Array, whole
from jaxflow.core.errors import mistake, unknown_name
from jaxflow.statistics.resamples import Measured, Thresholds, percentiles, thresholds

FEWEST = 3  # slices
DECIDED_BY = 4.0  # AICc above that of the form decided for
DECIDED_IN = 0.8  # of the resamples
ITERATIONS = 30  # of Gauss-Newton; a few suffice near the data
CLOSE = 1e-9  # relative step in N that ends it
HALVINGS = 12  # of a step that makes the misfit larger or a threshold negative


@dataclass(frozen=True)
class Form:
    """N against x; `coefficients` are named as in `formula`."""

    name: str
    formula: str
    coefficients: tuple[str, ...]
    basis: Callable[[Array], Array]  # (c,) to (c, k)
    logarithmic: bool = False  # the basis gives log N, and the first coefficient is exp(theta_1)
    special_cases: tuple[str, ...] = ()  # forms that it holds

    def log(self, theta: Array, x: Array) -> Array:
        """log N (..., c) for theta (..., k); nan where N is not positive."""
        value = theta @ self.basis(x).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                value if self.logarithmic else np.log(np.where(value > 0, value, np.nan))
            )


def _ones(x: Array) -> Array:
    return np.ones_like(x)


PROPORTIONAL = Form("proportional", "N = C {x}", ("C",), lambda x: x[:, None])
LINEAR = Form(
    "linear",
    "N = a {x} + b",
    ("a", "b"),
    lambda x: np.stack([x, _ones(x)], 1),
    special_cases=("proportional",),
)
POWER = Form(
    "power",
    "N = a {x}^b",
    ("a", "b"),
    lambda x: np.stack([_ones(x), np.log(x)], 1),
    logarithmic=True,
    special_cases=("proportional",),
)
LOGARITHMIC = Form(
    "logarithmic", "N = a log {x} + b", ("a", "b"), lambda x: np.stack([np.log(x), _ones(x)], 1)
)
SATURATING = Form(
    "saturating", "N = a - b/{x}", ("a", "b"), lambda x: np.stack([_ones(x), -1 / x], 1)
)

FORMS = {
    "d": (PROPORTIONAL, LINEAR, POWER),
    "p": (LOGARITHMIC, POWER, LINEAR, SATURATING),
}


@dataclass(frozen=True, eq=False)
class Fit:
    """A form fitted to c slices: coefficients and their 95 % intervals, in the form's order."""

    form: Form
    coefficients: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    chi2: float
    slices: int
    theta: Array  # (k,)
    drawn: Array  # (resamples, k)

    @property
    def misfit(self) -> float:
        """chi^2 per degree of freedom; nan where there is none."""
        freedom = self.slices - len(self.theta)
        return self.chi2 / freedom if freedom else np.nan

    def predict(self, x: ArrayLike) -> tuple[Array, Array, Array]:
        """N at each x, in samples: (fit, low, high) of its 95 % band, in the shape of x.

        Nan where the form is not positive.
        """
        points = np.asarray(x, float)
        if not np.all(points > 0):
            raise mistake("x > 0", x, "ask for the form at positive x")
        flat = points.ravel()
        mean = np.exp(self.form.log(self.theta, flat))
        low, high = percentiles(np.exp(self.form.log(self.drawn, flat)))
        mean, low, high = (v.reshape(points.shape) for v in (mean, low, high))
        return mean, low, high


@dataclass(frozen=True, eq=False)
class Comparison:
    """Forms fitted to the same slices, best first; everything in their order.

    `best_in` is the fraction of resamples in which a form is best, and `left_out` the root mean
    square error of log N at a slice left out. `decided` is the name of the form that the data
    decide for, or "" where they cannot tell.
    """

    fits: tuple[Fit, ...]
    criterion: tuple[float, ...]
    weights: tuple[float, ...]
    best_in: tuple[float, ...]
    left_out: tuple[float, ...]
    decided: str
    thresholds: Thresholds


def compare(
    slices: Sequence[Measured], along: str, *, resamples: int = 200, seed: int = 0
) -> Comparison:
    """The forms of N against `along`, d or p, fitted to the slices and compared.

    Every slice is `(x, tallies, low, high, rising)`. Raises `ValueError` if there are fewer than 3
    different x, or for another axis.
    """
    if along not in FORMS:
        raise unknown_name("axis", along, FORMS)
    data = _measured(slices, resamples, seed)
    if not np.all(data.x > 0):
        raise mistake(f"slices at {along} > 0", data.x.tolist(), f"give each slice its {along}")
    return _compare(data, FORMS[along])


def proportionality(
    slices: Sequence[Measured], *, resamples: int = 200, seed: int = 0
) -> dict[float, Fit]:
    """N = C(p) d at every p: the fit, whose coefficient is C and whose `misfit` tests the form.

    The x of every slice is the pair (d, p). Raises `ValueError` if there are fewer than 3 slices.
    """
    data = _measured(slices, resamples, seed)
    if data.x.shape != (len(slices), 2):
        raise mistake("slices at pairs (d, p)", data.x.tolist(), "give each slice x = (d, p)")
    found = {}
    for p in np.unique(data.x[:, 1]).tolist():
        here = data.x[:, 1] == p
        part = Thresholds(
            data.x[here, 0], data.log_threshold[here], data.error[here], data.drawn[:, here]
        )
        found[p] = fit(PROPORTIONAL, part)
    return found


def fit(form: Form, data: Thresholds) -> Fit:
    """The form fitted to thresholds and to their resamples."""
    theta = _solve(form, data.x, data.log_threshold[None], data.error)[0]
    drawn = _solve(form, data.x, data.drawn, data.error)
    named = _coefficients(form, drawn)
    low, high = percentiles(named)
    chi2 = _chi2(form, theta[None], data.x, data.log_threshold[None], data.error)[0]
    return Fit(
        form, tuple(_coefficients(form, theta).tolist()), tuple(low.tolist()), tuple(high.tolist()),
        float(chi2), len(data.x), theta, drawn,
    )  # fmt: skip


def _measured(slices: Sequence[Measured], resamples: int, seed: int) -> Thresholds:
    different = len({slice[0] for slice in slices})
    if different < FEWEST:
        raise mistake(f"at least {FEWEST} different slices", different, "run more slices")
    return thresholds(slices, whole("resamples", resamples, least=2), seed)


def _compare(data: Thresholds, forms: Sequence[Form]) -> Comparison:
    fits = [fit(form, data) for form in forms]
    criterion = np.array([f.chi2 + _penalty(f) for f in fits])
    error = data.error * 2**0.5  # a resample errs twice: as the data did, and as it was drawn
    drawn = [_chi2(f.form, f.drawn, data.x, data.drawn, error) + _penalty(f) for f in fits]
    best_in = np.bincount(np.argmin(drawn, axis=0), minlength=len(fits)) / len(data.drawn)
    left_out = np.array([_left_out(form, data) for form in forms])
    weights = np.exp((criterion.min() - criterion) / 2)
    order = np.argsort(criterion, kind="stable")
    return Comparison(
        tuple(fits[i] for i in order),
        tuple(criterion[order].tolist()),
        tuple((weights / weights.sum())[order].tolist()),
        tuple(best_in[order].tolist()),
        tuple(left_out[order].tolist()),
        _decided([forms[i] for i in order], criterion[order], float(best_in[order[0]])),
        data,
    )


def _decided(forms: Sequence[Form], criterion: Array, best_in: float) -> str:
    """The first of the forms if it is clear of the others, else ""."""
    name = forms[0].name
    above = zip(forms[1:], criterion[1:] - criterion[0], strict=True)
    clear = all(gap > DECIDED_BY or name in form.special_cases for form, gap in above)
    return name if clear and best_in >= DECIDED_IN else ""


def _penalty(found: Fit) -> float:
    k = len(found.theta)
    return 2 * k + 2 * k * (k + 1) / max(found.slices - k - 1, 1)


def _left_out(form: Form, data: Thresholds) -> float:
    """The root mean square error of log N at each slice by a fit to the others."""
    errors = []
    for i, x in enumerate(data.x):
        rest = np.arange(len(data.x)) != i
        theta = _solve(form, data.x[rest], data.log_threshold[None, rest], data.error[rest])[0]
        errors.append(form.log(theta, np.array([x]))[0] - data.log_threshold[i])
    return float(np.sqrt(np.mean(np.square(np.nan_to_num(errors, nan=np.inf)))))


def _coefficients(form: Form, theta: Array) -> Array:
    if not form.logarithmic:
        return theta
    return np.concatenate([np.exp(theta[..., :1]), theta[..., 1:]], axis=-1)


def _chi2(form: Form, theta: Array, x: Array, log_threshold: Array, error: Array) -> Array:
    """chi^2 (r,) for theta (r, k) and log N (r, c); inf where the form is not positive."""
    residual = (log_threshold - form.log(theta, x)) / error
    return np.nan_to_num(np.sum(residual**2, axis=1), nan=np.inf)


def _solve(form: Form, x: Array, log_threshold: Array, error: Array) -> Array:
    """theta (r, k) of least squares in log N, for r rows of log N (r, c)."""
    basis = form.basis(x)
    if form.logarithmic:
        return _least_squares(basis, log_threshold, np.broadcast_to(1 / error, log_threshold.shape))
    threshold = np.exp(log_threshold)
    theta = _least_squares(basis, threshold, 1 / (error * threshold))
    misfit = _chi2(form, theta, x, log_threshold, error)
    level = np.exp(np.mean(log_threshold, axis=1))  # a start that is positive everywhere
    flat = _least_squares(basis, np.outer(level, np.ones(len(x))), 1 / (error * threshold))
    theta = np.where(np.isfinite(misfit)[:, None], theta, flat)
    for _ in range(ITERATIONS):
        value = theta @ basis.T
        step = _least_squares(basis, (log_threshold - np.log(value)) * value, 1 / (error * value))
        misfit = _chi2(form, theta, x, log_threshold, error)
        for _ in range(HALVINGS):
            worse = _chi2(form, theta + step, x, log_threshold, error) > misfit
            if not worse.any():
                break
            step[worse] /= 2
        step[_chi2(form, theta + step, x, log_threshold, error) > misfit] = 0
        theta = theta + step
        if np.all(np.abs(step @ basis.T) < CLOSE * np.abs(value)):
            break
    return theta


def _least_squares(basis: Array, y: Array, root: Array) -> Array:
    """theta (r, k) that minimizes sum (root (y - basis theta))^2 for y and root (r, c)."""
    design = basis * root[:, :, None]
    scale = np.linalg.norm(design, axis=1)
    design /= scale[:, None]
    normal = np.swapaxes(design, 1, 2) @ design
    moment = np.swapaxes(design, 1, 2) @ (y * root)[:, :, None]
    return np.asarray(np.linalg.solve(normal, moment)[:, :, 0] / scale)
