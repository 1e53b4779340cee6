"""Forms N(x) of the growth of a threshold N with one axis x: d, p or a parameter.

A form of one or two linear coefficients is fixed by its values at one or two places, its anchors:
with y = N, or log N where it is `logarithmic`, and a feature phi(x),

    y(x) = y_0 + phi(x) - phi(x_0)              from one anchor x_0,
    y(x) = (1 - w) y_0 + w y_1,  w = (phi(x) - phi(x_0)) / (phi(x_1) - phi(x_0))   from two.

So every form has the same parameters, log N at its anchors, in which a fit is near to linear and
where N is positive by construction. The `offset` form has an exponent in its feature, x^b: linear
at b = 1, logarithmic in the limit b = 0, saturating at b = -1 (G. E. P. Box and D. R. Cox, "An
analysis of transformations", Journal of the Royal Statistical Society B 26 (1964) 211-252). It is
also the saturating form of three coefficients, for b < 0 approaches c.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from jaxflow.core.checks import Array
from jaxflow.core.errors import unknown_name

LEAST = 1e-6  # |b| of the offset form; nearer to 0 it is logarithmic to rounding


def _of_no_exponent(feature: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda x, _: feature(x)


@dataclass(frozen=True)
class Form:
    """N against x; `coefficients` are named as in `formula`, and it is for x > 0 if `positive`."""

    name: str
    formula: str
    coefficients: tuple[str, ...]
    curve: Callable[[Sequence[Array], Array], Array]  # N of coefficients and x, broadcast
    feature: Callable[[Array, Array], Array]  # phi of x and the exponent b, broadcast
    arrange: Callable[[Array, Array, Array], tuple[Array, ...]]  # of intercept, slope and b
    anchors: int = 2
    logarithmic: bool = False
    has_exponent: bool = False
    positive: bool = True
    special_cases: tuple[str, ...] = ()  # forms that it holds

    def weights(self, x: Array, ends: Array, b: Array) -> tuple[Array, Array]:
        """What the values at the ends (..., 2) weigh at x (c,), for b (...): (..., c, k).

        And what is added to them (..., c).
        """
        exponent = b[..., None]
        phi, first, last = (self.feature(at, exponent) for at in (x, ends[..., :1], ends[..., 1:]))
        phi, first, last, _ = np.broadcast_arrays(phi, first, last, exponent)
        if self.anchors == 1:
            return np.ones((*phi.shape, 1)), np.asarray(phi - first)
        w = (phi - first) / (last - first)
        return np.stack([1 - w, w], axis=-1), np.zeros(phi.shape)

    def named(self, values: Array, ends: Array, b: Array) -> Array:
        """The coefficients (..., m) of log N (..., k) at the ends (2,), for b (...)."""
        first, last = (self.feature(end, b) for end in ends)
        y = values if self.logarithmic else np.exp(values)
        slope = (y[..., -1] - y[..., 0]) / (last - first) if self.anchors == 2 else np.ones(b.shape)
        intercept = y[..., 0] - slope * first
        return np.stack(np.broadcast_arrays(*self.arrange(intercept, slope, b)), axis=-1)


def _power_of(x: Array, b: Array) -> Array:
    """x^b, or what is as good for a form with an intercept: (x^b - 1) / b, of any b."""
    exponent = np.where(np.abs(b) < LEAST, LEAST, b)
    return np.asarray(np.expm1(exponent * np.log(x)) / exponent)


def _offset(intercept: Array, slope: Array, b: Array) -> tuple[Array, ...]:
    exponent = np.where(np.abs(b) < LEAST, LEAST, b)
    return slope / exponent, exponent, intercept - slope / exponent


CONSTANT = Form(
    "constant", "N = C", ("C",),
    lambda c, x: c[0] + 0 * x,
    _of_no_exponent(np.zeros_like),
    lambda intercept, slope, b: (np.exp(intercept),),
    anchors=1, logarithmic=True, positive=False,
)  # fmt: skip
PROPORTIONAL = Form(
    "proportional", "N = C {x}", ("C",),
    lambda c, x: c[0] * x,
    _of_no_exponent(np.log),
    lambda intercept, slope, b: (np.exp(intercept),),
    anchors=1, logarithmic=True,
)  # fmt: skip
LINEAR = Form(
    "linear", "N = a {x} + b", ("a", "b"),
    lambda c, x: c[0] * x + c[1],
    _of_no_exponent(lambda x: x),
    lambda intercept, slope, b: (slope, intercept),
    positive=False, special_cases=("constant", "proportional"),
)  # fmt: skip
POWER = Form(
    "power", "N = a {x}^b", ("a", "b"),
    lambda c, x: c[0] * x ** c[1],
    _of_no_exponent(np.log),
    lambda intercept, slope, b: (np.exp(intercept), slope),
    logarithmic=True, special_cases=("constant", "proportional"),
)  # fmt: skip
LOGARITHMIC = Form(
    "logarithmic", "N = a log {x} + b", ("a", "b"),
    lambda c, x: c[0] * np.log(x) + c[1],
    _of_no_exponent(np.log),
    lambda intercept, slope, b: (slope, intercept),
    special_cases=("constant",),
)  # fmt: skip
EXPONENTIAL = Form(
    "exponential", "N = a exp(b {x})", ("a", "b"),
    lambda c, x: c[0] * np.exp(c[1] * x),
    _of_no_exponent(lambda x: x),
    lambda intercept, slope, b: (np.exp(intercept), slope),
    logarithmic=True, positive=False, special_cases=("constant",),
)  # fmt: skip
SATURATING = Form(
    "saturating", "N = a - b/{x}", ("a", "b"),
    lambda c, x: c[0] - c[1] / x,
    _of_no_exponent(lambda x: -1 / x),
    lambda intercept, slope, b: (intercept, slope),
    special_cases=("constant",),
)  # fmt: skip
OFFSET = Form(
    "offset", "N = a {x}^b + c", ("a", "b", "c"),
    lambda c, x: c[0] * x ** c[1] + c[2],
    _power_of,
    _offset,
    has_exponent=True,
    special_cases=("constant", "proportional", "linear", "power", "logarithmic", "saturating"),
)  # fmt: skip

FORMS = (CONSTANT, PROPORTIONAL, LINEAR, POWER, LOGARITHMIC, EXPONENTIAL, SATURATING, OFFSET)


def form(name: str) -> Form:
    """The form of a name. Raises `ValueError` if there is none."""
    named = {form.name: form for form in FORMS}
    if name not in named:
        raise unknown_name("form", name, named)
    return named[name]
