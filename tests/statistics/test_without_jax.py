"""Statistics and papers are NumPy and SciPy alone: reports and sampling use all of them."""

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
for name in ("jax", "jaxlib", "diffrax", "equinox", "optax", "matplotlib"):
    sys.modules[name] = None  # whose import then fails
for package in ("statistics", "papers"):
    found = importlib.import_module(f"jaxflow.{package}")
    for module in pkgutil.walk_packages(found.__path__, f"{found.__name__}."):
        importlib.import_module(module.name)
        print(module.name)
"""


def test_every_module_is_imported_where_there_is_no_jax():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    assert {"jaxflow.statistics.posterior", "jaxflow.papers.bounds"} < set(names)
    assert len(names) >= 15
