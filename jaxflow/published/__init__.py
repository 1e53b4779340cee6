"""Numbers that the source papers publish, kept to be drawn and tested beside ours."""

from jaxflow.published.quadratic import RECOVERIES, RecoveryCounts, recoveries_at
from jaxflow.published.weakly_interacting import (
    CONJECTURE,
    EXPERIMENT_1_2,
    EXPERIMENT_2_SLOPES,
    GROUP_RATES,
    SOURCE,
    TRANSITIONS,
    PublishedTransition,
    transition_at,
)

__all__ = [
    "CONJECTURE",
    "EXPERIMENT_1_2",
    "EXPERIMENT_2_SLOPES",
    "GROUP_RATES",
    "RECOVERIES",
    "SOURCE",
    "TRANSITIONS",
    "PublishedTransition",
    "RecoveryCounts",
    "recoveries_at",
    "transition_at",
]
