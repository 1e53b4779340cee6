"""Figures of phase diagrams. Functions draw plain arrays on the `ax=` given and return it."""

from jaxflow.plot.diagram import boundary, fit, heat_map, size_axes
from jaxflow.plot.family import curve, estimates, family
from jaxflow.plot.overlay import guide, level, published_points
from jaxflow.plot.power import line, points, power_axes
from jaxflow.plot.recovery import endings, fan
from jaxflow.plot.style import (
    DESCENT,
    FLOW,
    OTHERS,
    PUBLISHED,
    Series,
    axis_name,
    by_kind,
    by_size,
    log_ticks,
    size_ticks,
    style,
    tick_label,
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
    "by_size",
    "curve",
    "endings",
    "estimates",
    "family",
    "fan",
    "fit",
    "guide",
    "heat_map",
    "level",
    "line",
    "log_ticks",
    "medians",
    "panel",
    "phase_axes",
    "points",
    "power_axes",
    "proportions",
    "published_points",
    "size_axes",
    "size_ticks",
    "style",
    "survival",
    "threshold",
    "tick_label",
    "time_axes",
    "trajectory",
    "transition",
]
