"""Numbers that the source papers publish, kept to be drawn and tested beside ours."""

from jaxflow.published.quadratic import RECOVERIES, RecoveryCounts, recoveries_at
from jaxflow.published.weakly_interacting import (
    EXPERIMENT_1_2,
    TRANSITIONS,
    PublishedTransition,
    transition_at,
)

__all__ = [
    "EXPERIMENT_1_2",
    "RECOVERIES",
    "TRANSITIONS",
    "PublishedTransition",
    "RecoveryCounts",
    "recoveries_at",
    "transition_at",
]
