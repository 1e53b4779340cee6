"""Figures of phase diagrams. Functions draw plain arrays on the `ax=` given and return it."""

from jaxflow.plot.collapse import Counted, collapse
from jaxflow.plot.marks import band, guide, level, line, points, power_axes, published_points
from jaxflow.plot.plane import boundary, heat_map, size_axes
from jaxflow.plot.probability import boundary_band, contour_map, probability_map, tried
from jaxflow.plot.scores import score_axes, scores, sized_axes
from jaxflow.plot.style import (
    DESCENT,
    FLOW,
    OTHERS,
    PUBLISHED,
    Series,
    axis_name,
    by_dynamics,
    by_size,
    family,
    log_places,
    log_ticks,
    plain,
    size_ticks,
    style,
    tick_label,
)
from jaxflow.plot.time import against_time, medians, survival, time_axes
from jaxflow.plot.trajectory import endings, fan, panel, trajectory
from jaxflow.plot.transition import beyond, phase_axes, proportions, threshold

__all__ = [
    "DESCENT",
    "FLOW",
    "OTHERS",
    "PUBLISHED",
    "Counted",
    "Series",
    "against_time",
    "axis_name",
    "band",
    "beyond",
    "boundary",
    "boundary_band",
    "by_dynamics",
    "by_size",
    "collapse",
    "contour_map",
    "endings",
    "family",
    "fan",
    "guide",
    "heat_map",
    "level",
    "line",
    "log_places",
    "log_ticks",
    "medians",
    "panel",
    "phase_axes",
    "plain",
    "points",
    "power_axes",
    "probability_map",
    "proportions",
    "published_points",
    "score_axes",
    "scores",
    "size_axes",
    "size_ticks",
    "sized_axes",
    "style",
    "survival",
    "threshold",
    "tick_label",
    "time_axes",
    "trajectory",
    "tried",
]
