"""What a store says, as data, tables and figures' numbers.

Reads stores only, finished or under way, and needs neither laws nor solvers.
"""

from jaxflow.report.recorded import Recorded, last_values, recorded
from jaxflow.report.slices import SliceReport, slices
from jaxflow.report.thresholds import table, thresholds

__all__ = [
    "Recorded",
    "SliceReport",
    "last_values",
    "recorded",
    "slices",
    "table",
    "thresholds",
]
