"""What can be watched of a trial on its way: scalars of one state, by name."""

from jaxflow.observables.table import OBSERVABLES, State, check, observe

__all__ = ["OBSERVABLES", "State", "check", "observe"]
