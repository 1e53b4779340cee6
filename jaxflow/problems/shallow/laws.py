"""Everything that a law of inputs, labels or first parameters is written with."""

from jaxflow.core.errors import mistake
from jaxflow.core.keys import (
    Keys,
    Number,
    Uniforms,
    between,
    exponential,
    normal,
    sign,
)
from jaxflow.core.types import Point
from jaxflow.problems.problem import Sizes, below
from jaxflow.problems.shallow.activations import Activation
from jaxflow.problems.shallow.coordinates import product
from jaxflow.problems.shallow.initialization import Initialization, padded
from jaxflow.problems.shallow.inputs import InputLaw
from jaxflow.problems.shallow.labels import LabelLaw
from jaxflow.problems.shallow.network import Parameters
from jaxflow.problems.shallow.padding import Basis, Dense, Everywhere, Rows, row_norms
from jaxflow.problems.shallow.trying import try_laws

__all__ = [
    "Activation",
    "Basis",
    "Dense",
    "Everywhere",
    "Initialization",
    "InputLaw",
    "Keys",
    "LabelLaw",
    "Number",
    "Parameters",
    "Point",
    "Rows",
    "Sizes",
    "Uniforms",
    "below",
    "between",
    "exponential",
    "mistake",
    "normal",
    "padded",
    "product",
    "row_norms",
    "sign",
    "try_laws",
]
