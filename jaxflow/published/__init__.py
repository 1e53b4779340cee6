"""Numbers that the source papers publish, kept to be drawn and tested beside ours."""

from jaxflow.published import overparameterized
from jaxflow.published.quadratic import RECOVERIES, RecoveryCounts, recoveries_at
from jaxflow.published.weakly_interacting import (
    CONJECTURE,
    EXPERIMENT_1_0,
    EXPERIMENT_1_2,
    EXPERIMENT_2_SLOPES,
    GROUP_RATES,
    READINGS,
    SOURCE,
    THRESHOLDS,
    TRANSITIONS,
    PublishedReading,
    PublishedThreshold,
    PublishedTransition,
    thresholds_along,
    transition_at,
)

__all__ = [
    "CONJECTURE",
    "EXPERIMENT_1_0",
    "EXPERIMENT_1_2",
    "EXPERIMENT_2_SLOPES",
    "GROUP_RATES",
    "READINGS",
    "RECOVERIES",
    "SOURCE",
    "THRESHOLDS",
    "TRANSITIONS",
    "PublishedReading",
    "PublishedThreshold",
    "PublishedTransition",
    "RecoveryCounts",
    "overparameterized",
    "recoveries_at",
    "thresholds_along",
    "transition_at",
]
