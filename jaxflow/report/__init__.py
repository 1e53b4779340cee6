"""What a store says, in numbers.

Reads stores only, finished or under way, and needs neither laws nor solvers.
"""

from jaxflow.report.recorded import Recorded, last_values, recorded
from jaxflow.report.slices import SliceReport, slices, thresholds
from jaxflow.report.status import Status, status

__all__ = [
    "Recorded",
    "SliceReport",
    "Status",
    "last_values",
    "recorded",
    "slices",
    "status",
    "thresholds",
]
