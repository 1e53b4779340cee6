"""Rules, bounds and closed forms of the source papers, in float64 NumPy."""

from jaxflow.papers.group import GroupFlow, group_count, group_size
from jaxflow.papers.group_start import group_flow
from jaxflow.papers.initialization import (
    failure_probability,
    log_well_initialized_probability,
    well_initialized_probability,
)
from jaxflow.papers.kernel import (
    infinite_kernel,
    keeps_to_lazy_bound,
    kernel_extremes,
    lazy_descent_bound,
    lazy_distance_bound,
    lazy_loss_bound,
    lazy_width,
    sampled_kernel,
)
from jaxflow.papers.quadratic import (
    SADDLE_GROWTH,
    matrix_error,
    population_gradient,
    procrustes_distance,
    quadratic_extremes,
    quadratic_hessian,
    rotation_dimension,
)
from jaxflow.papers.rules import (
    failure_bound,
    interpolation_count,
    largest_correlation,
    parameter_count,
    published_horizon,
    theorem_rate,
    theorem_width,
    width_rule,
)
from jaxflow.papers.two_points import TwoPoints

__all__ = [
    "SADDLE_GROWTH",
    "GroupFlow",
    "TwoPoints",
    "failure_bound",
    "failure_probability",
    "group_count",
    "group_flow",
    "group_size",
    "infinite_kernel",
    "interpolation_count",
    "keeps_to_lazy_bound",
    "kernel_extremes",
    "largest_correlation",
    "lazy_descent_bound",
    "lazy_distance_bound",
    "lazy_loss_bound",
    "lazy_width",
    "log_well_initialized_probability",
    "matrix_error",
    "parameter_count",
    "population_gradient",
    "procrustes_distance",
    "published_horizon",
    "quadratic_extremes",
    "quadratic_hessian",
    "rotation_dimension",
    "sampled_kernel",
    "theorem_rate",
    "theorem_width",
    "well_initialized_probability",
    "width_rule",
]
