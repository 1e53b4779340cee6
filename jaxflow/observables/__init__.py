"""What can be watched of a trial on its way: scalars of one state, by name."""

from jaxflow.observables.table import (
    OBSERVABLES,
    OF_TEACHER,
    State,
    check,
    check_ensemble,
    observe,
)
from jaxflow.observables.teacher import Origin

__all__ = [
    "OBSERVABLES",
    "OF_TEACHER",
    "Origin",
    "State",
    "check",
    "check_ensemble",
    "observe",
]
