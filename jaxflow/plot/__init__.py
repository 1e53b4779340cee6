"""Figures of phase diagrams. Functions draw plain arrays on the `ax=` given and return it."""

from jaxflow.plot.diagram import boundary, heat_map, size_axes
from jaxflow.plot.marks import band, line, points, power_axes
from jaxflow.plot.overlay import guide, level, published_points
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
    family,
    log_ticks,
    size_ticks,
    style,
    tick_label,
)
from jaxflow.plot.time import against_time, medians, survival, time_axes
from jaxflow.plot.trajectory import panel, trajectory
from jaxflow.plot.transition import phase_axes, proportions, threshold

__all__ = [
    "DESCENT",
    "FLOW",
    "OTHERS",
    "PUBLISHED",
    "Series",
    "against_time",
    "axis_name",
    "band",
    "boundary",
    "by_kind",
    "by_size",
    "endings",
    "family",
    "fan",
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
]
