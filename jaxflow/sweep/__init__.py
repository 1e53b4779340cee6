"""Axes, sampling plans and the statistics of thresholds."""

from jaxflow.sweep._plan import Plan
from jaxflow.sweep.axes import Axes, Horizon, concerning
from jaxflow.sweep.cell import Cell
from jaxflow.sweep.grid import GridPlan
from jaxflow.sweep.means import Mean, mean_interval, power_law
from jaxflow.sweep.neighbours import warm_start
from jaxflow.sweep.posterior import Guess, Posterior, Threshold, estimate
from jaxflow.sweep.slowing import Slowing, slowing
from jaxflow.sweep.statistics import Tally, merged, published_estimator, wilson
from jaxflow.sweep.survival import Survival, convergence_times, survival
from jaxflow.sweep.threshold import EXPLORING, ThresholdPlan

__all__ = [
    "EXPLORING",
    "Axes",
    "Cell",
    "GridPlan",
    "Guess",
    "Horizon",
    "Mean",
    "Plan",
    "Posterior",
    "Slowing",
    "Survival",
    "Tally",
    "Threshold",
    "ThresholdPlan",
    "concerning",
    "convergence_times",
    "estimate",
    "mean_interval",
    "merged",
    "power_law",
    "published_estimator",
    "slowing",
    "survival",
    "warm_start",
    "wilson",
]
