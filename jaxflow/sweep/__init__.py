"""Sampling plans and the statistics of thresholds."""

from jaxflow.sweep._plan import Plan
from jaxflow.sweep.cell import Cell
from jaxflow.sweep.grid import GridPlan
from jaxflow.sweep.posterior import Posterior, Threshold, estimate
from jaxflow.sweep.statistics import Tally, merged, published_estimator, wilson
from jaxflow.sweep.threshold import EXPLORING, ThresholdPlan

__all__ = [
    "EXPLORING",
    "Cell",
    "GridPlan",
    "Plan",
    "Posterior",
    "Tally",
    "Threshold",
    "ThresholdPlan",
    "estimate",
    "merged",
    "published_estimator",
    "wilson",
]
