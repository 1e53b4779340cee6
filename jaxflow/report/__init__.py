"""What a store says, as data, tables and figures' numbers.

Reads stores only, finished or under way, and needs neither laws nor solvers.
"""

from jaxflow.report.cells import CellReport, cells
from jaxflow.report.thresholds import table, thresholds

__all__ = ["CellReport", "cells", "table", "thresholds"]
