"""The figure of a store: a phase diagram, or the transitions of few cells."""

from pathlib import Path

import matplotlib.pyplot as plt

from jaxflow import plot, report
from jaxflow._errors import mistake
from jaxflow.figure.diagram import diagram, longest_line
from jaxflow.figure.transitions import transitions


def draw(folder: Path, path: Path) -> Path:
    """The figure of the store in `folder`, written to `path`; `ValueError` where it cannot be."""
    found = report.cells(folder)
    with plot.style():
        chosen = longest_line(found) if found[0].along == "n" else []
        figure = diagram(chosen) if chosen else transitions(found)
        try:
            figure.savefig(path)
        except OSError as error:
            raise mistake("a figure file that can be written", str(path), str(error)) from error
        finally:
            plt.close(figure)
    return path
