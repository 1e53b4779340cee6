"""Rules, bounds and closed forms of the source papers, in float64 NumPy."""

from jaxflow.theory.group import GroupFlow, group_size
from jaxflow.theory.group_start import group_flow
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
from jaxflow.theory.two_points import TwoPoints

__all__ = [
    "GroupFlow",
    "TwoPoints",
    "failure_bound",
    "failure_probability",
    "group_flow",
    "group_size",
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
