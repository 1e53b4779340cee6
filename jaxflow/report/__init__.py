"""What a store says, in numbers.

Reads stores only, finished or under way, and needs neither laws nor solvers.
"""

from jaxflow.report.recorded import Recorded, last_values, recorded
from jaxflow.report.slices import SliceReport, slices, thresholds
from jaxflow.report.status import Status, status
from jaxflow.report.universality import Comparison, Ensembles, compare

__all__ = [
    "Comparison",
    "Ensembles",
    "Recorded",
    "SliceReport",
    "Status",
    "compare",
    "last_values",
    "recorded",
    "slices",
    "status",
    "thresholds",
]
