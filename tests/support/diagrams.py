"""A small phase diagram that is run again and again: its study, its rows, its command."""

import sys

from jaxflow.store.store import Store

DIAGRAM = """
name = "diagram"
event.square = 1.0
horizon = {time = [20.0, 60.0]}
[axes]
d = [5]
p = [8, 16, 24]
[dynamics.control]
kind = "descent"
[dynamics.flow]
kind = "flow"
[threshold]
low = 5
high = 60
relative_half_width = 0.3
batch = 8
max_trials = 48
[record]
observables = ["loss", "curvature"]
points = 8
"""
BOUNDARY = """
name = "boundary"
event.square = 1.0
horizon.time = 20.0
axes = { d = [4], p = [8, 16] }
dynamics.flow.kind = "flow"
[threshold]
low = 5
high = 60
relative_half_width = 0.3
"""  # what pages of the documentation run


def table(folder):
    """The rows of the store in a folder."""
    with Store.read(folder) as store:
        return store.rows()


def command(path, folder, *flags):
    """What runs a study file into a folder."""
    return [sys.executable, "-m", "jaxflow", "run", str(path), "--out", str(folder), *flags]
