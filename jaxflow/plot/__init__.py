"""Figures of phase diagrams. Functions draw plain arrays on the `ax=` given and return it."""

from jaxflow.plot.diagram import boundary, fit, heat_map, size_axes
from jaxflow.plot.family import curve, estimates, family
from jaxflow.plot.style import (
    DESCENT,
    FLOW,
    OTHERS,
    PUBLISHED,
    Series,
    axis_name,
    by_kind,
    log_ticks,
    size_ticks,
    style,
)
from jaxflow.plot.time import against_time, medians, survival, time_axes
from jaxflow.plot.trajectory import panel, trajectory
from jaxflow.plot.transition import phase_axes, proportions, threshold, transition

__all__ = [
    "DESCENT",
    "FLOW",
    "OTHERS",
    "PUBLISHED",
    "Series",
    "against_time",
    "axis_name",
    "boundary",
    "by_kind",
    "curve",
    "estimates",
    "family",
    "fit",
    "heat_map",
    "log_ticks",
    "medians",
    "panel",
    "phase_axes",
    "proportions",
    "size_axes",
    "size_ticks",
    "style",
    "survival",
    "threshold",
    "time_axes",
    "trajectory",
    "transition",
]
