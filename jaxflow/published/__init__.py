"""Numbers that the source papers publish, kept to be drawn and tested beside ours."""

from jaxflow.published import overparameterized
from jaxflow.published.weakly_interacting import (
    EXPERIMENT_1_2,
    TRANSITIONS,
    PublishedTransition,
    transition_at,
)

__all__ = [
    "EXPERIMENT_1_2",
    "TRANSITIONS",
    "PublishedTransition",
    "overparameterized",
    "transition_at",
]
