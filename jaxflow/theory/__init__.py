"""Rules, bounds and closed forms of the source papers, in float64 NumPy."""

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
    "interpolation_count",
    "largest_correlation",
    "parameter_count",
    "published_horizon",
    "theorem_rate",
    "theorem_width",
    "width_rule",
]
