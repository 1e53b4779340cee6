"""Reports are read where nothing can be run or drawn."""

import subprocess
import sys

HEAVY = ("jax", "jaxlib", "diffrax", "optax", "rich", "matplotlib")
SCRIPT = f"""
import pkgutil, sys
from importlib import import_module
import jaxflow.report
for module in pkgutil.walk_packages(jaxflow.report.__path__, "jaxflow.report."):
    import_module(module.name)
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_reports_load_neither_jax_nor_rich_nor_matplotlib():
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (found.stdout.strip(), found.stderr) == ("[]", "")
