"""Numbers that the source papers publish, kept to be drawn and tested beside ours."""

from jaxflow.published.weakly_interacting import (
    EXPERIMENT_1_0,
    EXPERIMENT_1_2,
    READINGS,
    THRESHOLDS,
    TRANSITIONS,
    PublishedReading,
    PublishedThreshold,
    PublishedTransition,
    thresholds_along,
    transition_at,
)

__all__ = [
    "EXPERIMENT_1_0",
    "EXPERIMENT_1_2",
    "READINGS",
    "THRESHOLDS",
    "TRANSITIONS",
    "PublishedReading",
    "PublishedThreshold",
    "PublishedTransition",
    "thresholds_along",
    "transition_at",
]
