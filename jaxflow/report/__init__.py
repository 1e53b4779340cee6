"""What a store says, as data, tables and figures' numbers.

Reads stores only, finished or under way, and needs neither laws nor solvers.
"""

from jaxflow.report.cells import CellReport, cells
from jaxflow.report.recorded import Recorded, last_values, recorded
from jaxflow.report.thresholds import table, thresholds

__all__ = [
    "CellReport",
    "Recorded",
    "cells",
    "last_values",
    "recorded",
    "table",
    "thresholds",
]
