"""Axes, sampling plans and the statistics of thresholds."""

from jaxflow.sweep._plan import Plan
from jaxflow.sweep.axes import Axes, Horizon, concerning
from jaxflow.sweep.cell import Cell
from jaxflow.sweep.fixed_slope import published_estimator, published_interval
from jaxflow.sweep.grid import GridPlan
from jaxflow.sweep.means import Mean, mean_exponent, mean_interval
from jaxflow.sweep.neighbours import warm_start
from jaxflow.sweep.paths import Interval, bootstrap, median_slope, stays_positive, tail_rate
from jaxflow.sweep.posterior import Guess, Posterior, Threshold, estimate
from jaxflow.sweep.powers import PowerLaw, power_law
from jaxflow.sweep.slowing import Slowing, slowing
from jaxflow.sweep.statistics import Tally, merged, wilson
from jaxflow.sweep.survival import Survival, convergence_times, survival
from jaxflow.sweep.threshold import EXPLORING, ThresholdPlan

__all__ = [
    "EXPLORING",
    "Axes",
    "Cell",
    "GridPlan",
    "Guess",
    "Horizon",
    "Interval",
    "Mean",
    "Plan",
    "Posterior",
    "PowerLaw",
    "Slowing",
    "Survival",
    "Tally",
    "Threshold",
    "ThresholdPlan",
    "bootstrap",
    "concerning",
    "convergence_times",
    "estimate",
    "mean_exponent",
    "mean_interval",
    "median_slope",
    "merged",
    "power_law",
    "published_estimator",
    "published_interval",
    "slowing",
    "stays_positive",
    "survival",
    "tail_rate",
    "warm_start",
    "wilson",
]
