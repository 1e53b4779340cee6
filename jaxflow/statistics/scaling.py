"""How a threshold N grows with d, p or a parameter: forms compared by what they predict.

A form is judged by the sum over slices of the log density that its fit to all other slices gives to
log N, scatter integrated (A. Vehtari, A. Gelman and J. Gabry, "Practical Bayesian model evaluation
using leave-one-out cross-validation and WAIC", Statistics and Computing 27 (2017) 1413-1432). The
standard error of a difference is sqrt(c) times the standard deviation of its c terms.

A form is out if it is behind the best by more than 4 and by more than 2 standard errors: of less,
and of few slices, the error cannot be trusted (T. Sivula, M. Magnusson, A. A. Matamoros and A.
Vehtari, "Uncertainty in Bayesian leave-one-out cross-validation based model comparison", 2020,
arXiv 2008.10296). The data decide for a form if all others are out but those that hold it as a
special case, which are never much worse; and these must say the same: an exponent d log N / d log x
at both ends that is known to `ALIKE` and agrees. They decide nothing unless every form could be
fitted, which takes two slices more than it has coefficients.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from jaxflow.core.checks import Array
from jaxflow.core.errors import mistake
from jaxflow.statistics.fitting import Fit, fit, left_out
from jaxflow.statistics.forms import FORMS, Form
from jaxflow.statistics.posterior import Posterior
from jaxflow.statistics.scatter import Thresholds

FEWEST = 3  # slices
SPARE = 2  # slices beyond the coefficients of a form
OUT = 4.0  # in log density
ERRORS = 2.0  # standard errors
ALIKE = 0.25  # half of the band of an exponent b, or that times |b| if that is more
ONE_SIGMA = 0.1587, 0.8413


@dataclass(frozen=True, eq=False)
class Comparison:
    """Forms fitted to the same slices: the one decided for, then the best first.

    `behind` is by how much the log density of left out slices is less than the best one's, with
    its standard error, in the order of the fits. `standing` are the names of those that are not
    out, `decided` is the name of the one that the data decide for, or "", and `lacking` are the
    forms that were not fitted to so few slices.
    """

    fits: tuple[Fit, ...]
    behind: tuple[float, ...]
    behind_error: tuple[float, ...]
    standing: tuple[str, ...]
    decided: str
    lacking: tuple[Form, ...]
    thresholds: Thresholds

    @property
    def verdict(self) -> str:
        """What the data say, in a sentence."""
        if self.decided:
            return f"the data decide for: {self.decided}"
        if self.lacking:
            few = len(np.unique(self.thresholds.x))
            return f"{few} sizes are too few to decide; not fitted: {_names(self.lacking)}"
        *others, last = self.standing
        if not others:
            return f"best predicted by {last}, of which these sizes do not say how it bends"
        return f"these sizes do not decide between {', '.join(others)} and {last}"

    @property
    def curve(self) -> Fit | None:
        """The first fit, to be drawn; nothing where slices were too few for forms that bend."""
        few = any(len(form.coefficients) == 2 for form in self.lacking)
        return None if few else self.fits[0]

    def of(self, name: str) -> Fit | None:
        """The fit of a form by its name, if it was fitted."""
        return next((fit for fit in self.fits if fit.form.name == name), None)


def compare(data: Thresholds, forms: Sequence[Form] = FORMS) -> Comparison:
    """The forms fitted to thresholds and compared; those for x > 0 only where all are.

    Raises `ValueError` for fewer than 3 different x.
    """
    different = len(np.unique(data.x))
    if different < FEWEST:
        raise mistake(f"at least {FEWEST} different slices", different, "run more slices")
    meant = [form for form in forms if np.all(data.x > 0) or not form.positive]
    fitted = [form for form in meant if different >= len(form.coefficients) + SPARE]
    fits = [fit(form, data) for form in fitted]
    densities = np.array([left_out(form, data) for form in fitted])
    best = int(np.argmax(densities.sum(axis=1)))
    less = densities[best] - densities
    behind, error = less.sum(axis=1), np.sqrt(len(data.x)) * less.std(axis=1, ddof=1)
    stands = [not (b > OUT and b > ERRORS * e) for b, e in zip(behind, error, strict=True)]
    lacking = tuple(form for form in meant if form not in fitted)
    standing = [fit for fit, does in zip(fits, stands, strict=True) if does]
    decided = "" if lacking else _decided(standing, data.x)
    order = sorted(range(len(fits)), key=lambda i: (fitted[i].name != decided, behind[i]))
    return Comparison(
        tuple(fits[i] for i in order),
        tuple(float(behind[i]) for i in order),
        tuple(float(error[i]) for i in order),
        tuple(fitted[i].name for i in order if stands[i]),
        decided,
        lacking,
        data,
    )


def thresholds(x: Sequence[float], posteriors: Iterable[Posterior]) -> Thresholds:
    """The thresholds of slices at x, by the medians of their posteriors, and their errors.

    Raises `ValueError` where most of a posterior lies outside its range.
    """
    found = list(posteriors)
    for place, posterior in zip(x, found, strict=True):
        if posterior.at_edge:
            remedy = "leave the slice out, or search again in another range"
            low, high = posterior.low, posterior.high
            raise mistake(f"a threshold within {low:g}..{high:g}", place, remedy)
    ends = np.log([posterior.quantile(ONE_SIGMA) for posterior in found])
    medians = np.log([posterior.median for posterior in found])
    return Thresholds(np.asarray(x, float), medians, (ends[:, 1] - ends[:, 0]) / 2)


def _decided(standing: Sequence[Fit], x: Array) -> str:
    """The form of which all others that stand are another way to say the same, if there is one."""
    for one in standing:
        others = [fit for fit in standing if fit is not one]
        if all(one.form.name in fit.form.special_cases and _alike(one, fit, x) for fit in others):
            return one.form.name
    return ""


def _alike(one: Fit, general: Fit, x: Array) -> bool:
    """Whether the general form has the exponents of the other at both ends, and knows them."""
    ends = np.array([x.min(), x.max()])
    if not np.all(ends > 0):
        return False
    value = one.exponent(ends).value
    _, low, high = general.exponent(ends)
    known = high - low <= 2 * ALIKE * np.maximum(np.abs(value), 1)
    return bool(np.all(known & (low <= value) & (value <= high)))


def _names(forms: Iterable[Form]) -> str:
    return ", ".join(form.name for form in forms)
