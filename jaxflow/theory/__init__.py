"""Rules, bounds and closed forms of the source papers, in float64 NumPy."""

from jaxflow.theory.initialization import (
    failure_probability,
    log_well_initialized_probability,
    well_initialized_probability,
)
from jaxflow.theory.rules import (
    failure_bound,
    interpolation_count,
    largest_correlation,
    parameter_count,
    published_horizon,
    theorem_rate,
    theorem_width,
    width_rule,
)

__all__ = [
    "failure_bound",
    "failure_probability",
    "interpolation_count",
    "largest_correlation",
    "log_well_initialized_probability",
    "parameter_count",
    "published_horizon",
    "theorem_rate",
    "theorem_width",
    "well_initialized_probability",
    "width_rule",
]
